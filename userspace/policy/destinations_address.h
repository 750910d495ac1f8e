// SPDX-License-Identifier: Apache-2.0
// Addresses as 16 bytes; IPv4 is ::ffff:a.b.c.d, so that a mapped address and IPv4 are one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/model/documents.h"

namespace ambit::policy {

using Address = std::array<std::uint8_t, 16>;

/// The range that holds all of IPv4.
[[nodiscard]] model::AddressRange ipv4_root();

[[nodiscard]] bool is_ipv4(const Address& address);

[[nodiscard]] Address from_ipv4(const std::array<std::uint8_t, 4>& bytes);

/// "10.0.0.1" or "fe80::1"; never "::ffff:10.0.0.1".
[[nodiscard]] std::string text_of(const Address& address);

/// Reads what text_of writes and every other spelling that inet_pton takes; no scope id.
[[nodiscard]] std::optional<Address> address_of(std::string_view text);

/// The range with every bit behind its prefix cleared. `range.prefix` is at most 128.
[[nodiscard]] model::AddressRange masked(const model::AddressRange& range);

/// True where every address of `inner` lies in `outer`.
[[nodiscard]] bool covers(const model::AddressRange& outer, const model::AddressRange& inner);

}  // namespace ambit::policy
