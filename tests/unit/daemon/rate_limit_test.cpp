// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/rate_limit.h"

#include <gtest/gtest.h>

namespace ambit::daemon {
namespace {

using namespace std::chrono_literals;

class ARateLimit : public testing::Test {
 protected:
  int taken(uid_t user, pid_t process, int tries) {
    int count = 0;
    for (int i = 0; i < tries; ++i) count += limit_.take(user, process, now_) ? 1 : 0;
    return count;
  }
  TokenBucket::Time now_{1h};
  RateLimit limit_{{.per_second = 10, .burst = 20}, {.per_second = 30, .burst = 50}};
};

TEST_F(ARateLimit, GivesABurstAndThenSoManyASecond) {
  EXPECT_EQ(taken(0, 7, 100), 20);
  now_ += 500ms;
  EXPECT_EQ(taken(0, 7, 100), 5);
  now_ += 1h;
  EXPECT_EQ(taken(0, 7, 100), 20) << "a rest gives a burst, not more";
}

TEST_F(ARateLimit, KeepsOneProcessFromUsingUpWhatItsUserHas) {
  EXPECT_EQ(taken(0, 7, 10'000), 20);
  EXPECT_EQ(taken(0, 8, 20), 20) << "the other's tries have cost the user nothing";
  EXPECT_EQ(taken(0, 9, 20), 10) << "all together have the user's";
  EXPECT_EQ(taken(1, 10, 20), 20) << "another user";
}

TEST_F(ARateLimit, RemembersABoundedNumberAndLetsTheUsersBucketDecideForTheRest) {
  RateLimit wide({.per_second = 1, .burst = 2}, {.per_second = 1e6, .burst = 1e6});
  for (pid_t process = 1; process <= 2000; ++process)
    EXPECT_TRUE(wide.take(0, process, now_)) << process;
  EXPECT_TRUE(wide.take(0, 1, now_));
  EXPECT_FALSE(wide.take(0, 1, now_)) << "it has had its two";
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(wide.take(0, 1999, now_)) << "it has no bucket";
  now_ += 1min;
  EXPECT_TRUE(wide.take(0, 5000, now_));
  EXPECT_TRUE(wide.take(0, 5000, now_));
  EXPECT_FALSE(wide.take(0, 5000, now_)) << "there is room again";
}

}  // namespace
}  // namespace ambit::daemon
