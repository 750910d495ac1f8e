// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/options.h"

#include <gtest/gtest.h>

#include <vector>

#include "userspace/cli/run.h"

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
  EXPECT_EQ(mistake({"--backend"}), "--backend needs a value");
  EXPECT_NE(mistake({"stray"}), "");
  EXPECT_NE(mistake({"--json=yes"}), "");
}

TEST(Options, AreNoValuesOfOthers) {
  EXPECT_EQ(mistake({"--backend", "--json"}),
            "--backend needs a value, and --json is none (a file of that name: ./--json)");
  EXPECT_EQ(mistake({"--backend", "--no-such-option"}), "");
  EXPECT_EQ(mistake({"--backend=--json"}), "");
}

TEST(Options, OfRunThatLackTheirValueAreNamedBeforeTheCommandThatLacksToo) {
  const auto said = [](const std::vector<std::string>& words) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(run_command(words), 2);
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(said({"--scope"}), "ambit run: --scope needs a value\nTry `ambit run --help`.\n");
  EXPECT_EQ(said({"--keep", "--scope"}), said({"--scope"}));
  EXPECT_EQ(said({"--scope", "--", "true"}), said({"--scope"}));
  EXPECT_TRUE(said({"--scope", "s.yaml", "true"}).starts_with("ambit run: the command must stand"));
  EXPECT_TRUE(said({"--keep"}).starts_with("ambit run: the command must stand"));
  EXPECT_TRUE(said({}).starts_with("ambit run: the command must stand"));
  EXPECT_NE(said({"--scpoe", "x", "--", "true"}).find("did you mean --scope?"), std::string::npos);
}

}  // namespace
