// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/pattern_form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ambit::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(PatternForm, AnExactPathIsItsComponents) {
  const auto form = parse_pattern_form("/etc/shadow");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->root, PatternRoot::absolute);
  EXPECT_THAT(form->components, ElementsAre("etc", "shadow"));
  EXPECT_FALSE(form->subtree);
  EXPECT_EQ(form->star, std::nullopt);
}

TEST(PatternForm, EverythingBelowADirectory) {
  const auto form = parse_pattern_form("~/.aws/sso/cache/**");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->root, PatternRoot::home);
  EXPECT_THAT(form->components, ElementsAre(".aws", "sso", "cache"));
  EXPECT_TRUE(form->subtree);
  EXPECT_TRUE(parse_pattern_form("/**")->components.empty());
}

TEST(PatternForm, ANameAnywhereMayHaveOneStar) {
  for (const char* const text : {"**/.env", "**/.env.*", "**/*.pem", "**/id_*"}) {
    const auto form = parse_pattern_form(text);
    ASSERT_TRUE(form) << text;
    EXPECT_EQ(form->root, PatternRoot::anywhere);
    EXPECT_EQ(form->components.size(), 1U);
  }
  EXPECT_EQ(parse_pattern_form("**/*.pem")->star, 0U);
}

TEST(PatternForm, OneStarStandsInOneComponent) {
  EXPECT_EQ(parse_pattern_form("/run/user/*/bus")->star, 2U);
  EXPECT_EQ(parse_pattern_form("/tmp/krb5cc_*")->star, 1U);
  EXPECT_EQ(parse_pattern_form("/usr/bin/python3*")->star, 2U);
  EXPECT_EQ(parse_pattern_form("~/.ssh/id_*")->star, 1U);
}

TEST(PatternForm, LoneBracketsAndNamesOfOddLettersAreNames) {
  for (const char* const text :
       {"/usr/bin/[", "/a/]b", "/a/{x}", "/a/x,y", "/a b/c", "/a/..data", "/a/\xc3\xa9"}) {
    EXPECT_TRUE(parse_pattern_form(text)) << text;
  }
}

struct Refused {
  const char* text;
  const char* reason;
  const char* suggestion = "";
};

class PatternRefused : public testing::TestWithParam<Refused> {};

TEST_P(PatternRefused, ByTheNameOfItsForm) {
  const auto form = parse_pattern_form(GetParam().text);
  ASSERT_FALSE(form) << GetParam().text;
  EXPECT_THAT(form.error().message, HasSubstr(GetParam().reason)) << GetParam().text;
  EXPECT_EQ(form.error().suggestion, GetParam().suggestion) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Forms, PatternRefused,
    testing::Values(
        Refused{"", "empty pattern"}, Refused{"etc/shadow", "relative path"},
        Refused{"./x", "relative path"}, Refused{"../x", "relative path"},
        Refused{".env", "relative path", "**/.env"}, Refused{"*.pem", "relative path", "**/*.pem"},
        Refused{"/a/../b", "component \"..\""}, Refused{"/a/./b", "component \".\""},
        Refused{"/a//b", "empty component"}, Refused{"/a/", "ends in /", "/a/**"},
        Refused{"/", "root directory"}, Refused{"~", "home directory itself", "~/**"},
        Refused{"~bob/.netrc", "one person's home"}, Refused{"/a/*/b/*", "two stars"},
        Refused{"/a/*b*", "two stars"}, Refused{"**/*.*", "two stars"},
        Refused{"/a/**/b", "** in the middle"}, Refused{"~/**/x", "** in the middle"},
        Refused{"/a/**b", "together with other letters"},
        Refused{"**b", "together with other letters"},
        Refused{"/run/*/x/**", "together with a final /**"}, Refused{"**/a/b", "a path after **/"},
        Refused{"**/a/**", "** twice"}, Refused{"**", "every file"}, Refused{"**/*", "every file"},
        Refused{"**/**", "every file"}, Refused{"/a/b?", "glob letter ?"},
        Refused{"/a/[ab]", "glob class"}, Refused{"/a/{b,c}", "choice"},
        Refused{"/a/b\\*", "backslash"}, Refused{"!/a", "two exclamation marks"},
        Refused{"@name", "abstract socket"}, Refused{"$HOME/.netrc", "variable", "~/.netrc"},
        Refused{"$XDG_CONFIG_HOME/gh/hosts.yml", "variable", "~/.config/gh/hosts.yml"},
        Refused{"$XDG_RUNTIME_DIR/bus", "variable", "/run/user/*/bus"},
        Refused{"$X/y", "variable"}));

TEST(PatternForm, LongerThanPathsCanBeIsRefused) {
  EXPECT_FALSE(parse_pattern_form("/" + std::string(256, 'a')));
  EXPECT_TRUE(parse_pattern_form("/" + std::string(255, 'a')));
  std::string deep;
  for (int i = 0; i < 2048; ++i) deep += "/a";
  EXPECT_FALSE(parse_pattern_form(deep));
}

TEST(Relocation, MovesAPatternOrWhatLiesBelowADirectory) {
  EXPECT_EQ(relocated_pattern("~/.pgpass", "~/.pgpass", "/x/pass"), "/x/pass");
  EXPECT_EQ(relocated_pattern("~/.codex/auth.json", "~/.codex", "/x/"), "/x/auth.json");
  EXPECT_EQ(relocated_pattern("~/.aws/sso/cache/**", "~/.aws", "/x"), "/x/sso/cache/**");
  EXPECT_EQ(relocated_pattern("~/.codexes/auth.json", "~/.codex", "/x"), std::nullopt);
  EXPECT_EQ(relocated_pattern("~/.pgpass", "~/.pgpass/x", "/x"), std::nullopt);
}

}  // namespace
}  // namespace ambit::policy
