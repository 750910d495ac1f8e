// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/ulid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace {

using ambit::UlidSource;

bool zeros(std::span<std::uint8_t> out) {
  std::ranges::fill(out, std::uint8_t{0});
  return true;
}

bool ones(std::span<std::uint8_t> out) {
  std::ranges::fill(out, std::uint8_t{0xff});
  return true;
}

TEST(Ulid, IsTimeThenRandomnessInCrockfordsAlphabet) {
  auto source = UlidSource::create(zeros);
  ASSERT_TRUE(source);
  // 1469918176385 ms is the example of the ULID specification.
  EXPECT_EQ(source->next(1469918176385'000'000), "01ARYZ6S410000000000000000");
}

TEST(Ulid, CountsUpWithinOneMillisecond) {
  auto source = UlidSource::create(zeros);
  ASSERT_TRUE(source);
  (void)source->next(1469918176385'000'000);
  EXPECT_EQ(source->next(1469918176385'999'999), "01ARYZ6S410000000000000001");
}

TEST(Ulid, HasRoomToCountUpFromTheHighestRandomness) {
  auto source = UlidSource::create(ones);
  ASSERT_TRUE(source);
  EXPECT_EQ(source->next(1'000'000), "0000000001FZZZZZZZZZZZZZZZ");
  EXPECT_EQ(source->next(1'000'000), "0000000001G000000000000000");
}

TEST(Ulid, SortsInOrderWhenTheClockIsSetBack) {
  auto source = UlidSource::create();
  ASSERT_TRUE(source);
  const std::string before = source->next(2'000'000'000'000'000'000);
  EXPECT_LT(before, source->next(1'000'000'000'000'000'000));
  EXPECT_LT(before, source->next(-5));
}

TEST(Ulid, StaysUniqueWhenRandomnessFailsLater) {
  bool works = true;
  auto source =
      UlidSource::create([&works](std::span<std::uint8_t> out) { return works && zeros(out); });
  ASSERT_TRUE(source);
  works = false;
  std::set<std::string> seen;
  for (std::int64_t i = 0; i < 1000; ++i) {
    seen.insert(source->next(i * 300'000));
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(Ulid, IsRefusedWithAReasonWhenThereIsNoRandomnessAtAll) {
  const auto source = UlidSource::create([](std::span<std::uint8_t>) { return false; });
  ASSERT_FALSE(source);
  EXPECT_NE(source.error().message.find("random"), std::string::npos);
}

}  // namespace
