// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/utf8.h"

#include <gtest/gtest.h>

#include <random>

namespace {

using ambit::from_utf8;
using ambit::to_terminal;
using ambit::to_utf8;
using namespace std::string_literals;

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto next = ambit::first_code_point(text);
    if (next.size == 0) {
      return false;
    }
    text.remove_prefix(next.size);
  }
  return true;
}

TEST(ToUtf8, LeavesTextAsItIs) {
  EXPECT_EQ(to_utf8("/home/a/Zoë/日本/\U0001f600"), "/home/a/Zoë/日本/\U0001f600");
  EXPECT_EQ(to_utf8("quote \" newline \n tab \t nul \0."s), "quote \" newline \n tab \t nul \0."s);
  EXPECT_EQ(to_utf8(R"(grep '\.py$' C:\dir)"), R"(grep '\.py$' C:\dir)");
}

TEST(ToUtf8, WritesBytesThatAreNoTextInHex) {
  EXPECT_EQ(to_utf8("a\xff"
                    "b"),
            R"(a\xffb)");
  EXPECT_EQ(to_utf8("\xc0\xaf"), R"(\xc0\xaf)") << "overlong";
  EXPECT_EQ(to_utf8("\xed\xa0\x80"), R"(\xed\xa0\x80)") << "surrogate";
  EXPECT_EQ(to_utf8("\xf4\x90\x80\x80"), R"(\xf4\x90\x80\x80)") << "beyond Unicode";
  EXPECT_EQ(to_utf8("\xe2\x82"), R"(\xe2\x82)") << "cut short";
  EXPECT_EQ(to_utf8("\xf8\x88\x80\x80\x80"), R"(\xf8\x88\x80\x80\x80)");
}

TEST(ToUtf8, MarksABackslashOnlyWhereItWouldReadAsAnEscape) {
  EXPECT_EQ(to_utf8(R"(\xff)"), R"(\x5cxff)");
  EXPECT_EQ(to_utf8(R"(\xfg)"), R"(\xfg)");
  EXPECT_EQ(to_utf8("\\x4\xff"), R"(\x4\xff)");
}

TEST(ToUtf8, IsReversibleAndValidForAnyBytes) {
  std::mt19937 random(4711);  // NOLINT: the same bytes in every run
  const std::string_view favourites = "\\x5cfF09\xff\xc3\xa9\n\"";
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random() % 12, ' ');
    for (char& c : bytes) {
      c = random() % 3 == 0 ? static_cast<char>(random() % 256)
                            : favourites[random() % favourites.size()];
    }
    const std::string text = to_utf8(bytes);
    ASSERT_TRUE(is_utf8(text)) << text;
    ASSERT_EQ(from_utf8(text), bytes) << text;
  }
}

TEST(ToTerminal, ShowsWhatWouldSteerTheTerminal) {
  EXPECT_EQ(to_terminal("\x1b[2Jx\r\n\t\b"), R"(\x1b[2Jx\x0d\n\t\x08)");
  EXPECT_EQ(to_terminal("\x7f"), R"(\x7f)");
  EXPECT_EQ(to_terminal("\xc2\x9b"
                        "31m"),
            R"(\u{9b}31m)")
      << "C1";
  EXPECT_EQ(to_terminal("a\u202e"
                        "b\u2066\u200b\u2028\ufeff"),
            R"(a\u{202e}b\u{2066}\u{200b}\u{2028}\u{feff})");
  EXPECT_EQ(to_terminal("\xff/Zoë"), R"(\xff/Zoë)");
}

TEST(ToTerminal, CutsLongTextInTheMiddle) {
  const std::string shown = to_terminal("/start/" + std::string(2'000'000, 'a') + "/end", 20);
  EXPECT_EQ(shown, "/start/aaa[...]aaaaaa/end");
}

}  // namespace
