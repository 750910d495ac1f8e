// SPDX-License-Identifier: Apache-2.0
// Whose process somebody may give away.
#include "userspace/pipeline/delegated_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ambit::pipeline {
namespace {

TEST(DelegatedProcess, ReadsUsersPowersAndNumbersOfAProcess) {
  const auto status = parse_status(
      "Name:\ta b\nUmask:\t0022\nTgid:\t70\nNSpid:\t70\t9\t2\nUid:\t1000\t1001\t1002\t1003\n"
      "CapPrm:\t0000000000000000\nCapEff:\t0000000000000020\n");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->real, 1000U);
  EXPECT_EQ(status->effective, 1001U);
  EXPECT_EQ(status->saved, 1002U);
  EXPECT_TRUE(status->may_kill);
  EXPECT_THAT(status->numbers, testing::ElementsAre(70, 9, 2));
  for (const std::string text :
       {"", "Uid:\t1000\n", "Uid:\tx\nCapEff:\t0\n", "Name:\tUid: 0 0 0 0 CapEff: ff\nUid:\t1\n"})
    EXPECT_FALSE(parse_status(text)) << text;
}

TEST(DelegatedProcess, IsOnesOwnAsForASignal) {
  const ProcessStatus user{.real = 1000, .effective = 1000, .saved = 1000, .numbers = {}};
  const ProcessStatus other{.real = 1001, .effective = 1001, .saved = 1001, .numbers = {}};
  const ProcessStatus root{.numbers = {}};
  const ProcessStatus admin{.may_kill = true, .numbers = {}};
  const ProcessStatus setuid{.real = 1000, .effective = 0, .saved = 0, .numbers = {}};
  const ProcessStatus dropped{.real = 0, .effective = 1000, .saved = 0, .numbers = {}};
  EXPECT_TRUE(may_signal(user, user, true));
  EXPECT_FALSE(may_signal(user, other, true));
  EXPECT_FALSE(may_signal(user, root, true));
  EXPECT_FALSE(may_signal(root, user, true)) << "without the power";
  EXPECT_TRUE(may_signal(admin, user, true));
  EXPECT_FALSE(may_signal(admin, user, false)) << "its power is of another user namespace";
  EXPECT_TRUE(may_signal(user, setuid, true)) << "who started it may signal it";
  EXPECT_FALSE(may_signal(user, dropped, true)) << "its effective user does not count";
}

}  // namespace
}  // namespace ambit::pipeline
