// SPDX-License-Identifier: Apache-2.0
// The texts inside a destination: host names, address ranges, ports, protocols, Unix sockets.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "userspace/model/documents.h"
#include "userspace/policy/document_form.h"
#include "userspace/policy/document_reader.h"

namespace ambit::policy {

/// A DNS name in lower case without the final dot; `*.` may stand before it.
[[nodiscard]] Formed<std::string> parse_host(std::string_view text);

/// `10.2.0.0/16`, `fd00::/8`; IPv4 (and ::ffff:a.b.c.d) becomes ::ffff:a.b.c.d/(96 + n). Bits
/// beyond the prefix length must be zero.
[[nodiscard]] Formed<model::AddressRange> parse_address_range(std::string_view text);

/// `443` or `8000-8999`.
[[nodiscard]] Formed<model::PortRange> parse_port_range(std::string_view text);

/// A name of kProtocols or a number of 0 to 255.
[[nodiscard]] Formed<std::uint8_t> parse_protocol(std::string_view text);

/// An absolute path pattern, or `@name` for an abstract socket.
[[nodiscard]] Formed<std::string> parse_unix_socket(std::string_view text);

/// As documents write it: IPv4 ranges in their own form.
[[nodiscard]] std::string text_of(const model::AddressRange& range);

/// Whether a range of IPv6 lies around the place where IPv4 is kept, ::ffff:0:0/96. It says nothing
/// of IPv4 all the same.
[[nodiscard]] bool is_around_ipv4(const model::AddressRange& range);

inline constexpr std::array kProtocols{
    Word<std::uint8_t>{.spelling = "tcp", .value = 6},
    Word<std::uint8_t>{.spelling = "udp", .value = 17},
    Word<std::uint8_t>{.spelling = "icmp", .value = 1},
    Word<std::uint8_t>{.spelling = "icmpv6", .value = 58},
    Word<std::uint8_t>{.spelling = "sctp", .value = 132},
    Word<std::uint8_t>{.spelling = "dccp", .value = 33},
    Word<std::uint8_t>{.spelling = "udplite", .value = 136},
};

/// Whether ports mean anything in this IP protocol.
[[nodiscard]] bool has_ports(std::uint8_t protocol);

}  // namespace ambit::policy
