// SPDX-License-Identifier: Apache-2.0
// What a person is told of a stream's way.
#include "userspace/cli/events_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ambit::cli {
namespace {

using testing::HasSubstr;

TEST(EventsText, SaysWhatIsGoneAndHowToGoOn) {
  StreamPlace place;
  EXPECT_EQ(stream_text(R"({"stream":"begin","run":"01J0","from":7,"lost":0,"next":9})", place),
            "");
  EXPECT_THAT(stream_text(R"({"stream":"begin","run":"01J0","from":7,"lost":6,"next":9})", place),
              HasSubstr("6 events"));
  EXPECT_EQ(go_on_text(place), " --from 7 --run 01J0");
  EXPECT_THAT(stream_text(R"({"stream":"end","reason":"slow","next":8,"lost":2})", place),
              testing::AllOf(HasSubstr("from event 8 on"), HasSubstr("and 2 of these"),
                             HasSubstr("--from 8 --run 01J0")));
  EXPECT_TRUE(place.ended);
  EXPECT_TRUE(place.slow);
}

TEST(EventsText, EndsWithoutAWordWhenAllIsThere) {
  StreamPlace place;
  EXPECT_EQ(stream_text(R"({"stream":"end","reason":"complete","next":8,"lost":0})", place), "");
  EXPECT_TRUE(place.ended);
  EXPECT_FALSE(place.slow);
}

TEST(EventsText, TellsTheStreamsOwnLinesFromEventsAndTakesAnyOfThem) {
  EXPECT_TRUE(is_stream_line(R"({"stream":"end"})"));
  EXPECT_FALSE(is_stream_line(R"({"v":1,"details":{"stream":"end"}})"));
  EXPECT_EQ(seq_of(R"({"v":1,"id":"01J","seq":42,"time":"x"})"), 42U);
  EXPECT_EQ(seq_of("{}"), 0U);
  StreamPlace place;
  for (const char* const line :
       {"", "{\"stream\":", "[]", "{\"stream\":7}", R"({"stream":"begin","from":"x","lost":-1})"})
    static_cast<void>(stream_text(line, place));
}

}  // namespace
}  // namespace ambit::cli
