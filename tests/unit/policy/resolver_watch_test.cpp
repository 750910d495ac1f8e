// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/resolver_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/policy/destinations_literal.h"

namespace ambit::policy {
namespace {

using probe::ip;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

const NameWatch::Time kStart{hours(1000)};

Resolved answer(std::vector<Address> addresses, seconds ttl) {
  return {.addresses = std::move(addresses), .ttl = ttl};
}

TEST(NameWatch, EveryNameIsDueAtOnce) {
  const NameWatch watch({"b.test", "a.test", "a.test"}, kStart);
  EXPECT_THAT(watch.due(kStart), ElementsAre("a.test", "b.test"));
  EXPECT_EQ(watch.next(), kStart);
  EXPECT_THAT(watch.addresses(), IsEmpty());
}

TEST(NameWatch, WithoutNamesThereIsNeverAnythingToDo) {
  EXPECT_FALSE(NameWatch({}, kStart).next().has_value());
}

TEST(NameWatch, LooksUpAgainAtFourFifthsOfTheLife) {
  NameWatch watch({"a.test"}, kStart);
  EXPECT_TRUE(watch.answered("a.test", answer({ip("192.0.2.1")}, seconds(100)), kStart));
  EXPECT_EQ(watch.next(), kStart + seconds(80));
  EXPECT_THAT(watch.due(kStart + seconds(79)), IsEmpty());
  EXPECT_THAT(watch.due(kStart + seconds(80)), ElementsAre("a.test"));
}

TEST(NameWatch, HoldsForEverWhatTheHostsFileSaid) {
  NameWatch watch({"a.test"}, kStart);
  EXPECT_TRUE(watch.answered(
      "a.test", {.addresses = {ip("192.0.2.1")}, .ttl = seconds(0), .from_file = true}, kStart));
  EXPECT_THAT(watch.due(kStart + hours(24 * 365)), IsEmpty());
}

TEST(NameWatch, NeverLooksUpMoreOftenThanEachSecondNorLessThanEachHour) {
  NameWatch watch({"a.test"}, kStart);
  EXPECT_TRUE(watch.answered("a.test", answer({ip("192.0.2.1")}, seconds(0)), kStart));
  EXPECT_EQ(watch.next(), kStart + seconds(1));
  EXPECT_FALSE(watch.answered("a.test", answer({ip("192.0.2.1")}, hours(48)), kStart));
  EXPECT_EQ(watch.next(), kStart + minutes(48));
  EXPECT_FALSE(watch.answered("a.test", answer({ip("192.0.2.1")}, seconds::max()), kStart));
  EXPECT_EQ(watch.next(), kStart + minutes(48));
}

TEST(NameWatch, FailuresAreTriedAgainLessAndLessOften) {
  NameWatch watch({"a.test"}, kStart);
  auto now = kStart;
  for (const int wait : {1, 2, 4, 8, 16, 32, 60, 60}) {
    watch.failed("a.test", now);
    EXPECT_EQ(watch.next(), now + seconds(wait));
    now = watch.next().value_or(now);
  }
  EXPECT_TRUE(watch.answered("a.test", answer({ip("192.0.2.1")}, seconds(10)), now));
  watch.failed("a.test", now);
  EXPECT_EQ(watch.next(), now + seconds(1));
}

TEST(NameWatch, AFailureKeepsTheLastAnswer) {
  NameWatch watch({"a.test"}, kStart);
  EXPECT_TRUE(watch.answered("a.test", answer({ip("192.0.2.1")}, seconds(10)), kStart));
  watch.failed("a.test", kStart + seconds(8));
  EXPECT_FALSE(watch.expire(kStart + hours(5)));
  EXPECT_THAT(watch.addresses().at("a.test"), ElementsAre(ip("192.0.2.1")));
}

TEST(NameWatch, AnAddressThatWasRotatedOutStaysForItsLifeAndAMinute) {
  NameWatch watch({"a.test"}, kStart);
  EXPECT_TRUE(watch.answered("a.test", answer({ip("192.0.2.1")}, seconds(1000)), kStart));
  const auto rotated = kStart + seconds(800);
  EXPECT_TRUE(watch.answered("a.test", answer({ip("192.0.2.2")}, seconds(3000)), rotated));
  EXPECT_THAT(watch.addresses().at("a.test"), ElementsAre(ip("192.0.2.1"), ip("192.0.2.2")));
  const auto gone = rotated + seconds(1060);
  EXPECT_EQ(watch.next(), gone);
  EXPECT_FALSE(watch.expire(gone - milliseconds(1)));
  EXPECT_TRUE(watch.expire(gone));
  EXPECT_THAT(watch.addresses().at("a.test"), ElementsAre(ip("192.0.2.2")));
}

TEST(NameWatch, AnAddressThatComesBackStays) {
  NameWatch watch({"a.test"}, kStart);
  EXPECT_TRUE(watch.answered("a.test", answer({ip("192.0.2.1")}, seconds(10)), kStart));
  EXPECT_TRUE(watch.answered("a.test", answer({ip("192.0.2.2")}, seconds(10)), kStart));
  EXPECT_FALSE(watch.answered("a.test", answer({ip("192.0.2.1")}, seconds(10)), kStart));
  EXPECT_TRUE(watch.expire(kStart + hours(1)));
  EXPECT_THAT(watch.addresses().at("a.test"), ElementsAre(ip("192.0.2.1")));
}

TEST(NameWatch, AServerThatRotatesForEverFillsNoMemory) {
  NameWatch watch({"a.test"}, kStart);
  for (unsigned i = 0; i < 1100; ++i) {
    const auto address =
        from_ipv4({10, 0, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)});
    EXPECT_TRUE(watch.answered("a.test", answer({address}, hours(1)), kStart + seconds(i)));
  }
  EXPECT_EQ(watch.addresses().at("a.test").size(), 1025U);
  EXPECT_THAT(watch.addresses().at("a.test"), testing::Contains(ip("10.0.4.75")));
  EXPECT_THAT(watch.addresses().at("a.test"), testing::Not(testing::Contains(ip("10.0.0.0"))));
}

TEST(NameWatch, NamesThatAreNotWatchedAreIgnored) {
  NameWatch watch({"a.test"}, kStart);
  EXPECT_FALSE(watch.answered("b.test", answer({ip("192.0.2.1")}, seconds(10)), kStart));
  watch.failed("b.test", kStart);
  EXPECT_THAT(watch.addresses(), IsEmpty());
}

}  // namespace
}  // namespace ambit::policy
