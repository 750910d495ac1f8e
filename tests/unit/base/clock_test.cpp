// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/clock.h"

#include <gtest/gtest.h>

namespace {

class FakeClock final : public ambit::Clock {
 public:
  [[nodiscard]] std::int64_t wall_ns() const override { return wall; }
  [[nodiscard]] std::uint64_t boot_ns() const override { return boot; }
  std::int64_t wall = 0;
  std::uint64_t boot = 0;
};

TEST(WallTime, AddsTheOffsetBetweenTheTwoClocks) {
  FakeClock clock;
  clock.boot = 5'000'000'000;
  clock.wall = 1'700'000'005'000'000'000;
  ambit::WallTime wall(clock);
  EXPECT_EQ(wall.of_boot(1), 1'700'000'000'000'000'001);
}

TEST(WallTime, KeepsTheOrderOfEventsWhenReadingsJitter) {
  FakeClock clock;
  clock.wall = 1'000'000'000'000;
  ambit::WallTime wall(clock);
  const std::int64_t first = wall.of_boot(100);
  clock.wall -= 900'000;
  EXPECT_EQ(wall.of_boot(101), first + 1);
}

TEST(WallTime, FollowsAClockThatIsSet) {
  FakeClock clock;
  clock.wall = 1'000'000'000'000;
  ambit::WallTime wall(clock);
  clock.wall -= 3'600'000'000'000;
  EXPECT_EQ(wall.of_boot(7), clock.wall + 7);
}

TEST(SystemClock, RunsForwardOnBothClocks) {
  const ambit::SystemClock clock;
  const std::uint64_t boot = clock.boot_ns();
  EXPECT_GT(boot, 0U);
  EXPECT_GE(clock.boot_ns(), boot);
  EXPECT_GT(clock.wall_ns(), 1'600'000'000'000'000'000);
}

TEST(StartTick, IsTheSameForTheKernelsTimeAndWhatProcRoundsItTo) {
  EXPECT_EQ(ambit::start_tick(1'234'567'891), ambit::start_tick(1'230'000'000));
  EXPECT_NE(ambit::start_tick(1'234'567'891), ambit::start_tick(1'240'000'000));
}

}  // namespace
