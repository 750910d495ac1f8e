// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/holder_known.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "userspace/base/descriptor.h"

namespace ambit::pipeline {
namespace {

namespace fs = std::filesystem;

class AKnownInode : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(directory_); }
  ~AKnownInode() override { fs::remove_all(directory_); }

  [[nodiscard]] Descriptor made(const std::string& name) const {
    std::ofstream(directory_ / name) << "content";
    return Descriptor(::open((directory_ / name).c_str(), O_PATH | O_CLOEXEC));
  }
  static model::FileId id_of(const Descriptor& file) {
    struct stat status{};
    EXPECT_EQ(::fstat(file.get(), &status), 0);
    return {.dev = status.st_dev, .ino = status.st_ino};
  }

  fs::path directory_ = fs::path(testing::TempDir()) / ("known-" + std::to_string(::getpid()));
  KnownInodes known_;
};

TEST_F(AKnownInode, IsTheSameUnderAnotherName) {
  const Descriptor file = made("one");
  known_.note(file.get(), id_of(file));
  fs::rename(directory_ / "one", directory_ / "other");
  const Descriptor again(::open((directory_ / "other").c_str(), O_PATH | O_CLOEXEC));
  EXPECT_FALSE(known_.is_another(again.get(), id_of(file)));
}

TEST_F(AKnownInode, IsAnotherOnceItsNumberIsAnotherFiles) {
  Descriptor file = made("one");
  const model::FileId id = id_of(file);
  known_.note(file.get(), id);
  const Descriptor other = made("two");
  // Whether a number is given again is the file system's matter: here another file stands for it.
  EXPECT_TRUE(known_.is_another(other.get(), id));
  known_.forget(id);
  EXPECT_FALSE(known_.is_another(other.get(), id));
}

TEST_F(AKnownInode, ThatWasNeverNotedIsTakenForTheSame) {
  const Descriptor file = made("one");
  EXPECT_FALSE(known_.is_another(file.get(), id_of(file)));
}

}  // namespace
}  // namespace ambit::pipeline
