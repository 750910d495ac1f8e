// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/whole_number.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace ambit {

namespace {

TEST(WholeNumber, IsAllOfTheText) {
  EXPECT_EQ(whole_number<std::uint16_t>("65535"), 65535);
  EXPECT_EQ(whole_number<std::uint8_t>("fF", 16), 255);
  for (const char* const text : {"", " 1", "1 ", "+1", "-1", "1x", "0x1"})
    EXPECT_EQ(whole_number<std::uint16_t>(text), std::nullopt) << text;
}

TEST(WholeNumber, ThatIsTooLargeIsNone) {
  EXPECT_EQ(whole_number<std::uint16_t>("65536"), std::nullopt);
}

}  // namespace

}  // namespace ambit
