// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/document_watch.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/cli/scratch.h"

namespace ambit::daemon {
namespace {

class ADocumentWatch : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) { scratch_.write(name, text); }
  [[nodiscard]] std::string path(const std::string& name) const { return scratch_.path(name); }

 private:
  cli::scratch::Scratch scratch_;
};

TEST_F(ADocumentWatch, TellsOnceOfWhatChangedAndStayedSo) {
  write("one.yaml", "a");
  DocumentWatch watch({path("one.yaml"), path("")});
  EXPECT_FALSE(watch.has_changed());
  write("one.yaml", "ab");
  EXPECT_FALSE(watch.has_changed()) << "it may be half written";
  EXPECT_TRUE(watch.has_changed());
  EXPECT_FALSE(watch.has_changed());
  write("one.yaml", "abc");
  EXPECT_FALSE(watch.has_changed());
  write("one.yaml", "abcd");
  EXPECT_FALSE(watch.has_changed());
  EXPECT_TRUE(watch.has_changed());
}

TEST_F(ADocumentWatch, SeesFilesComeAndGoAndLinksThatLeadElsewhere) {
  std::filesystem::create_directories(path("1"));
  std::filesystem::create_directories(path("2"));
  write("1/scope.yaml", "a");
  write("2/scope.yaml", "a");
  std::filesystem::create_symlink("1", path("..data"));
  std::filesystem::create_symlink("..data/scope.yaml", path("scope.yaml"));
  DocumentWatch watch({path("")});
  const auto changed = [&] { return !watch.has_changed() && watch.has_changed(); };
  std::filesystem::create_symlink("2", path("..next"));
  EXPECT_FALSE(changed());
  std::filesystem::rename(path("..next"), path("..data"));
  EXPECT_TRUE(changed()) << "as a ConfigMap changes";
  write("more.yaml", "b");
  EXPECT_TRUE(changed());
  std::filesystem::remove(path("more.yaml"));
  EXPECT_TRUE(changed());
  write("notes.txt", "c");
  EXPECT_FALSE(changed()) << "no document";
  std::filesystem::remove(path("scope.yaml"));
  EXPECT_TRUE(changed()) << "nothing is left";
}

TEST_F(ADocumentWatch, DoesNotTellOfWhatIsTakenAndKeepsWhatWasTakenWithOtherSources) {
  write("one.yaml", "a");
  write("two.yaml", "a");
  DocumentWatch watch({path("one.yaml")});
  write("one.yaml", "ab");
  watch.take();
  EXPECT_FALSE(watch.has_changed());
  EXPECT_FALSE(watch.has_changed());
  write("one.yaml", "abc");
  watch.watch({path("one.yaml"), path("two.yaml")});
  EXPECT_FALSE(watch.has_changed());
  EXPECT_TRUE(watch.has_changed()) << "one.yaml is not what was taken";
  write("two.yaml", "ab");
  EXPECT_FALSE(watch.has_changed());
  EXPECT_TRUE(watch.has_changed());
}

}  // namespace
}  // namespace ambit::daemon
