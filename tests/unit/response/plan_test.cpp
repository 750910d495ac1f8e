// SPDX-License-Identifier: Apache-2.0
#include "userspace/response/plan.h"

#include <gtest/gtest.h>

namespace {

using namespace ambit::response;
using namespace ambit::model;

class FakeSignaller final : public Signaller {
 public:
  ambit::Result<std::size_t> kill_task(std::uint32_t slot) override {
    killed.push_back(slot);
    return answer;
  }
  std::vector<std::uint32_t> killed;
  ambit::Result<std::size_t> answer = 4;
};

Event finding(Response requested, Mode mode = Mode::enforce) {
  auto task = std::make_shared<Task>();
  task->slot = 7;
  task->id = "01A";
  Event event;
  event.task = task;
  event.slot = 7;
  event.finding = true;
  event.verdict = Verdict{};
  event.verdict->requested = requested;
  event.verdict->mode = mode;
  event.verdict->effective = mode == Mode::shadow ? Effect::alerted : Effect::killed;
  return event;
}

TEST(Plan, LeavesToTheKernelWhatTheKernelDoes) {
  for (const Response response :
       {Response::none, Response::alert, Response::deny, Response::kill}) {
    EXPECT_TRUE(plan(finding(response)).empty()) << name_of(response);
  }
}

TEST(Plan, EndsTheTaskWhereThatIsAskedFor) {
  const auto actions = plan(finding(Response::kill_task));
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(actions[0].slot, 7U);
  EXPECT_EQ(actions[0].task_id, "01A");
  EXPECT_FALSE(actions[0].dry_run);
}

TEST(Plan, DoesNothingAboutWhatIsNoFindingOrHasNoTask) {
  Event event = finding(Response::kill_task);
  event.finding = false;
  EXPECT_TRUE(plan(event).empty());
  event = finding(Response::kill_task);
  event.task.reset();
  EXPECT_TRUE(plan(event).empty());
  event = finding(Response::kill_task);
  event.verdict.reset();
  EXPECT_TRUE(plan(event).empty());
}

TEST(Respond, SaysThatTheTaskWasKilledWhenItWas) {
  Event event = finding(Response::kill_task);
  FakeSignaller signaller;
  ASSERT_TRUE(respond(event, signaller));
  EXPECT_EQ(signaller.killed, std::vector<std::uint32_t>{7});
  EXPECT_EQ(event.verdict->effective, Effect::task_killed);
  EXPECT_EQ(event.details.at("killed_processes"), "4");
}

TEST(Respond, KillsNothingInShadow) {
  Event event = finding(Response::kill_task, Mode::shadow);
  FakeSignaller signaller;
  ASSERT_TRUE(respond(event, signaller));
  EXPECT_TRUE(signaller.killed.empty());
  EXPECT_EQ(event.verdict->effective, Effect::alerted);
  EXPECT_EQ(event.details.at("would_kill_task"), "01A");
}

TEST(Respond, NeverClaimsAKillThatFailed) {
  Event event = finding(Response::kill_task);
  FakeSignaller signaller;
  signaller.answer = ambit::fail("no such map");
  event.verdict->effective = Effect::task_killed;
  EXPECT_FALSE(respond(event, signaller));
  EXPECT_EQ(event.verdict->effective, Effect::killed);
  EXPECT_EQ(event.details.at("kill_task_failed"), "no such map");
}

}  // namespace
