// SPDX-License-Identifier: Apache-2.0
// Whatever the bytes are: a clear error, fast, in bounded memory, and no exception.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>

#include "tests/unit/policy/document_probe.h"
#include "userspace/policy/document_file.h"
#include "userspace/policy/document_tree.h"

namespace ambit::policy {
namespace {

using probe::messages_of;
using probe::only_mistake;
using probe::scope_with;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr std::size_t kMostMemory = std::size_t{128} << 20;
constexpr std::chrono::seconds kMostTime{
    5};  // unoptimised and with sanitizers; under 0.2 s in a release

std::string repeated(std::string_view unit, std::size_t bytes) {
  std::string text;
  while (text.size() + unit.size() <= bytes) text += unit;
  return text;
}

std::size_t resident_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

/// CPU time, so that other builds on the machine do not fail the test.
std::chrono::microseconds cpu_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return std::chrono::seconds{usage.ru_utime.tv_sec + usage.ru_stime.tv_sec} +
         std::chrono::microseconds{usage.ru_utime.tv_usec + usage.ru_stime.tv_usec};
}

enum class Outcome : int { refused = 0, accepted, slow, greedy };

/// In a process of its own, so that the memory seen is this text's alone.
Outcome outcome_of(std::string_view text) {
  const pid_t child = ::fork();
  if (child == 0) {
    const std::size_t memory = resident_bytes();
    const auto begin = cpu_time();
    const ParsedFile parsed = parse_documents(text, "hostile.yaml");
    Outcome outcome = has_errors(parsed.diagnostics) ? Outcome::refused : Outcome::accepted;
    if (cpu_time() - begin > kMostTime) outcome = Outcome::slow;
    if (resident_bytes() - memory > kMostMemory) outcome = Outcome::greedy;
    ::_exit(static_cast<int>(outcome));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status)) << "died of signal " << WTERMSIG(status);
  return static_cast<Outcome>(WEXITSTATUS(status));
}

class Repeated : public testing::TestWithParam<std::string> {};

TEST_P(Repeated, IsRefusedFastInBoundedMemory) {
  // The larger one meets the limits on the whole text, the smaller ones the parser's own.
  for (const std::size_t bytes :
       {std::size_t{2'000}, std::size_t{95'000}, std::size_t{240'000}, kMaxDocumentBytes}) {
    EXPECT_EQ(outcome_of(repeated(GetParam(), bytes)), Outcome::refused) << bytes;
  }
}

INSTANTIATE_TEST_SUITE_P(Units, Repeated,
                         testing::Values("[", "{", "- ", "? ", "[a: ", "{a: ", "{? ", "a: ", "a:\n",
                                         "- a\n", "[a,", "[]: ", ": ", ",", "-\n ", "&a ", "!a ",
                                         "*a ", "- !x\n", "- &a b\n", "---\n", "--- a\n", "...\n",
                                         "%T a b\n", "|", ">\n", "\"", "'", "\"a\" ", " ", "\n",
                                         "\t", "# c\n", "a", "\\", "\"\\x41", "<<: ", "x: [\n",
                                         "\xc3\xa9", "\xff", std::string(1, '\0'), "\x1b[2J", "@",
                                         "`", "%"));

std::string alias_bomb() {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 0; j < 8; ++j) text += ", " + last;
    text += "]\n";
  }
  return text;
}

TEST(HostileDocument, AnAliasBombIsRefusedAtItsFirstAnchor) {
  EXPECT_EQ(outcome_of(alias_bomb()), Outcome::refused);
  const ParsedFile parsed = parse_documents(alias_bomb(), "bomb.yaml");
  EXPECT_EQ(parsed.diagnostics.at(0).line, 1U);
  EXPECT_THAT(parsed.diagnostics.at(0).message, HasSubstr("aliases and anchors are not accepted"));
}

TEST(HostileDocument, AnUnquotedStarIsOneMistakeAmongOthers) {
  const ParsedFile parsed =
      parse_documents(scope_with("  network:\n    allow:\n      - {host: *.github.com, ports: "
                                 "[0]}\n      - {host: *.example.com}\n"
                                 "  exec: {allow: [!/usr/bin/curl]}\n  mod: shadow\n"),
                      "s.yaml");
  EXPECT_THAT(probe::messages(parsed),
              ElementsAre(HasSubstr("must be in quotes"), HasSubstr("\"0\" is no port"),
                          HasSubstr("must be in quotes"), HasSubstr("YAML tags are not accepted"),
                          HasSubstr("unknown key \"mod\"")));
}

TEST(HostileDocument, MergeKeysAreUnknownKeys) {
  EXPECT_THAT(messages_of(scope_with("  <<: {owner: a}\n")),
              ElementsAre(HasSubstr("unknown key \"<<\"")));
}

TEST(HostileDocument, TooManyDocumentsAreRefused) {
  EXPECT_THAT(messages_of(repeated("--- a\n", 12'000)),
              ElementsAre(HasSubstr("too many documents")));
}

TEST(HostileDocument, DeepNestingIsRefusedWithItsPlace) {
  const Diagnostic flow = only_mistake("a: " + std::string(1000, '['));
  EXPECT_THAT(flow.message, HasSubstr("nested deeper than 32 levels"));
  EXPECT_EQ(flow.line, 1U);
  std::string block;
  for (std::size_t i = 0; i < 1000; ++i) block += std::string(i, ' ') + "a:\n";
  const Diagnostic mapping = only_mistake(block);
  EXPECT_THAT(mapping.message, HasSubstr("nested deeper than 32 levels"));
  EXPECT_EQ(mapping.line, 33U);
}

TEST(HostileDocument, ManyUnknownKeysAreReportedOnceAPersonWouldStopReading) {
  std::string keys;
  for (int i = 0; i < 60'000; ++i) keys += "  k" + std::to_string(i) + ": 1\n";
  const std::string text = scope_with(keys);
  EXPECT_EQ(outcome_of(text), Outcome::refused);
  EXPECT_THAT(parse_documents(text, "s.yaml").diagnostics, SizeIs(101));
}

TEST(HostileDocument, ManyMistakesOnOneLongLineDoNotMultiply) {
  std::string rules;
  for (int i = 0; i < 30'000; ++i) rules += "{cidr: 10.0.0.1/8},";
  const std::string text = scope_with("  network: {allow: [" + rules + "]}\n");
  EXPECT_EQ(outcome_of(text), Outcome::refused);
  EXPECT_LT(render(parse_documents(text, "s.yaml").diagnostics).size(), 100'000U);
}

TEST(HostileDocument, ALargeGoodScopeIsRead) {
  std::string rules;
  for (int i = 0; i < 20'000; ++i) {
    rules += "      - {cidr: 10." + std::to_string(i / 256) + "." + std::to_string(i % 256) +
             ".0/24, ports: [443]}\n";
  }
  const std::string text = scope_with("  network:\n    allow:\n" + rules);
  ASSERT_LT(text.size(), kMaxDocumentBytes);
  EXPECT_EQ(outcome_of(text), Outcome::accepted);
}

TEST(HostileDocument, ControlAndInvisibleCharactersInValuesAreRefused) {
  for (const char* const owner :
       {"\"a\\0b\"", "\"a\\x1b[2J\"", "\"a\\nb\"", "\"\\u202e\"", "a\x7fz"}) {
    EXPECT_THAT(only_mistake(scope_with("  owner: " + std::string(owner) + "\n")).message,
                HasSubstr("control and invisible characters"));
  }
}

TEST(HostileDocument, WhatIsPrintedOfItIsHarmless) {
  const std::string text =
      render(parse_documents(scope_with("  \"\\e[2J\\n\": 1\n"), "s.yaml").diagnostics);
  EXPECT_THAT(text, HasSubstr("unknown key \"\\x1b[2J\\n\""));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(HostileDocument, KeysThatAreNoWordsAreRefused) {
  EXPECT_THAT(messages_of(scope_with("  [a, b]: 1\n")),
              Contains(HasSubstr("must be a word, found a list")));
  EXPECT_THAT(messages_of(scope_with("  ? {a: b}\n  : 1\n")),
              Contains(HasSubstr("must be a word, found a mapping")));
}

TEST(HostileDocument, RandomChangesOfAGoodDocumentNeverBreakTheParser) {
  const std::string good = scope_with(
      "  context: {a: b}\n  credentials:\n    - name: github-cli\n      readers: [/usr/bin/gh, "
      "\"!/usr/bin/g*\"]\n"
      "      destinations: [{host: \"*.github.com\", ports: [443, 8000-8999]}]\n  network: {allow: "
      "[{cidr: 10.2.0.0/16}]}\n"
      "  response: {credential: kill}\n");
  constexpr std::string_view kLetters = "[]{},:?-&*!|>'\"%@`#~ \n\t\\x0/.\xc3\xa9<";
  std::mt19937 random(4711);
  std::size_t refused = 0;
  for (int round = 0; round < 1500; ++round) {
    std::string text = good;
    for (std::size_t change = random() % 4 + 1; change > 0; --change) {
      const std::size_t at = random() % text.size();
      const char letter = kLetters[random() % kLetters.size()];
      if (random() % 3 == 0) {
        text.erase(at, random() % 8 + 1);
      } else if (random() % 2 == 0) {
        text.insert(at, 1, letter);
      } else {
        text[at] = letter;
      }
      if (text.empty()) text = good;
    }
    const ParsedFile parsed = parse_documents(text, "s.yaml");
    if (has_errors(parsed.diagnostics)) ++refused;
    // Whatever is wrong is somewhere, and what is right is a document.
    EXPECT_TRUE(!parsed.diagnostics.empty() || !parsed.documents.empty()) << text;
  }
  EXPECT_GT(refused, 1000U);
}

}  // namespace
}  // namespace ambit::policy
