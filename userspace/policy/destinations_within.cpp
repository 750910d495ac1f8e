// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/destinations_within.h"

#include <netinet/in.h>

#include <algorithm>
#include <utility>

#include "userspace/policy/destination_form.h"
#include "userspace/policy/destinations_address.h"
#include "userspace/policy/hosts_match.h"

namespace ambit::policy {
namespace {

using model::AddressRange;
using model::DestinationRule;
using model::DestinationType;

/// Disjoint and sorted.
using Ports = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

std::vector<std::uint8_t> protocols_of(const DestinationRule& rule) {
  return rule.protocols.empty() ? std::vector<std::uint8_t>{IPPROTO_TCP, IPPROTO_UDP}
                                : rule.protocols;
}

Ports ports_of(const DestinationRule& rule) {
  Ports ports;
  for (const model::PortRange& range : rule.ports) ports.emplace_back(range.first, range.last);
  if (ports.empty()) ports.emplace_back(0, UINT16_MAX);
  std::ranges::sort(ports);
  return ports;
}

Ports without(const Ports& ports, const Ports& taken) {
  Ports left = ports;
  for (const auto& [first, last] : taken) {
    Ports rest;
    for (const auto& [begin, end] : left) {
      if (begin < first) rest.emplace_back(begin, std::min(end, first - 1));
      if (end > last) rest.emplace_back(std::max(begin, last + 1), end);
    }
    left = std::move(rest);
  }
  return left;
}

/// A range, or an address that stands where a name belongs.
std::optional<AddressRange> range_of(const DestinationRule& rule) {
  constexpr std::uint8_t kWholeAddress = 128;
  if (rule.type == DestinationType::range) return masked(rule.range);
  if (rule.type != DestinationType::host) return std::nullopt;
  const auto address = address_of(rule.host);
  if (!address) return std::nullopt;
  return AddressRange{.address = *address, .prefix = kWholeAddress};
}

bool is_of_ipv4(const AddressRange& range) { return covers(ipv4_root(), range); }

/// A rule for IPv6 says nothing of IPv4, although mapped addresses lie in its range.
bool range_covers(const AddressRange& outer, const AddressRange& inner) {
  return covers(outer, inner) && is_of_ipv4(outer) == is_of_ipv4(inner);
}

bool host_covers(const std::string& outer, const std::string& inner) {
  const std::string wide = plain_host(outer);
  const std::string narrow = plain_host(inner);
  if (wide == narrow) return true;
  // "*.example.com" without its star is what every name below ends in.
  return is_wildcard(wide) && narrow.ends_with(std::string_view(wide).substr(1));
}

bool is_name(const DestinationRule& rule) {
  return rule.type == DestinationType::host && !range_of(rule);
}

bool place_covers(const DestinationRule& outer, const DestinationRule& inner) {
  const auto narrow = range_of(inner);
  const auto wide = range_of(outer);
  if (narrow && wide) return range_covers(*wide, *narrow);
  return is_name(outer) && is_name(inner) && host_covers(outer.host, inner.host);
}

template <typename Counts>
Ports left_by(Ports ports, std::uint8_t protocol, const std::vector<DestinationRule>& allowed,
              Counts counts) {
  for (const DestinationRule& rule : allowed)
    if (counts(rule) && std::ranges::count(protocols_of(rule), protocol) > 0)
      ports = without(ports, ports_of(rule));
  return ports;
}

/// Where the addresses of a name are, nobody knows: only who allows all of them allows it.
Ports left_by_all_addresses(const Ports& ports, std::uint8_t protocol,
                            const std::vector<DestinationRule>& allowed) {
  const auto has_all_of = [](const AddressRange& all) {
    return [all](const DestinationRule& rule) {
      const auto range = range_of(rule);
      return range && range_covers(*range, all);
    };
  };
  Ports left = left_by(ports, protocol, allowed, has_all_of(ipv4_root()));
  if (left.empty()) left = left_by(ports, protocol, allowed, has_all_of(AddressRange{}));
  return left;
}

std::string name_of_protocol(std::uint8_t protocol) {
  const auto* const known = std::ranges::find(kProtocols, protocol, &Word<std::uint8_t>::value);
  return known == kProtocols.end() ? "protocol " + std::to_string(protocol)
                                   : std::string(known->spelling);
}

std::string text_of(const DestinationRule& rule, std::uint8_t protocol, const Ports& left) {
  std::string text = rule.type == DestinationType::range ? policy::text_of(rule.range) : rule.host;
  if (has_ports(protocol)) {
    const auto& [first, last] = left.front();
    text += " port " + std::to_string(first);
    if (last != first) text += "-" + std::to_string(last);
  }
  return text + " (" + name_of_protocol(protocol) + ")";
}

}  // namespace

std::optional<std::string> outside_of(const std::vector<DestinationRule>& allowed,
                                      const DestinationRule& rule) {
  for (const std::uint8_t protocol : protocols_of(rule)) {
    Ports left = left_by(ports_of(rule), protocol, allowed,
                         [&](const DestinationRule& other) { return place_covers(other, rule); });
    if (!left.empty() && is_name(rule)) left = left_by_all_addresses(left, protocol, allowed);
    if (!left.empty()) return text_of(rule, protocol, left);
  }
  return std::nullopt;
}

}  // namespace ambit::policy
