// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/destinations_ports.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace ambit::policy {
namespace {

constexpr unsigned kPortBits = 16;

/// Protocol, port, prefix: the order puts each prefix right before all that lie in it.
using PortKey = std::tuple<std::uint8_t, std::uint16_t, std::uint8_t>;
using PortTable = std::map<PortKey, model::CompiledPort>;

void state(const Statement& statement, model::CompiledPort& entry) {
  switch (statement.claim) {
    case Claim::in_network:
      entry.in_network = true;
      break;
    case Claim::always:
      entry.always = true;
      break;
    case Claim::allowed:
      entry.allowed.at(statement.subject / 64U) |= std::uint64_t{1} << (statement.subject % 64U);
      break;
    case Claim::endpoint:
      if (std::ranges::find(entry.endpoint_of, statement.subject) == entry.endpoint_of.end()) {
        entry.endpoint_of.push_back(statement.subject);
      }
      break;
  }
}

/// Writes the fewest binary prefixes that make up first..last, and says how many.
std::size_t add_range(const Statement& statement, std::uint8_t protocol,
                      std::pair<std::uint16_t, std::uint16_t> range, PortTable& table) {
  std::size_t written = 0;
  std::uint32_t at = range.first;
  const std::uint32_t end = std::uint32_t{range.second} + 1;
  while (at < end) {
    unsigned free_bits = 0;
    while (free_bits < kPortBits && (at & ((2U << free_bits) - 1)) == 0 &&
           at + (2U << free_bits) <= end) {
      ++free_bits;
    }
    const auto port = static_cast<std::uint16_t>(at);
    const auto prefix = static_cast<std::uint8_t>(kPortBits - free_bits);
    model::CompiledPort& entry = table[{protocol, port, prefix}];
    entry.protocol = protocol;
    entry.port = port;
    entry.prefix = prefix;
    state(statement, entry);
    at += 1U << free_bits;
    ++written;
  }
  return written;
}

bool contains(const model::CompiledPort& outer, const model::CompiledPort& inner) {
  return outer.protocol == inner.protocol && outer.prefix <= inner.prefix &&
         ((outer.port ^ inner.port) >> (kPortBits - outer.prefix)) == 0;
}

void inherit(const model::CompiledPort& outer, model::CompiledPort& inner) {
  inner.in_network |= outer.in_network;
  inner.always |= outer.always;
  for (std::size_t i = 0; i < inner.allowed.size(); ++i) {
    inner.allowed[i] |= outer.allowed[i];
  }
  for (const std::uint16_t owner : outer.endpoint_of) {
    if (std::ranges::find(inner.endpoint_of, owner) == inner.endpoint_of.end()) {
      inner.endpoint_of.push_back(owner);
    }
  }
}

bool says_the_same(const model::CompiledPort& a, const model::CompiledPort& b) {
  return a.in_network == b.in_network && a.always == b.always && a.allowed == b.allowed &&
         a.endpoint_of == b.endpoint_of;
}

/// Gives each prefix what those around it say, and drops those that add nothing to it.
std::vector<model::CompiledPort> push_down(PortTable& table) {
  std::vector<model::CompiledPort> result;
  std::vector<const model::CompiledPort*> around;
  for (auto& [key, entry] : table) {
    while (!around.empty() && !contains(*around.back(), entry)) {
      around.pop_back();
    }
    if (!around.empty()) {
      inherit(*around.back(), entry);
    }
    std::ranges::sort(entry.endpoint_of);
    if (around.empty() || !says_the_same(*around.back(), entry)) {
      result.push_back(entry);
    }
    around.push_back(&entry);
  }
  return result;
}

template <typename Number>
void append_bytes(std::string& bytes, Number number) {
  for (std::size_t i = sizeof(Number); i-- > 0;) {
    bytes.push_back(static_cast<char>((number >> (8U * i)) & 0xffU));
  }
}

}  // namespace

Result<std::vector<model::CompiledPort>> compile_ports(const std::vector<Statement>& all,
                                                       const std::vector<std::uint32_t>& chosen,
                                                       std::size_t& work) {
  PortTable table;
  for (const std::uint32_t index : chosen) {
    const Statement& statement = all.at(index);
    for (const std::uint8_t protocol : statement.protocols) {
      for (const auto& range : statement.ports) {
        const std::size_t written = add_range(statement, protocol, range, table);
        if (written >= work) {
          return fail("too many unlike port lists overlap in the destinations");
        }
        work -= written;
      }
    }
  }
  return push_down(table);
}

std::string content_of(const std::vector<model::CompiledPort>& ports) {
  std::string bytes;
  for (const model::CompiledPort& entry : ports) {
    append_bytes(bytes, entry.protocol);
    append_bytes(bytes, entry.port);
    append_bytes(bytes, entry.prefix);
    bytes.push_back(static_cast<char>((entry.in_network ? 1 : 0) | (entry.always ? 2 : 0)));
    for (const std::uint64_t word : entry.allowed) {
      append_bytes(bytes, word);
    }
    append_bytes(bytes, static_cast<std::uint8_t>(entry.endpoint_of.size()));
    for (const std::uint16_t owner : entry.endpoint_of) {
      append_bytes(bytes, owner);
    }
  }
  return bytes;
}

}  // namespace ambit::policy
