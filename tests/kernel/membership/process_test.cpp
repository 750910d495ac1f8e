// SPDX-License-Identifier: Apache-2.0
// Who is in a task and who is not, where numbers and names mislead.
#include <filesystem>

#include "tests/kernel/fixture/ways.h"

namespace ambit::probe {
namespace {

class Membership : public testing::Test {
 protected:
  Scratch scratch_;
  std::string secret_ = scratch_.secret("home/secret");
  CredentialText aws_{.name = "aws", .files = {secret_}};
};

TEST_F(Membership, EndsWithTheRun) {
  const TaskRun run = run_ambit(scratch_, {.catalogue = {aws_}, .command = act({"open", secret_})});
  EXPECT_EQ(run.ended.exit, 10) << run.ended.err;
  const Ended after = probe::run({.argv = act({"open", secret_})});
  EXPECT_EQ(after.out, content_of(secret_));
}

TEST_F(Membership, HoldsForManyThreadsAtOnce) {
  std::vector<Item> items;
  Words many;
  for (int i = 0; i < 16; ++i) many.emplace_back("in-thread");
  many.insert(many.end(), {"open", secret_});
  for (int i = 0; i < 8; ++i) items.push_back({.name = std::to_string(i), .argv = many});
  const PlanRun plan = run_plan(scratch_, {.catalogue = {aws_}}, items);
  for (const Item& item : items) EXPECT_TRUE(plan.of(item.name).refused()) << plan.of(item.name);
  EXPECT_EQ(plan.run.events.findings().size(), items.size());
}

// EVASION E6: what a process calls itself is not who it is.
TEST_F(Membership, OfAProcessThatTookAnotherNameIsToldByItsRealFile) {
  const std::string link = scratch_.path("innocent");
  const PlanRun plan = run_plan(scratch_, {.catalogue = {aws_}},
                                {{.name = "it", .argv = {"named", "sshd", "open", secret_}}});
  ASSERT_EQ(plan.run.events.findings().size(), 1U);
  if (at(plan.run.events.findings().front(), "/process/exe").is_null())
    GTEST_SKIP() << "the process ended before user space looked: its program is null (README)";
  EXPECT_EQ(text_at(plan.run.events.findings().front(), "/process/exe"), acts());
}

TEST_F(Membership, TellsTheParentsOfTheProcess) {
  const PlanRun plan =
      run_plan(scratch_, {.catalogue = {aws_}},
               {{.name = "it", .argv = {"in-child", "by-vfork", "open", secret_}}});
  ASSERT_EQ(plan.run.events.findings().size(), 1U);
  const Json parents = at(plan.run.events.findings().front(), "/process/parents");
  if (parents.empty())
    GTEST_SKIP()
        << "the process ended before user space looked: its parents are not known (README)";
  ASSERT_GE(parents.size(), 2U) << parents.dump();
  EXPECT_EQ(text_at(parents.at(0), "/exe"), acts()) << parents.dump();
}

}  // namespace
}  // namespace ambit::probe
