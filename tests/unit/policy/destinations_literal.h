// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include "userspace/policy/destinations_address.h"

namespace ambit::policy::probe {

inline Address ip(std::string_view text) {
  const auto address = address_of(text);
  EXPECT_TRUE(address.has_value()) << text;
  return address.value_or(Address{});
}

}  // namespace ambit::policy::probe
