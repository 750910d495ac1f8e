// SPDX-License-Identifier: Apache-2.0
// The cases through the compilation for user space; tests/kernel/core/ puts them through the other.
#include <gtest/gtest.h>

#include <set>

#include "tests/core/cases.h"

namespace ambit::policy {
namespace {

class DecisionInMemory : public testing::TestWithParam<Case> {};

TEST_P(DecisionInMemory, IsAsTheCaseSays) {
  EXPECT_EQ(answer_in_memory(GetParam()), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Case, DecisionInMemory, testing::ValuesIn(all_cases()),
                         [](const auto& one) { return one.param.name; });

TEST(RandomCases, TouchEveryKindOfAnswer) {
  std::set<model::Reason> reasons;
  std::size_t recognised = 0;
  for (const Case& one : random_cases(1, 4000)) {
    reasons.insert(one.expected.reason);
    if (!one.expected.credentials.empty()) ++recognised;
  }
  EXPECT_EQ(reasons.size(), 7U);
  EXPECT_GT(recognised, 100U);
}

}  // namespace
}  // namespace ambit::policy
