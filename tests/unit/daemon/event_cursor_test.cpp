// SPDX-License-Identifier: Apache-2.0
// What a reader gets, and is told of what it does not get.
#include "userspace/daemon/event_cursor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/daemon/event_probe.h"

namespace ambit::daemon {
namespace {

using probe::event_of;
using probe::fill;
using probe::line_of;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::size_t kAll = std::size_t{1} << 20U;

std::string lines(std::uint64_t from, std::uint64_t to, std::size_t size = 0) {
  std::string out;
  for (std::uint64_t seq = from; seq < to; ++seq) out += line_of(seq, size) + "\n";
  return out;
}

TEST(EventCursor, GivesWhatIsThereAndEnds) {
  EventRing ring;
  fill(ring, 1, 4);
  EventCursor cursor(ring, {});
  EXPECT_EQ(cursor.begin_line("01J-1"),
            R"({"stream":"begin","run":"01J-1","from":1,"lost":0,"next":4})"
            "\n");
  fill(ring, 4, 6);
  EXPECT_EQ(cursor.next_lines(kAll, false),
            lines(1, 4) + R"({"stream":"end","reason":"complete","next":4,"lost":0})" + "\n");
  EXPECT_TRUE(cursor.is_over());
  EXPECT_FALSE(cursor.was_slow());
}

TEST(EventCursor, FollowsFromTheNumberThatIsAskedForUntilNothingMoreComes) {
  EventRing ring;
  fill(ring, 1, 4);
  EventCursor cursor(ring, {.from = 3, .follow = true});
  EXPECT_EQ(cursor.next_lines(kAll, false), lines(3, 4));
  EXPECT_THAT(cursor.next_lines(kAll, false), IsEmpty());
  fill(ring, 4, 6);
  EXPECT_EQ(cursor.next_lines(kAll, false), lines(4, 6));
  fill(ring, 6, 7);
  EXPECT_EQ(cursor.next_lines(kAll, true),
            lines(6, 7) + R"({"stream":"end","reason":"stopped","next":7,"lost":0})" + "\n");
  EXPECT_TRUE(cursor.is_over());
  EXPECT_THAT(cursor.next_lines(kAll, true), IsEmpty());
}

TEST(EventCursor, BeginsWithTheNextEventWhereThatIsAskedFor) {
  EventRing ring;
  fill(ring, 1, 4);
  EventCursor cursor(ring, {.from_next = true, .follow = true});
  EXPECT_THAT(cursor.begin_line("r"), HasSubstr(R"("from":4,"lost":0)"));
  EXPECT_THAT(cursor.next_lines(kAll, false), IsEmpty());
  fill(ring, 4, 5);
  EXPECT_EQ(cursor.next_lines(kAll, false), lines(4, 5));
}

TEST(EventCursor, SaysHowManyOfThoseAskedForAreGone) {
  EventRing ring(1000);
  fill(ring, 1, 21, 200);
  ASSERT_GT(ring.first(), 10U);
  const std::string gone = std::to_string(ring.first() - 5);
  const std::string first = std::to_string(ring.first());
  EventCursor asked(ring, {.from = 5});
  EXPECT_THAT(asked.begin_line("r"), HasSubstr("\"from\":" + first + ",\"lost\":" + gone + ","));
  EXPECT_THAT(asked.next_lines(kAll, false), StartsWith(lines(ring.first(), 21, 200)));
  EventCursor all(ring, {});
  EXPECT_THAT(all.begin_line("r"), HasSubstr("\"from\":" + first + ",\"lost\":0,"));
}

TEST(EventCursor, TellsAReaderThatIsOvertakenWhereItWasAndWhatIsGone) {
  EventRing ring(1000);
  fill(ring, 1, 3, 200);
  EventCursor cursor(ring, {.from = 1, .follow = true});
  EXPECT_EQ(cursor.next_lines(1, false), lines(1, 2, 200)) << "a batch ends with a whole line";
  fill(ring, 3, 30, 200);
  ASSERT_GT(ring.first(), 2U);
  EXPECT_EQ(cursor.next_lines(kAll, false), R"({"stream":"end","reason":"slow","next":2,"lost":)" +
                                                std::to_string(ring.first() - 2) + "}\n");
  EXPECT_TRUE(cursor.is_over());
  EXPECT_TRUE(cursor.was_slow());
  EventCursor again(ring, {.from = 2, .follow = true});
  EXPECT_THAT(again.begin_line("r"),
              HasSubstr("\"lost\":" + std::to_string(ring.first() - 2) + ","));
}

TEST(EventCursor, LeavesOutWhatTheFilterDoesAndCountsItAsPassed) {
  EventRing ring;
  for (std::uint64_t seq = 1; seq < 9; ++seq)
    ring.append(event_of(seq, seq % 4 == 0 ? "mine" : "other"), line_of(seq));
  EventQuery query;
  query.filter.task = "mine";
  EventCursor cursor(ring, query);
  EXPECT_EQ(cursor.next_lines(kAll, false),
            line_of(4) + "\n" + line_of(8) + "\n" +
                R"({"stream":"end","reason":"complete","next":9,"lost":0})" + "\n");
}

}  // namespace
}  // namespace ambit::daemon
