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

// EVASION P6. The member has ended and its task lives on; an outsider has the member's number.
TEST_F(Membership, DoesNotPassToAnOutsiderWithTheNumberOfAMemberThatHasEnded) {
  const std::string number_file = scratch_.path("number");
  const std::string ready = scratch_.path("ready");
  const std::string go = scratch_.path("go");
  const std::string plan = scratch_.write(
      "plan.json", Json::array({{{"name", "member"}, {"argv", {"handshake", ready, number_file}}},
                                {{"name", "stay"}, {"argv", {"wait-for", go}}}})
                       .dump());
  Live live(scratch_, {.catalogue = {aws_}, .command = act({"each", plan})});
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(ready); }, 20s));
  const std::string number = content_of(ready);
  scratch_.write("number", "");
  ASSERT_TRUE(eventually([&] { return !std::filesystem::exists("/proc/" + number); }));

  const Ended outsider = run({.argv = act({"in-pid", number, "open", secret_})});
  scratch_.write("go", "");
  const TaskRun run = live.finish();
  if (outsider.exit == 12) GTEST_SKIP() << "this kernel gives no process a number of choice";
  EXPECT_EQ(outsider.exit, 0) << outsider.err;
  EXPECT_EQ(outsider.out, content_of(secret_));
  EXPECT_EQ(run.events.findings().size(), 0U) << summary(run.events.findings());
}

TEST_F(Membership, HoldsFromTheFirstInstructionOfTheCommand) {
  // The command's first act is the open; twenty starts, each a chance to be early.
  const int starts = 5;
  for (int i = 0; i < starts; ++i) {
    const TaskRun run =
        run_ambit(scratch_, {.catalogue = {aws_}, .command = act({"open", secret_})});
    EXPECT_EQ(run.ended.out, "");
    EXPECT_EQ(run.ended.exit, 10) << run.ended.err;
  }
}

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

}  // namespace
}  // namespace ambit::probe
