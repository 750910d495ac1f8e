// SPDX-License-Identifier: Apache-2.0
#include "userspace/model/make_event.h"

#include <gtest/gtest.h>

namespace {

using namespace ambit::model;

constexpr Moment kNow{.boot_ns = 7, .wall_ns = 9};

std::shared_ptr<const Task> some_task() {
  auto task = std::make_shared<Task>();
  task->slot = 5;
  task->name = "triage";
  return task;
}

TEST(MakeEvent, CarriesTheMomentOnBothClocks) {
  const Event event = make_start(kNow, {{"version", "0.1.0"}});
  EXPECT_EQ(event.kind, Kind::start);
  EXPECT_EQ(event.boot_ns, 7U);
  EXPECT_EQ(event.time_ns, 9);
  EXPECT_EQ(event.details.at("version"), "0.1.0");
  EXPECT_FALSE(event.finding);
}

TEST(MakeEvent, GivesTaskEventsTheirTaskAndItsSlot) {
  for (const Event& event :
       {make_task_open(kNow, some_task(), {}), make_task_close(kNow, some_task(), {}),
        make_task_expire(kNow, some_task())}) {
    ASSERT_TRUE(event.task);
    EXPECT_EQ(event.slot, 5U);
  }
}

TEST(MakeEvent, MakesALossWithItsCount) {
  const Event event = make_loss(
      kNow, {.ring = Ring::findings, .cause = LossCause::ring_full, .count = 812, .since_ns = 3});
  EXPECT_EQ(event.kind, Kind::loss);
  EXPECT_EQ(event.severity, Severity::medium);
  EXPECT_EQ(event.loss->count, 812U);
}

TEST(MakeEvent, SaysWhichVariablesHoldSecretsAndThatOnlyAnAlertWasAskedFor) {
  const Event event =
      make_secret_in_environment(kNow, {.task = some_task(),
                                        .process = {},
                                        .mode = Mode::enforce,
                                        .credentials = {"aws"},
                                        .variables = {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"},
                                        .stripped = true});
  EXPECT_TRUE(event.finding);
  EXPECT_EQ(event.verdict->reason, Reason::secret_in_environment);
  EXPECT_EQ(event.verdict->requested, Response::alert);
  EXPECT_EQ(event.verdict->effective, Effect::alerted);
  EXPECT_EQ(event.details.at("variables"), "AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN");
  EXPECT_EQ(event.details.at("stripped"), "true");
}

TEST(MakeEvent, TellsAClosedDescriptorFromOneThatWasOnlyReported) {
  DescriptorFinding found{.task = some_task(),
                          .process = {},
                          .mode = Mode::shadow,
                          .requested = Response::kill,
                          .closed = false,
                          .descriptor = 7,
                          .file = File{},
                          .destination = {},
                          .credentials = {"aws"}};
  EXPECT_EQ(make_descriptor_from_before(kNow, found).verdict->effective, Effect::alerted);
  found.closed = true;
  const Event closed = make_descriptor_from_before(kNow, found);
  EXPECT_EQ(closed.verdict->effective, Effect::denied);
  EXPECT_EQ(closed.kind, Kind::file_open);
  EXPECT_EQ(closed.details.at("descriptor"), "7");
  found.destination = Destination{};
  EXPECT_EQ(make_descriptor_from_before(kNow, found).kind, Kind::connect);
}

}  // namespace
