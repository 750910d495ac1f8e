// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/check_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/cli/scratch.h"

namespace {

using namespace ambit::cli;
using ambit::cli::scratch::Scratch;
using Files = std::vector<std::string>;

TEST(FilesToCheck, OfADirectoryAreItsDocumentsAtAnyDepthInOrder) {
  const Scratch scratch;
  for (const char* name : {"b.yaml", "a/x.yml", "a/b/c.json", "a/readme.md", "z.yaml.bak"})
    scratch.write(name, "x");
  EXPECT_EQ(find_files({scratch.root()}).files,
            (Files{scratch.path("a/b/c.json"), scratch.path("a/x.yml"), scratch.path("b.yaml")}));
}

TEST(FilesToCheck, AreNeitherHiddenNorBehindLinkedDirectoriesNorAnythingButFiles) {
  const Scratch scratch;
  scratch.write(".git/a.yaml", "x");
  scratch.write(".b.yaml", "x");
  scratch.write("real.yaml", "x");
  std::filesystem::create_directory_symlink(".", scratch.path("loop"));
  ASSERT_EQ(::mkfifo(scratch.path("pipe.yaml").c_str(), 0600), 0);
  std::filesystem::create_directory(scratch.path("directory.yaml"));
  EXPECT_EQ(find_files({scratch.root()}).files, Files{scratch.path("real.yaml")});
}

TEST(FilesToCheck, AreCheckedOnceHoweverTheyAreNamed) {
  const Scratch scratch;
  const std::string file = scratch.write("a.yaml", "x");
  EXPECT_EQ(find_files({file, scratch.root(), scratch.root() + "/./a.yaml"}).files, Files{file});
}

TEST(FilesToCheck, MayHaveAnyNameWhereTheyAreNamedThemselves) {
  EXPECT_EQ(find_files({"/nowhere/scope"}).files, Files{"/nowhere/scope"});
}

TEST(FilesToCheck, ThatAreNotThereAreSaidOfADirectoryWithoutAny) {
  const Scratch scratch;
  const FoundFiles found = find_files({scratch.root()});
  EXPECT_TRUE(found.files.empty());
  ASSERT_EQ(found.diagnostics.size(), 1U);
  EXPECT_EQ(found.diagnostics[0].file, scratch.root());
  EXPECT_EQ(found.diagnostics[0].message, "has no *.yaml, *.yml or *.json file in it");
}

}  // namespace
