// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/filesystem.h"

#include <gtest/gtest.h>

namespace {

using namespace ambit::policy;

class CountingFiles final : public FileSystem {
 public:
  mutable int asked = 0;
  [[nodiscard]] std::optional<FileFacts> look(const std::string& path) const override {
    ++asked;
    if (path != "/there") return std::nullopt;
    return FileFacts{.id = {.dev = 1, .ino = 2}, .canonical = path};
  }
  [[nodiscard]] std::vector<std::string> list(const std::string& /*directory*/) const override {
    ++asked;
    return {"name"};
  }
};

TEST(RememberedFileSystem, LooksOnceAtWhatIsThereAndAtWhatIsNot) {
  const CountingFiles files;
  const RememberedFileSystem remembered(files);
  for (int i = 0; i < 3; ++i) {
    const auto there = remembered.look("/there");
    ASSERT_TRUE(there);
    EXPECT_EQ(there->id.ino, 2U);
    EXPECT_FALSE(remembered.look("/absent"));
    EXPECT_EQ(remembered.list("/there").size(), 1U);
  }
  EXPECT_EQ(files.asked, 3);
}

}  // namespace
