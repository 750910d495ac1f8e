// SPDX-License-Identifier: Apache-2.0
// What one rule says of the addresses that it covers, in one spelling for each meaning.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/policy/destinations.h"

namespace ambit::policy {

enum class Claim : std::uint8_t { in_network, always, allowed, endpoint };

struct Statement {
  Claim claim = Claim::in_network;
  std::uint16_t subject = 0;            ///< allowed: the bit; endpoint: the catalogue number
  std::vector<std::uint8_t> protocols;  ///< sorted, never empty
  std::vector<std::pair<std::uint16_t, std::uint16_t>> ports;  ///< disjoint, sorted, never empty
  auto operator<=>(const Statement&) const = default;
};

struct StatedRange {
  model::AddressRange range;    ///< masked
  std::uint32_t statement = 0;  ///< index
};

struct Statements {
  std::vector<Statement> all;       ///< no two equal
  std::vector<StatedRange> ranges;  ///< in no order, with repeats
  std::map<std::string, std::string> name_of_address;
};

[[nodiscard]] Result<Statements> gather_statements(const DestinationInput& input);

}  // namespace ambit::policy
