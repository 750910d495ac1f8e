// SPDX-License-Identifier: Apache-2.0
// Addresses as text, IPv4 and IPv6 as one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ambit::policy {

struct ParsedAddress {
  std::array<std::uint8_t, 16> bytes{};  ///< IPv4 as ::ffff:a.b.c.d
  bool is_ipv4 = false;                  ///< written as IPv4
};

/// Dotted quad or RFC 4291 text, without zone and without prefix length.
[[nodiscard]] std::optional<ParsedAddress> parse_address(std::string_view text);

}  // namespace ambit::policy
