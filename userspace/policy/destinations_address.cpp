// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/destinations_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace ambit::policy {
namespace {

constexpr std::size_t kMappedBytes = 12;
constexpr std::array<std::uint8_t, kMappedBytes> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

model::AddressRange ipv4_root() {
  return {.address = from_ipv4({}), .prefix = static_cast<std::uint8_t>(kMappedBytes * 8)};
}

bool is_ipv4(const Address& address) {
  return std::memcmp(address.data(), kMapped.data(), kMappedBytes) == 0;
}

Address from_ipv4(const std::array<std::uint8_t, 4>& bytes) {
  Address address{};
  std::ranges::copy(kMapped, address.begin());
  std::ranges::copy(bytes, address.begin() + kMappedBytes);
  return address;
}

std::string text_of(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool ipv4 = is_ipv4(address);
  const void* bytes = ipv4 ? address.data() + kMappedBytes : address.data();
  inet_ntop(ipv4 ? AF_INET : AF_INET6, bytes, text.data(), text.size());
  return text.data();
}

std::optional<Address> address_of(std::string_view text) {
  const std::string terminated(text);
  if (terminated.size() != std::strlen(terminated.c_str())) {
    return std::nullopt;
  }
  std::array<std::uint8_t, 4> ipv4{};
  if (inet_pton(AF_INET, terminated.c_str(), ipv4.data()) == 1) {
    return from_ipv4(ipv4);
  }
  Address address{};
  if (inet_pton(AF_INET6, terminated.c_str(), address.data()) == 1) {
    return address;
  }
  return std::nullopt;
}

model::AddressRange masked(const model::AddressRange& range) {
  model::AddressRange result = range;
  const std::size_t whole = range.prefix / 8U;
  const unsigned rest = range.prefix % 8U;
  if (whole < result.address.size()) {
    result.address[whole] &= static_cast<std::uint8_t>(0xff00U >> rest);
    std::fill(result.address.begin() + static_cast<std::ptrdiff_t>(whole) + 1, result.address.end(),
              std::uint8_t{0});
  }
  return result;
}

bool covers(const model::AddressRange& outer, const model::AddressRange& inner) {
  if (outer.prefix > inner.prefix) {
    return false;
  }
  const std::size_t whole = outer.prefix / 8U;
  if (std::memcmp(outer.address.data(), inner.address.data(), whole) != 0) {
    return false;
  }
  const unsigned rest = outer.prefix % 8U;
  if (rest == 0) {
    return true;
  }
  const auto difference = static_cast<unsigned>(outer.address[whole] ^ inner.address[whole]);
  return (difference >> (8U - rest)) == 0;
}

}  // namespace ambit::policy
