// SPDX-License-Identifier: Apache-2.0
// The stream over a socket: whatever its readers do, the loop goes on and the memory stays.
#include "userspace/daemon/event_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <thread>

#include "tests/unit/daemon/event_probe.h"
#include "userspace/base/descriptor.h"

namespace ambit::daemon {
namespace {

using probe::event_of;
using probe::line_of;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

class AFeed : public testing::Test {
 protected:
  void fill(std::uint64_t from, std::uint64_t to, std::size_t size = 0) {
    for (std::uint64_t seq = from; seq < to; ++seq) feed_.append(event_of(seq), line_of(seq, size));
  }
  /// The reader's end.
  Descriptor begin(EventQuery query) { return begin(feed_, std::move(query)); }
  Descriptor begin(EventFeed& feed, EventQuery query) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    EventFeed::Socket socket(io_);
    socket.assign(boost::asio::local::stream_protocol(), ends[1]);
    feed.begin(std::move(socket), std::move(query));
    return Descriptor(ends[0]);
  }
  void turn() {
    io_.restart();
    io_.poll();
  }
  /// What has come by now.
  static std::string receive(const Descriptor& reader) {
    std::string all;
    std::array<char, 65536> block{};
    for (;;) {
      const ssize_t size = ::recv(reader.get(), block.data(), block.size(), MSG_DONTWAIT);
      if (size <= 0) return all + (size == 0 ? "<end>" : "");
      all.append(block.data(), static_cast<std::size_t>(size));
    }
  }

  boost::asio::io_context io_{1};
  EventFeed feed_{
      io_, std::make_shared<ApiCounts>(), {.ring_bytes = 1'000'000, .readers = 2, .stall = 10min}};
};

TEST_F(AFeed, AnswersInChunksAndEndsThem) {
  fill(1, 3);
  const Descriptor reader = begin({});
  turn();
  const std::string all = receive(reader);
  EXPECT_THAT(all, HasSubstr("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(all, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(all, HasSubstr(R"("run":"01J-1","from":1,"lost":0,"next":3})"));
  EXPECT_THAT(all, HasSubstr(line_of(2) + "\n"));
  EXPECT_THAT(all, EndsWith("\r\n0\r\n\r\n<end>"));
  EXPECT_TRUE(feed_.is_idle());
}

TEST_F(AFeed, GivesEventsAsTheyComeAndLetsAReaderThatLeavesGo) {
  fill(1, 2);
  Descriptor reader = begin({.from_next = true, .follow = true});
  turn();
  static_cast<void>(receive(reader));
  fill(2, 4);
  turn();
  EXPECT_THAT(receive(reader), HasSubstr(line_of(2) + "\n" + line_of(3) + "\n"));
  EXPECT_EQ(feed_.counts()->readers, 1U);
  reader.reset();
  turn();
  EXPECT_TRUE(feed_.is_idle());
}

TEST_F(AFeed, GivesTheLastEventsAndALastLineWhenItStops) {
  fill(1, 2);
  const Descriptor reader = begin({.follow = true});
  fill(2, 3);
  feed_.stop();
  const std::string all = receive(reader);
  EXPECT_THAT(all, HasSubstr(line_of(2)));
  EXPECT_THAT(all, HasSubstr(R"({"stream":"end","reason":"stopped","next":3,"lost":0})"));
}

TEST_F(AFeed, TellsASlowReaderAndGoesOnWithTheOthers) {
  fill(1, 2);
  const Descriptor slow = begin({.follow = true});
  const Descriptor quick = begin({.follow = true});
  std::string quick_has;
  for (std::uint64_t seq = 2; seq < 10'000; ++seq) {
    fill(seq, seq + 1, 500);
    if (seq % 50 != 0) continue;
    turn();
    quick_has += receive(quick);
  }
  turn();
  quick_has += receive(quick);
  EXPECT_THAT(quick_has, HasSubstr(line_of(9'999, 500)));
  EXPECT_THAT(quick_has, Not(HasSubstr("\"end\"")));
  std::string slow_has;
  for (int i = 0; i < 10; ++i) {
    slow_has += receive(slow);
    turn();
  }
  EXPECT_THAT(slow_has, HasSubstr(R"({"stream":"end","reason":"slow","next":)"));
  EXPECT_THAT(slow_has, EndsWith("<end>"));
  EXPECT_LT(slow_has.size(), 1'000'000U);
  EXPECT_EQ(feed_.counts()->readers_slow, 1U);
  EXPECT_EQ(feed_.counts()->readers, 1U);
}

TEST_F(AFeed, KeepsUpWithinOneTurnOfAFloodWhereTheFilterTakesLittle) {
  fill(1, 2);
  EventQuery query{.from_next = true, .follow = true};
  query.filter.task = "mine";
  const Descriptor reader = begin(query);
  feed_.append(event_of(2, "mine"), line_of(2));
  fill(3, 20'000, 500);  // ten times what the ring holds, without a turn of the loop
  feed_.append(event_of(20'000, "mine"), line_of(20'000));
  turn();
  const std::string all = receive(reader);
  EXPECT_THAT(all, HasSubstr(line_of(2) + "\n"));
  EXPECT_THAT(all, HasSubstr(line_of(20'000) + "\n"));
  EXPECT_EQ(feed_.counts()->readers_slow, 0U);
}

TEST_F(AFeed, LetsAReaderThatReadsNothingGoAfterAWhile) {
  EventFeed feed(io_, std::make_shared<ApiCounts>(), {.stall = 100ms});
  for (std::uint64_t seq = 1; seq < 1500; ++seq) feed.append(event_of(seq), line_of(seq, 500));
  const Descriptor reader = begin(feed, {.follow = true});
  turn();
  EXPECT_EQ(feed.counts()->readers, 1U);
  std::this_thread::sleep_for(150ms);
  turn();
  EXPECT_EQ(feed.counts()->readers, 0U);
  EXPECT_EQ(feed.counts()->readers_stalled, 1U);
}

TEST_F(AFeed, RefusesMoreReadersThanItServesAndNumbersThatAreNotOfThisRun) {
  fill(1, 3);
  EXPECT_FALSE(feed_.refusal({.from = 3}));
  ASSERT_TRUE(feed_.refusal({.from = 4}));
  EXPECT_THAT(feed_.refusal({.from = 4})->body, HasSubstr("other_run"));
  EXPECT_FALSE(feed_.refusal({.from = 1, .run = "01J-1"}));
  EXPECT_EQ(feed_.refusal({.from = 1, .run = "01J-0"})->status, 409U);
  const Descriptor one = begin({.follow = true});
  const Descriptor two = begin({.follow = true});
  ASSERT_TRUE(feed_.refusal({}));
  EXPECT_EQ(feed_.refusal({})->status, 503U);
}

}  // namespace
}  // namespace ambit::daemon
