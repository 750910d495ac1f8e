// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <tuple>

#include "userspace/policy/destinations.h"

namespace ambit::policy {
namespace {

using PrefixKey = std::pair<Address, std::uint8_t>;
using PortKey = std::tuple<std::uint32_t, std::uint8_t, std::uint16_t, std::uint8_t>;

PrefixKey key_of(const model::CompiledPrefix& prefix) {
  return {prefix.range.address, prefix.range.prefix};
}

PortKey key_of(const model::CompiledPort& port) {
  return {port.set, port.protocol, port.port, port.prefix};
}

bool same_value(const model::CompiledPrefix& a, const model::CompiledPrefix& b) {
  return a.set == b.set;
}

bool same_value(const model::CompiledPort& a, const model::CompiledPort& b) {
  return a.in_network == b.in_network && a.always == b.always && a.allowed == b.allowed &&
         a.endpoint_of == b.endpoint_of;
}

template <typename Entry>
void compare(const std::vector<Entry>& before, const std::vector<Entry>& after,
             std::vector<Entry>& add, std::vector<Entry>& remove) {
  std::map<decltype(key_of(Entry{})), const Entry*> gone;
  for (const Entry& entry : before) {
    gone.emplace(key_of(entry), &entry);
  }
  for (const Entry& entry : after) {
    const auto known = gone.find(key_of(entry));
    if (known == gone.end() || !same_value(*known->second, entry)) {
      add.push_back(entry);
    }
    if (known != gone.end()) {
      gone.erase(known);
    }
  }
  for (const auto& [key, entry] : gone) {
    remove.push_back(*entry);
  }
}

void compare(const std::map<std::string, std::string>& before,
             const std::map<std::string, std::string>& after,
             std::map<std::string, std::string>& add) {
  for (const auto& [address, name] : after) {
    if (const auto known = before.find(address); known == before.end() || known->second != name) {
      add.emplace(address, name);
    }
  }
}

}  // namespace

DestinationChange diff(const model::CompiledDestinations& old_tables,
                       const model::CompiledDestinations& next) {
  DestinationChange change;
  compare(old_tables.prefixes, next.prefixes, change.add.prefixes, change.remove.prefixes);
  compare(old_tables.ports, next.ports, change.add.ports, change.remove.ports);
  compare(old_tables.name_of_address, next.name_of_address, change.add.name_of_address);
  for (const auto& [address, name] : old_tables.name_of_address) {
    if (!next.name_of_address.contains(address)) {
      change.remove.name_of_address.emplace(address, name);
    }
  }
  // An address must never fall to a range that says neither the old nor the new of it: what lies
  // inside is written before what lies around it, and deleted after it.
  std::ranges::stable_sort(change.add.prefixes, [](const auto& a, const auto& b) {
    return a.range.prefix > b.range.prefix;
  });
  std::ranges::stable_sort(change.remove.prefixes, [](const auto& a, const auto& b) {
    return a.range.prefix < b.range.prefix;
  });
  return change;
}

}  // namespace ambit::policy
