// SPDX-License-Identifier: Apache-2.0
// A longest-prefix matcher over compiled tables as the kernel does it, and short ways to write
// rules.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "tests/unit/policy/destinations_literal.h"
#include "userspace/policy/destinations.h"

namespace ambit::policy::probe {

struct Probe {
  Address address{};
  std::uint8_t protocol = 6;
  std::uint16_t port = 0;
};

/// What is said of a destination; all empty where nothing is.
struct Answer {
  bool in_network = false;
  bool always = false;
  model::CredentialMask allowed{};
  std::vector<std::uint16_t> endpoint_of;
  bool operator==(const Answer&) const = default;
};

inline bool bits_agree(const std::uint8_t* a, const std::uint8_t* b, unsigned bits) {
  for (unsigned bit = 0; bit < bits; ++bit) {
    if (((a[bit / 8] ^ b[bit / 8]) & (0x80U >> (bit % 8))) != 0) {
      return false;
    }
  }
  return true;
}

inline Answer look_up(const model::CompiledDestinations& tables, const Probe& probe) {
  const model::CompiledPrefix* longest = nullptr;
  for (const auto& prefix : tables.prefixes) {
    if ((longest == nullptr || prefix.range.prefix > longest->range.prefix) &&
        bits_agree(prefix.range.address.data(), probe.address.data(), prefix.range.prefix)) {
      longest = &prefix;
    }
  }
  const model::CompiledPort* best = nullptr;
  for (const auto& port : tables.ports) {
    if (longest != nullptr && port.set == longest->set && port.protocol == probe.protocol &&
        (best == nullptr || port.prefix > best->prefix) &&
        ((port.port ^ probe.port) >> (16 - port.prefix)) == 0) {
      best = &port;
    }
  }
  if (best == nullptr) {
    return {};
  }
  return {.in_network = best->in_network,
          .always = best->always,
          .allowed = best->allowed,
          .endpoint_of = best->endpoint_of};
}

inline Probe at(std::string_view address, std::uint16_t port, std::uint8_t protocol = 6) {
  return {.address = ip(address), .protocol = protocol, .port = port};
}

inline model::DestinationRule range(std::string_view address, unsigned prefix,
                                    std::vector<model::PortRange> ports = {},
                                    std::vector<std::uint8_t> protocols = {}) {
  model::DestinationRule rule;
  rule.type = model::DestinationType::range;
  rule.range.address = ip(address);
  rule.range.prefix = static_cast<std::uint8_t>(
      is_ipv4(rule.range.address) && !address.contains(':') ? prefix + 96 : prefix);
  rule.ports = std::move(ports);
  rule.protocols = std::move(protocols);
  return rule;
}

inline model::DestinationRule host(std::string_view name,
                                   std::vector<model::PortRange> ports = {}) {
  model::DestinationRule rule;
  rule.type = model::DestinationType::host;
  rule.host = name;
  rule.ports = std::move(ports);
  return rule;
}

inline bool allows(const Answer& answer, unsigned bit) {
  return (answer.allowed.at(bit / 64) >> (bit % 64) & 1U) != 0;
}

}  // namespace ambit::policy::probe
