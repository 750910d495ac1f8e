// SPDX-License-Identifier: Apache-2.0
// Patterns as tables: where they are anchored, and what is refused; tests/core has what they match.
#include "userspace/policy/paths.h"

#include <gtest/gtest.h>

#include "tests/unit/policy/compile_probe.h"

namespace ambit::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

PathPattern pattern(const std::string& text, std::uint16_t credential = 1) {
  return {.text = text, .meaning = {.credentials = {credential}}};
}

std::string error_of(const std::vector<PathPattern>& patterns, const FakeFiles& files) {
  const auto paths = compile_paths(patterns, files);
  return paths ? std::string() : paths.error().message;
}

TEST(Paths, AreAnchoredAtTheDeepestDirectoryThatIsThereAndThreeAbove) {
  FakeFiles files;
  files.directory("/a/b/c/d/e");
  const auto paths = compile_paths({pattern("/a/b/c/d/e/f/g")}, files);
  ASSERT_TRUE(paths);
  EXPECT_EQ(paths->anchors.size(), 4U);
  for (const char* directory : {"/a/b/c/d/e", "/a/b/c/d", "/a/b/c", "/a/b"})
    EXPECT_TRUE(paths->anchors.contains(files.look(directory)->id)) << directory;
}

TEST(Paths, AreAnchoredAtTheRootOnlyWhereNothingElseIsThere) {
  FakeFiles files;
  files.directory("/a");
  const auto root = files.look("/")->id;
  EXPECT_FALSE(compile_paths({pattern("/a/b")}, files)->anchors.contains(root));
  EXPECT_TRUE(compile_paths({pattern("/z/b")}, files)->anchors.contains(root));
}

TEST(Paths, OfOneDirectoryShareItsAnchor) {
  FakeFiles files;
  files.directory("/a");
  const auto paths =
      compile_paths({pattern("/a/b"), pattern("/a/c", 2), pattern("/a/**", 3)}, files);
  ASSERT_TRUE(paths);
  EXPECT_EQ(paths->anchors.size(), 1U);
  EXPECT_EQ(paths->names.size(), 3U) << "two names, and that patterns go on below the anchor";
  EXPECT_THAT(paths->anchors.begin()->second.rule.credentials, ElementsAre(3));
}

TEST(Paths, ThatThroughAFileLeadNowhereDoNotMakeItAnAnchor) {
  FakeFiles files;
  files.file("/a/b");
  const auto paths = compile_paths({pattern("/a/b/c")}, files);
  ASSERT_TRUE(paths);
  EXPECT_FALSE(paths->anchors.contains(files.look("/a/b")->id));
}

TEST(Paths, WithMoreThanSixteenDirectoriesThatAreNotThereAreRefused) {
  FakeFiles files;
  files.directory("/a");
  std::string path = "/a";
  for (int i = 0; i < 15; ++i) path += "/x";
  EXPECT_EQ(error_of({pattern(path + "/x")}, files), "");
  EXPECT_EQ(error_of({pattern(path + "/x/x")}, files),
            "pattern " + path +
                "/x/x: more than 16 directories of it do not exist yet: make some of them");
}

TEST(Paths, WithMoreThanSixteenLengthsAroundAStarInOneDirectoryAreRefused) {
  FakeFiles files;
  files.directory("/a");
  std::vector<PathPattern> patterns;
  for (std::size_t i = 1; i <= 16; ++i)
    patterns.push_back(pattern("/a/" + std::string(i, 'x') + "*"));
  EXPECT_EQ(error_of(patterns, files), "");
  patterns.push_back(pattern("/a/yy*"));  // of a length that is known
  EXPECT_EQ(error_of(patterns, files), "");
  patterns.push_back(pattern("/a/*z"));
  EXPECT_EQ(error_of(patterns, files),
            "pattern /a/*z: more than 16 different lengths around `*` in its directory");
}

TEST(Paths, WithAHomeLeftAreRefused) {
  EXPECT_EQ(error_of({pattern("~/.netrc")}, FakeFiles()), "pattern ~/.netrc has a home left");
}

TEST(Paths, OfNoFormAreRefused) {
  EXPECT_THAT(error_of({pattern("/a/*/b/*")}, FakeFiles()), HasSubstr("/a/*/b/*"));
}

TEST(ExistingFiles, AreThoseThatAPatternMeans) {
  FakeFiles files;
  for (const char* file : {"/a/b", "/a/c/d", "/a/c/e/f", "/a/cc/d", "/g/d"}) files.file(file);
  const auto listed = [&](const std::string& text) {
    return existing_files({pattern(text)}, files);
  };
  EXPECT_THAT(listed("/a/b"), ElementsAre("/a/b"));
  EXPECT_THAT(listed("/a/c"), IsEmpty());
  EXPECT_THAT(listed("/a/c/**"), UnorderedElementsAre("/a/c/d", "/a/c/e/f"));
  EXPECT_THAT(listed("/a/c*/d"), UnorderedElementsAre("/a/c/d", "/a/cc/d"));
  EXPECT_THAT(listed("/*/d"), ElementsAre("/g/d"));
  EXPECT_THAT(listed("**/d"), IsEmpty()) << "the whole machine is not searched";
  EXPECT_THAT(listed("/nowhere/**"), IsEmpty());
}

TEST(ExistingFiles, GoIntoNoSymlinkOfATree) {
  FakeFiles files;
  files.file("/a/b");
  files.symlink("/a/loop", "/a");
  files.symlink("/a/file", "/a/b");
  files.symlink("/a/dangling", "/nowhere");
  EXPECT_THAT(existing_files({pattern("/a/**")}, files), UnorderedElementsAre("/a/b", "/a/file"));
}

TEST(ExistingFiles, OfATreeWithoutEndAreTwentyThousand) {
  FakeFiles files;
  for (std::size_t i = 0; i < kMaxListed + 10; ++i) files.file("/a/" + std::to_string(i));
  EXPECT_EQ(existing_files({pattern("/a/**")}, files).size(), kMaxListed);
}

}  // namespace
}  // namespace ambit::policy
