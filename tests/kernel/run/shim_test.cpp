// SPDX-License-Identifier: Apache-2.0
// A test that cannot fail is a defect: with a program in place of ambit that only runs the command,
// these tests must fail. And what they look at must be all that was written.
#include <algorithm>
#include <filesystem>

#include "tests/kernel/fixture/ambit.h"

namespace ambit::probe {
namespace {

using testing::HasSubstr;

constexpr auto kShim = R"(#!/bin/bash
while (($# > 0)) && [[ $1 != -- ]]; do shift; done
shift
exec "$@"
)";

struct Chosen {
  std::string program;
  std::string filter;
};

void PrintTo(const Chosen& chosen, std::ostream* out) { *out << chosen.filter; }

class WithAShimInPlaceOfAmbit : public testing::TestWithParam<Chosen> {};

TEST_P(WithAShimInPlaceOfAmbit, TheTestsFail) {
  const Scratch scratch;
  const std::string shim = scratch.write("ambit", kShim, 0755);
  const std::string here = std::filesystem::path(acts()).parent_path().string();
  const Ended ended =
      run({.argv = {here + "/" + GetParam().program, "--gtest_filter=" + GetParam().filter},
           .environment = {{"AMBIT_BINARY", shim}, {"AMBIT_BACKEND", backend()}}});
  EXPECT_EQ(ended.exit, 1) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("FAILED TEST"));
  EXPECT_THAT(ended.out, testing::Not(HasSubstr("[       OK ]")));
  EXPECT_THAT(ended.out, testing::Not(HasSubstr("[  SKIPPED ]")));
}

INSTANTIATE_TEST_SUITE_P(
    Any, WithAShimInPlaceOfAmbit,
    testing::Values(
        Chosen{"kernel_files", "CatOfACredential.Is*ScopeSays*:CatOfACredential.*Shadow*"},
        Chosen{"kernel_evasion", "*Forbids*/F1_open:*Forbids*/E1_execve:*Forbids*/N1_connect"},
        Chosen{"kernel_files", "*TheNameIs*"},
        Chosen{"kernel_network", "NetworkAllow.LetsOut*:NetworkAllow.*WhereItIsEmpty"},
        Chosen{"kernel_run",
               "ASecretInTheEnvironment.IsOne*:ASecretInTheEnvironment.IsTaken*:"
               "ADescriptorFromBefore.OfASecretIs*"},
        Chosen{"kernel_promises", "ACarriedCredential.*Refused*:*TheKernelItself*-*MoreOthers*"}),
    [](const auto& given) { return "Number" + std::to_string(given.index); });

TEST(WhatATestSees, IsEveryLineOfAllThatWriteAtOnce) {
  constexpr auto kWriters =
      "for writer in a b; do (for ((i = 0; i < 20000; ++i)); do echo line >&2; done) & done; wait";
  const Ended ended = run({.argv = {"/bin/bash", "-c", kWriters}});
  EXPECT_EQ(std::ranges::count(ended.err, '\n'), 40000);
}

}  // namespace
}  // namespace ambit::probe
