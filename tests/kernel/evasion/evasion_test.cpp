// SPDX-License-Identifier: Apache-2.0
// Every way around a monitor (EVASION.md): without a task it works, in a task whose scope forbids
// it it is stopped or told, in a task whose scope allows it it works and nothing is said.
#include <optional>

#include "tests/kernel/evasion/results.h"

namespace ambit::probe::evasion {
namespace {

class AWay : public testing::TestWithParam<Case> {
 protected:
  /// Nothing when the runs themselves went wrong: then there is no result to write.
  std::optional<Verdict> verdict(Phase phase) {
    const Group group = group_of(GetParam().kind);
    for (const Phase one : {Phase::alone, phase}) {
      EXPECT_EQ(trial_of(group, one).trouble(), "");
      if (!trial_of(group, one).trouble().empty()) return std::nullopt;
    }
    Verdict found = verdict_of(GetParam(), phase);
    write_result(GetParam(), phase, found);
    return found;
  }

  void expect_stopped(Phase phase, Result least) {
    const std::optional<Verdict> found = verdict(phase);
    if (!found) return;
    if (!found->applicable) GTEST_SKIP() << "not on this machine: " << found->cause;
    const Outcome& outcome = trial_of(group_of(GetParam().kind), phase).of(GetParam());
    EXPECT_GE(found->result, least) << "it is " << letter_of(found->result) << "; " << outcome.done
                                    << summary(outcome.findings);
    EXPECT_THAT(found->faults, testing::IsEmpty()) << outcome.done << summary(outcome.findings);
  }
};

TEST_P(AWay, IsStoppedOrToldWhereTheScopeForbidsIt) {
  expect_stopped(Phase::denied, wanted_of(GetParam()));
}

TEST_P(AWay, IsStoppedOrToldWhereTheScopeKills) {
  // Denied and killed is what a kill comes to where it can be denied.
  expect_stopped(Phase::killed, std::min(wanted_of(GetParam()), Result::killed));
}

TEST_P(AWay, WorksAndIsNoFindingWhereTheScopeAllowsIt) {
  if (GetParam().never_allowed) {
    write_result(GetParam(), Phase::allowed, {.applicable = true, .cause = "no scope names it"});
    GTEST_SKIP() << "no scope can name it";
  }
  const std::optional<Verdict> found = verdict(Phase::allowed);
  if (!found) return;
  if (!found->applicable) GTEST_SKIP() << "not on this machine: " << found->cause;
  const Short* const less = short_of(GetParam());
  if (less != nullptr && less->refuses_allowed) {
    GTEST_SKIP() << "refused even so: " << less->why;
  }
  EXPECT_EQ(found->result, Result::denied) << found->cause;
}

INSTANTIATE_TEST_SUITE_P(Each, AWay, testing::ValuesIn(cases().begin(), cases().end()),
                         [](const auto& given) { return test_name(given.param); });

TEST(EveryWay, ThatIsLessThanTheBestSomewhereHasASentence) {
  std::set<std::string> names;
  for (const Case& way : cases()) {
    EXPECT_TRUE(names.insert(test_name(way)).second) << test_name(way) << " is there twice";
    for (const Short& less : way.shorts) {
      EXPECT_TRUE(less.gives < way.best || less.refuses_allowed) << test_name(way);
      EXPECT_GT(less.why.size(), 20U) << test_name(way);
    }
  }
}

class OwnNetwork : public testing::Environment {
 public:
  void SetUp() override { enter_own_network(); }
};

[[maybe_unused]] const auto* const kOwnNetwork = testing::AddGlobalTestEnvironment(new OwnNetwork);

}  // namespace
}  // namespace ambit::probe::evasion
