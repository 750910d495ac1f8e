// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/command.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <sstream>
#include <vector>

#include "userspace/cli/version.h"

namespace {

using namespace ambit::cli;
using Words = std::vector<std::string>;

Words seen;

int remember(std::span<const std::string> arguments) {
  seen.assign(arguments.begin(), arguments.end());
  return 42;
}
int never(std::span<const std::string> /*arguments*/) { return 99; }

constexpr std::array kTable{
    Command{"water", "pour water", remember},
    Command{"wine", "make wine", never},
};

struct Said {
  int status = 0;
  std::string out;
  std::string err;
};

Said say(const Words& words) {
  std::ostringstream out;
  std::ostringstream err;
  seen = {"not called"};
  const int status = dispatch(words, kTable, {.out = out, .err = err});
  return {.status = status, .out = out.str(), .err = err.str()};
}

TEST(Commands, GetWhatStandsBehindTheirNameAndGiveTheStatus) {
  EXPECT_EQ(say({"water", "--hot", "--", "help"}).status, 42);
  EXPECT_EQ(seen, (Words{"--hot", "--", "help"}));
}

TEST(Commands, AreAskedForTheirHelpByHelp) {
  for (const char* const help : {"help", "--help", "-h"}) {
    EXPECT_EQ(say({help, "water"}).status, 42) << help;
    EXPECT_EQ(seen, Words{"--help"}) << help;
  }
}

TEST(Commands, AreAllListedByHelp) {
  for (const Words& words : {Words{"--help"}, Words{"-h"}, Words{"help"}, Words{"help", "--help"},
                             Words{"help", "help"}, Words{"--help", "help"}}) {
    const Said said = say(words);
    EXPECT_EQ(said.status, kExitOk);
    EXPECT_NE(said.out.find("water     pour water"), std::string::npos) << said.out;
    EXPECT_NE(said.out.find("wine      make wine"), std::string::npos);
    EXPECT_EQ(said.err, "");
  }
}

TEST(Commands, AreListedAsAnErrorWhenNoneIsNamed) {
  const Said said = say({});
  EXPECT_EQ(said.status, kExitUsage);
  EXPECT_EQ(said.out, "");
  EXPECT_NE(said.err.find("pour water"), std::string::npos);
}

TEST(Commands, ThatAreMisspeltAreSuggested) {
  for (const Words& words : {Words{"watre"}, Words{"help", "watre"}}) {
    const Said said = say(words);
    EXPECT_EQ(said.status, kExitUsage);
    EXPECT_EQ(said.err,
              "ambit: there is no command \"watre\"; did you mean water?\nTry `ambit --help`.\n");
  }
  EXPECT_EQ(say({"hlep"}).err,
            "ambit: there is no command \"hlep\"; did you mean help?\nTry `ambit --help`.\n");
}

TEST(Commands, ThatResembleNothingSuggestNothing) {
  EXPECT_EQ(say({"xylophone"}).err,
            "ambit: there is no command \"xylophone\"\nTry `ambit --help`.\n");
}

TEST(Commands, CannotWriteOnTheTerminalByTheirName) {
  EXPECT_EQ(say({"\x1b[2Jx"}).err.find('\x1b'), std::string::npos);
}

TEST(Commands, OfAmbitHaveNamesThatDifferAndAWordToSay) {
  std::vector<std::string_view> names;
  for (const Command& command : commands()) {
    EXPECT_NE(command.run, nullptr);
    EXPECT_FALSE(command.summary.empty());
    names.push_back(command.name);
  }
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
  for (const std::string_view needed : {"run", "check", "doctor"})
    EXPECT_TRUE(std::ranges::binary_search(names, needed)) << needed;
}

TEST(Version, SaysVersionCommitAndAbi) {
  const Said said = say({"--version"});
  EXPECT_EQ(said.status, kExitOk);
  EXPECT_TRUE(std::regex_match(
      said.out,
      std::regex(R"(ambit \d+\.\d+\.\d+ \(commit ([0-9a-f]{7,40}(-dirty)?|unknown), ABI \d+\)\n)")))
      << said.out;
  EXPECT_GE(version().abi, 1);
}

}  // namespace
