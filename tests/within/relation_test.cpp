// SPDX-License-Identifier: Apache-2.0
// How patterns stand to each other, beside all paths of a small world.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "userspace/policy/pattern_relation.h"

namespace ambit::policy {
namespace {

constexpr std::array kNames{"a", "b", "ab", "ba", "aa", "aba", "aab"};

PatternForm form_of(const std::string& text) {
  auto form = parse_pattern_form(text);
  EXPECT_TRUE(form) << text;
  return form.value_or(PatternForm{});
}

std::vector<std::string> all_paths() {
  std::vector<std::string> level{""};
  std::vector<std::string> all;
  for (int depth = 0; depth < 3; ++depth) {
    std::vector<std::string> next;
    for (const std::string& above : level)
      for (const char* name : kNames) next.push_back(above + "/" + name);
    all.insert(all.end(), next.begin(), next.end());
    level = std::move(next);
  }
  return all;
}

std::vector<std::string> all_patterns() {
  std::vector<std::string> patterns{"/**"};
  for (const char* last : {"a", "ab", "*", "a*", "*b", "a*a", "aa*"}) {
    if (std::string(last) != "*") patterns.push_back(std::string("**/") + last);
    for (const char* above : {"", "/a", "/ab", "/a/b"})
      patterns.push_back(std::string(above) + "/" + last);
  }
  for (const char* above : {"/a", "/ab", "/a/b", "/a/b/a"})
    patterns.push_back(std::string(above) + "/**");
  for (const char* middle : {"/*/a", "/a*/b", "/a/*/ab"}) patterns.emplace_back(middle);
  return patterns;
}

TEST(PatternRelation, CoversNothingThatHasAPathOfItsOwnAndMeetsWhereverOneIsShared) {
  const std::vector<std::string> paths = all_paths();
  std::vector<PatternForm> exact;
  for (const std::string& path : paths) exact.push_back(form_of(path));
  std::size_t covered = 0;
  std::size_t apart = 0;
  for (const std::string& outer_text : all_patterns()) {
    const PatternForm outer = form_of(outer_text);
    for (const std::string& inner_text : all_patterns()) {
      const PatternForm inner = form_of(inner_text);
      const bool all = covers(outer, inner);
      const bool meet = may_meet(outer, inner);
      covered += all ? 1U : 0U;
      apart += meet ? 0U : 1U;
      EXPECT_EQ(meet, may_meet(inner, outer)) << outer_text << " " << inner_text;
      for (const PatternForm& path : exact) {
        const bool in_inner = covers(inner, path);
        const bool in_outer = covers(outer, path);
        ASSERT_FALSE(all && in_inner && !in_outer) << outer_text << " " << inner_text;
        ASSERT_FALSE(!meet && in_inner && in_outer) << outer_text << " " << inner_text;
      }
    }
    EXPECT_TRUE(covers(outer, outer)) << outer_text;
  }
  EXPECT_GT(covered, 100U);
  EXPECT_GT(apart, 300U);
}

TEST(PatternRelation, CoversAndMeetsWhatItShould) {
  EXPECT_TRUE(covers(form_of("/a/**"), form_of("/a/b/*c")));
  EXPECT_TRUE(covers(form_of("/a/*"), form_of("/a/b*")));
  EXPECT_TRUE(covers(form_of("**/*.sh"), form_of("/a/x*.sh")));
  EXPECT_FALSE(covers(form_of("/a/b*b"), form_of("/a/b")));
  EXPECT_FALSE(covers(form_of("/a/*"), form_of("/a/**")));
  EXPECT_FALSE(covers(form_of("/a/**"), form_of("**/a")));
  EXPECT_TRUE(may_meet(form_of("/a/*b"), form_of("/a/a*")));
  EXPECT_FALSE(may_meet(form_of("/a/*b"), form_of("/a/*c")));
  EXPECT_TRUE(may_meet(form_of("**/x"), form_of("/a/**")));
  EXPECT_FALSE(may_meet(form_of("/a/**"), form_of("/a")));
}

}  // namespace
}  // namespace ambit::policy
