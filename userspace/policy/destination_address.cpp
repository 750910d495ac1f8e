// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/destination_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "userspace/policy/destination_form.h"

namespace ambit::policy {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedBits = 96;

using Address = std::array<std::uint8_t, 16>;

Address masked(const Address& address, unsigned prefix) {
  Address out = address;
  for (unsigned bit = prefix; bit < 128; ++bit) {
    out.at(bit / 8) &= static_cast<std::uint8_t>(~(0x80U >> (bit % 8)));
  }
  return out;
}

bool is_mapped(const Address& address) {
  return std::equal(kMapped.begin(), kMapped.end(), address.begin());
}

}  // namespace

std::optional<ParsedAddress> parse_address(std::string_view text) {
  const std::string terminated(text);
  ParsedAddress parsed;
  std::ranges::copy(kMapped, parsed.bytes.begin());
  if (::inet_pton(AF_INET, terminated.c_str(), parsed.bytes.data() + kMapped.size()) == 1) {
    parsed.is_ipv4 = true;
    return parsed;
  }
  if (::inet_pton(AF_INET6, terminated.c_str(), parsed.bytes.data()) == 1) return parsed;
  return std::nullopt;
}

Formed<model::AddressRange> parse_address_range(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return mistaken("is no address range; write 10.2.0.0/16 or fd00::/8");
  const std::string_view most = address->is_ipv4 ? "32" : "128";
  if (slash == std::string_view::npos) {
    return mistaken("has no prefix length", std::string(text) + '/' + std::string(most));
  }
  const std::string_view length = text.substr(slash + 1);
  unsigned prefix = 0;
  const char* const end = length.data() + length.size();
  const auto [stopped, error] = std::from_chars(length.data(), end, prefix);
  const bool whole = !length.empty() && error == std::errc{} && stopped == end;
  if (!whole || prefix > (address->is_ipv4 ? 32U : 128U)) {
    return mistaken("has no good prefix length; it is a number of 0 to " + std::string(most));
  }
  if (address->is_ipv4) prefix += kMappedBits;
  model::AddressRange range{.address = masked(address->bytes, prefix),
                            .prefix = static_cast<std::uint8_t>(prefix)};
  if (range.address != address->bytes) {
    return mistaken("has bits set beyond its prefix length", to_string(range));
  }
  return range;
}

std::string to_string(const model::AddressRange& range) {
  const bool ipv4 = is_mapped(range.address) && range.prefix >= kMappedBits;
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* const bytes = ipv4 ? range.address.data() + kMapped.size() : range.address.data();
  ::inet_ntop(ipv4 ? AF_INET : AF_INET6, bytes, text.data(), text.size());
  return std::string(text.data()) + '/' + std::to_string(range.prefix - (ipv4 ? kMappedBits : 0));
}

bool covers_all_of_ipv4(const model::AddressRange& range) {
  if (range.prefix >= kMappedBits) return false;
  Address mapped{};
  std::ranges::copy(kMapped, mapped.begin());
  return masked(mapped, range.prefix) == range.address;
}

}  // namespace ambit::policy
