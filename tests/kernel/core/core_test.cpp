// SPDX-License-Identifier: Apache-2.0
// One truth: what user space answers, the kernel answers.
#include <gtest/gtest.h>

#include <cerrno>
#include <iostream>

#include "tests/kernel/core/case_in_kernel.h"

namespace ambit::policy {
namespace {

class DecisionInKernel : public testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() {
    auto opened = CaseInKernel::open();
    if (opened)
      kernel = std::move(*opened);
    else
      why_not = opened.error();
  }
  static void TearDownTestSuite() { kernel.reset(); }

  /// A verifier that refuses the decisions is a failure; a kernel that does not know how to run
  /// such a program by itself is none.
  void SetUp() override {
    if (kernel) return;
    if (why_not.code == EPERM || why_not.code == ENOSYS)
      GTEST_SKIP() << "BPF programs cannot be loaded here: " << why_not.message;
    FAIL() << why_not.message;
  }

  static Result<Answer> ask(const Case& one) { return kernel->answer(one); }

  static inline std::unique_ptr<CaseInKernel> kernel;
  static inline Error why_not;
};

TEST_P(DecisionInKernel, IsAsTheCaseSays) {
  const auto answer = ask(GetParam());
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(*answer, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Case, DecisionInKernel, testing::ValuesIn(all_cases()),
                         [](const auto& one) { return one.param.name; });

class RandomDecisions : public DecisionInKernel {};

TEST_P(RandomDecisions, AreTheSameInBothCompilations) {
  std::cout << "verified instructions: " << kernel->verified_instructions() << '\n';
  constexpr std::size_t kCount = 3000;
  for (const Case& one : random_cases(2026, kCount)) {
    const auto answer = ask(one);
    ASSERT_TRUE(answer) << one.name << ": " << answer.error().message;
    ASSERT_EQ(*answer, one.expected) << one.name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, RandomDecisions, testing::Values(Case{.name = "Cases"}),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace ambit::policy
