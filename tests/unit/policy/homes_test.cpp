// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/homes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ambit::policy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/bash\n"
    "# a comment: with: many: colons: in: it: all\n"
    "a:x:1000:1000:A,,,:/home/a/:/bin/bash\n"
    "a2:x:1000:1000::/home/a:/bin/bash\n"
    "odd:x:one:1::/home/odd:/bin/sh\n"
    "short:x:7:7::/home/short\n"
    "+::::::\n"
    "relative:x:8:8::home:/bin/sh\n"
    "sys:x:9:9::/:/bin/sh";

Homes homes() { return home_directories(kPasswd); }

std::vector<std::string> expanded(const std::string& text, const Environment& environment = {}) {
  model::Pattern pattern;
  pattern.text = text;
  const auto result = expand_pattern(pattern, homes(), environment);
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message);
  std::vector<std::string> texts;
  for (const model::Pattern& one : result.value_or(std::vector<model::Pattern>{})) {
    texts.push_back(one.text);
  }
  return texts;
}

TEST(Homes, AreThoseOfThePasswordFileOnceAndLinesThatAreNoneAreSkipped) {
  EXPECT_THAT(homes().directories, ElementsAre("/root", "/home/a", ""));
  EXPECT_THAT(homes().users, ElementsAre(0, 1000, 8, 9));
  EXPECT_THAT(home_directories("").directories, IsEmpty());
}

TEST(Homes, APasswordFileThatCannotBeReadIsAnErrorAndNotNoHomes) {
  EXPECT_FALSE(read_homes("/nonexistent/passwd").has_value());
  const auto real = read_homes();
  ASSERT_TRUE(real.has_value()) << real.error().message;
  EXPECT_FALSE(real->directories.empty());
}

TEST(ExpandPattern, ATildeIsEveryHomeAndThatOfTheCommand) {
  EXPECT_THAT(expanded("~/.netrc", {"HOME=/tmp/scratch/"}),
              ElementsAre("/root/.netrc", "/home/a/.netrc", "/.netrc", "/tmp/scratch/.netrc"));
  EXPECT_THAT(expanded("~/.netrc", {"HOME=/root"}),
              ElementsAre("/root/.netrc", "/home/a/.netrc", "/.netrc"));
}

TEST(ExpandPattern, AHomeThatIsNoAbsolutePathIsIgnored) {
  EXPECT_EQ(expanded("~/.netrc", {"HOME=scratch", "XDG_CONFIG_HOME="}).size(), 3U);
}

TEST(ExpandPattern, ConfigFollowsItsVariableBesidesTheHomes) {
  EXPECT_THAT(expanded("~/.config/gh/hosts.yml", {"XDG_CONFIG_HOME=/cfg"}),
              ElementsAre("/root/.config/gh/hosts.yml", "/home/a/.config/gh/hosts.yml",
                          "/.config/gh/hosts.yml", "/cfg/gh/hosts.yml"));
  EXPECT_THAT(expanded("~/.configs/x", {"XDG_CONFIG_HOME=/cfg"}),
              testing::Not(testing::Contains("/cfg/x")));
}

TEST(ExpandPattern, TheRuntimeDirectoryIsThatOfEveryUserAndOfTheCommand) {
  EXPECT_THAT(expanded("$XDG_RUNTIME_DIR/gnupg/**", {"XDG_RUNTIME_DIR=/tmp/rt"}),
              ElementsAre("/run/user/0/gnupg/**", "/run/user/1000/gnupg/**", "/run/user/8/gnupg/**",
                          "/run/user/9/gnupg/**", "/tmp/rt/gnupg/**"));
  EXPECT_THAT(expanded("/run/user/*/bus", {"XDG_RUNTIME_DIR=/tmp/rt"}),
              ElementsAre("/run/user/*/bus", "/tmp/rt/bus"));
  EXPECT_THAT(expanded("/run/user/*/bus"), ElementsAre("/run/user/*/bus"));
}

TEST(ExpandPattern, OtherPatternsStayAsTheyAre) {
  EXPECT_THAT(expanded("/etc/shadow", {"HOME=/h"}), ElementsAre("/etc/shadow"));
  EXPECT_THAT(expanded("**/*.pem", {"HOME=/h"}), ElementsAre("**/*.pem"));
}

TEST(ExpandPattern, ExclusionsStayExclusions) {
  model::Pattern pattern;
  pattern.text = "~/.ssh/id_*.pub";
  pattern.exclude = true;
  const auto result = expand_pattern(pattern, homes(), {}).value();
  ASSERT_EQ(result.size(), 3U);
  for (const model::Pattern& one : result) {
    EXPECT_TRUE(one.exclude);
  }
}

TEST(ExpandPattern, WhatCannotBeExpandedIsAnErrorAndNotNothing) {
  for (const std::string text : {"$HOME/.netrc", "~a/.netrc", "~", "", "relative"}) {
    model::Pattern pattern;
    pattern.text = text;
    EXPECT_FALSE(expand_pattern(pattern, homes(), {}).has_value()) << text;
  }
  model::Pattern pattern;
  pattern.text = "~/.netrc";
  EXPECT_FALSE(expand_pattern(pattern, homes(), {"HOME=/home/*"}).has_value());
}

}  // namespace
}  // namespace ambit::policy
