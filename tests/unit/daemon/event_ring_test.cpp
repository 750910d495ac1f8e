// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/event_ring.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/daemon/event_probe.h"

namespace ambit::daemon {
namespace {

using probe::event_of;
using probe::fill;
using probe::line_of;

TEST(EventRing, KeepsTheLatestEventsWithWhatAFilterAsksAbout) {
  EventRing ring;
  EXPECT_EQ(ring.first(), ring.next());
  ring.append(event_of(1, "triage"), "{one}");
  ring.append(event_of(2), "{two}");
  EXPECT_EQ(ring.first(), 1U);
  EXPECT_EQ(ring.next(), 3U);
  EXPECT_EQ(ring.at(1).line, "{one}\n");
  EXPECT_EQ(ring.at(1).task_id, "id-triage");
  EXPECT_EQ(ring.at(1).task_name, "triage");
  EXPECT_EQ(ring.at(1).agent, "spiffe://probe/triage");
  EXPECT_EQ(ring.at(2).line, "{two}\n");
  EXPECT_EQ(ring.at(2).task_name, "");
}

TEST(EventRing, HoldsWhatItHoldsWholeWhateverTheSizesOfLines) {
  constexpr std::size_t kBytes = 10'000;
  EventRing ring(kBytes);
  std::mt19937 random(7);
  std::vector<std::size_t> sizes(1);
  for (std::uint64_t seq = 1; seq < 5000; ++seq) {
    sizes.push_back(random() % 900);
    ring.append(event_of(seq, seq % 3 == 0 ? "t" : ""), line_of(seq, sizes.back()));
    ASSERT_LT(ring.first(), ring.next());
    std::size_t held = 0;
    for (std::uint64_t one = ring.first(); one < ring.next(); ++one) {
      ASSERT_EQ(ring.at(one).line, line_of(one, sizes[one]) + "\n");
      held += ring.at(one).line.size();
    }
    ASSERT_LE(held, kBytes);
  }
  EXPECT_GT(ring.next() - ring.first(), 10U) << "it is used";
}

TEST(EventRing, IsBoundedInTheNumberOfEventsToo) {
  EventRing ring(12'800);
  fill(ring, 1, 1000);
  EXPECT_LE(ring.next() - ring.first(), 100U);
}

TEST(EventRing, GivesNothingForAnEventThatDoesNotFitAndGoesOn) {
  EventRing ring(1000);
  fill(ring, 1, 3);
  ring.append(event_of(3), std::string(2000, 'x'));
  EXPECT_EQ(ring.first(), 4U);
  EXPECT_EQ(ring.next(), 4U);
  fill(ring, 4, 6);
  EXPECT_EQ(ring.first(), 4U);
  EXPECT_EQ(ring.at(5).line, line_of(5) + "\n");
}

TEST(EventRing, BeginsAnewWhereANumberDoesNotFollow) {
  EventRing ring;
  fill(ring, 1, 3);
  fill(ring, 100, 102);
  EXPECT_EQ(ring.first(), 100U);
  EXPECT_EQ(ring.next(), 102U);
}

}  // namespace
}  // namespace ambit::daemon
