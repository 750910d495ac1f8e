// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/options.h"

#include <gtest/gtest.h>

#include <vector>

namespace {

using namespace ambit::cli;
namespace options = boost::program_options;

std::string mistake(const std::vector<std::string>& words) {
  Syntax syntax{.options = options::options_description("Options"), .positional = {}};
  syntax.options.add_options()("json", "")("backend", options::value<std::string>(), "");
  const auto values = parse_options(words, syntax);
  return values ? "" : values.error().message;
}

TEST(Options, ThatAreKnownAreTaken) { EXPECT_EQ(mistake({"--json", "--backend", "lsm"}), ""); }

TEST(Options, ThatAreMisspeltAreSuggested) {
  EXPECT_EQ(mistake({"--jsno"}), "there is no option --jsno; did you mean --json?");
  EXPECT_EQ(mistake({"--xylophone"}), "there is no option --xylophone");
}

TEST(Options, AreNotGuessedFromTheirBeginning) { EXPECT_NE(mistake({"--js"}), ""); }

TEST(Options, WithoutTheirValueOrWithWordsThatNobodyTakesAreMistakes) {
  EXPECT_NE(mistake({"--backend"}), "");
  EXPECT_NE(mistake({"stray"}), "");
  EXPECT_NE(mistake({"--json=yes"}), "");
}

}  // namespace
