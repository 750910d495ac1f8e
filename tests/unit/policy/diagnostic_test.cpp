// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/diagnostic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "userspace/policy/diagnostic_text.h"

namespace ambit::policy {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Diagnostic, IsRenderedWithPlaceLineAndCaret) {
  Reporter report("a.yaml", "first: 1\nsecond: 2\n");
  report.error({.line = 2, .column = 9}, "is wrong", "3");
  EXPECT_EQ(render(report.take()),
            "a.yaml:2:9: error: is wrong; did you mean \"3\"?\n"
            "  second: 2\n"
            "          ^\n");
}

TEST(Diagnostic, WithoutALineIsOneLine) {
  Reporter report("a.yaml", "");
  report.error({}, "is empty");
  EXPECT_EQ(render(report.take()), "a.yaml: error: is empty\n");
}

TEST(Diagnostic, WarningsAreNoErrors) {
  Reporter report("a.yaml", "x");
  report.warning({.line = 1, .column = 1}, "is odd");
  const auto warnings = report.take();
  EXPECT_FALSE(has_errors(warnings));
  EXPECT_THAT(render(warnings), HasSubstr("a.yaml:1:1: warning: is odd"));
  report.error({}, "is wrong");
  EXPECT_TRUE(has_errors(report.take()));
}

TEST(Diagnostic, TheCaretStaysUnderItsColumnBehindTabsAndLongCharacters) {
  Reporter report("a.yaml", "\tk\xc3\xa9: x\n");
  report.error({.line = 1, .column = 7}, "is wrong");
  EXPECT_THAT(render(report.take()), HasSubstr("\n  \tk\xc3\xa9: x\n  \t    ^\n"));
}

TEST(Diagnostic, TheCaretStaysUnderItsColumnBehindEscapedCharacters) {
  Reporter report("a.yaml", "\x1b[2J: x\n");
  report.error({.line = 1, .column = 7}, "is wrong");
  EXPECT_THAT(render(report.take()), HasSubstr("\n  \\x1b[2J: x\n           ^\n"));
}

TEST(Diagnostic, NothingFromAFileReachesTheTerminalUnescaped) {
  Reporter report("a\x1b]0;t\x07.yaml", "k: \x1b[31m\xe2\x80\xae\n");
  report.error({.line = 1, .column = 1}, "unknown key \"\x1b[2J\n\"", "\x9b\x1b");
  const std::string text = render(report.take());
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\x07")));
  EXPECT_THAT(text, Not(HasSubstr("\x9b")));
  EXPECT_THAT(text, Not(HasSubstr("\xe2\x80\xae")));
  EXPECT_THAT(text, HasSubstr("\\x1b[2J\\n"));
}

TEST(Diagnostic, OfALongLineOnlyThePartAroundTheColumnIsShown) {
  const std::string line = std::string(5000, 'a') + "HERE" + std::string(5000, 'b');
  Reporter report("a.yaml", line);
  report.error({.line = 1, .column = 5001}, "is wrong");
  const auto found = report.take();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_LE(found[0].source_line.size(), 160U);
  EXPECT_EQ(found[0].source_line.substr(found[0].caret - 1, 4), "HERE");
}

TEST(Diagnostic, PartsOfLongLinesAreCutBetweenCharacters) {
  std::string line;
  for (int i = 0; i < 2000; ++i) line += "\xe2\x82\xac";
  for (std::uint32_t column = 900; column < 906; ++column) {
    Reporter report("a.yaml", line);
    report.error({.line = 1, .column = column}, "is wrong");
    EXPECT_EQ(first_non_utf8(report.take().at(0).source_line), std::nullopt);
  }
}

TEST(Diagnostic, AreInOrderOfPlaceAndEndWhenNobodyWouldReadOn) {
  Reporter report("a.yaml", "x\ny\n");
  for (int i = 0; i < 1000; ++i) report.error({.line = 2, .column = 1}, "second");
  const auto many = report.take();
  EXPECT_EQ(many.size(), 101U);
  EXPECT_THAT(many.back().message, HasSubstr("only the first 100 mistakes"));

  Reporter ordered("a.yaml", "x\ny\n");
  ordered.error({.line = 2, .column = 1}, "second");
  ordered.error({.line = 1, .column = 1}, "first");
  EXPECT_EQ(ordered.take().front().message, "first");
}

TEST(Diagnostic, SourceLinesCanBeAddedLater) {
  std::vector<Diagnostic> found(1);
  found[0].file = "a.yaml";
  found[0].line = 2;
  found[0].column = 3;
  attach_source(found, "one\r\n  two\r\n");
  EXPECT_EQ(found[0].source_line, "  two");
  EXPECT_EQ(found[0].caret, 3U);
}

TEST(Nearest, FindsSlipsAndLeavesOtherWordsAlone) {
  const std::vector<std::string_view> words{"credentials", "network", "exec", "kill-task"};
  EXPECT_EQ(nearest("credentails", words), "credentials");
  EXPECT_EQ(nearest("NetWork", words), "network");
  EXPECT_EQ(nearest("kill_task", words), "kill-task");
  EXPECT_EQ(nearest("exce", words), "exec");
  EXPECT_EQ(nearest("owner", words), std::nullopt);
  EXPECT_EQ(nearest(std::string(100'000, 'c'), words), std::nullopt);
}

}  // namespace
}  // namespace ambit::policy
