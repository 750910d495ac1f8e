// SPDX-License-Identifier: Apache-2.0
// Random rules and probes: the compiled tables must say what the rules say one by one.
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/policy/destinations_probe.h"
#include "userspace/policy/destinations.h"

namespace ambit::policy {
namespace {

using probe::Answer;
using probe::Probe;
using Rules = std::vector<model::DestinationRule>;
constexpr std::array<std::string_view, 5> kNames{"a.test", "b.a.test", "c.test", "d.c.test",
                                                 "other.test"};

/// Addresses and ports come from small pools, so that ranges nest and probes hit.
class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}

  unsigned below(unsigned bound) { return static_cast<unsigned>(engine_() % bound); }
  bool one_in(unsigned n) { return below(n) == 0; }

  Address address() {
    Address address{};
    if (one_in(2)) {
      address = from_ipv4(
          {10, 0, static_cast<std::uint8_t>(below(4)), static_cast<std::uint8_t>(below(256))});
      if (one_in(8)) {
        address[12] = static_cast<std::uint8_t>(below(256));
      }
      return address;
    }
    address[0] = one_in(4) ? 0 : 0x20;
    address[15] = static_cast<std::uint8_t>(below(64));
    address[7] = static_cast<std::uint8_t>(below(3));
    return address;
  }

  std::uint16_t port() {
    constexpr std::array<unsigned, 6> kCentres{0, 22, 443, 8000, 8999, 65535};
    const unsigned centre = kCentres.at(below(kCentres.size()));
    return static_cast<std::uint16_t>(std::min(65535U, centre + below(4)));
  }

  model::DestinationRule rule() {
    model::DestinationRule rule;
    if (one_in(5)) {
      rule.type = model::DestinationType::host;
      rule.host = one_in(2) ? std::string(kNames.at(below(kNames.size())))
                            : std::string(one_in(2) ? "*.a.test" : "*.test");
    } else {
      rule.type = model::DestinationType::range;
      rule.range.address = address();
      rule.range.prefix =
          static_cast<std::uint8_t>(is_ipv4(rule.range.address) ? 96 + below(33) : below(129));
      if (is_ipv4(rule.range.address) && one_in(10)) {
        rule.range.prefix = static_cast<std::uint8_t>(below(96));
      }
    }
    for (unsigned n = below(3); n > 0; --n) {
      const std::uint16_t a = port();
      const std::uint16_t b = one_in(2) ? a : port();
      rule.ports.push_back({.first = std::min(a, b), .last = std::max(a, b)});
    }
    if (one_in(3)) {
      rule.protocols.push_back(one_in(2) ? 6 : 132);
    }
    return rule;
  }

  Rules rules(unsigned bound) {
    Rules rules;
    for (unsigned n = below(bound); n > 0; --n) {
      rules.push_back(rule());
    }
    return rules;
  }

 private:
  std::mt19937 engine_;
};

struct World {
  std::optional<Rules> network;
  DestinationInput input;
};

void fill(World& world, Dice& dice) {
  if (!dice.one_in(5)) {
    world.network = dice.rules(12);
  }
  world.input.network = &world.network;
  for (const unsigned bit : {0U, 63U, 64U, 255U}) {
    world.input.restricted.push_back(
        {.bit = static_cast<std::uint8_t>(bit), .rules = dice.rules(6)});
  }
  for (const std::uint16_t number : {std::uint16_t{4}, std::uint16_t{900}}) {
    world.input.endpoints.push_back(
        {.number = number, .name = std::to_string(number), .rules = dice.rules(3)});
  }
  world.input.always = dice.rules(3);
  for (const std::string_view name : kNames) {
    for (unsigned n = dice.below(4); n > 0; --n) {
      world.input.resolved[std::string(name)].push_back(dice.address());
    }
  }
}

bool range_holds(const model::AddressRange& range, const Address& address) {
  const bool rule_is_ipv4 = range.prefix >= 96 && is_ipv4(range.address);
  return rule_is_ipv4 == is_ipv4(address) &&
         probe::bits_agree(range.address.data(), address.data(), range.prefix);
}

bool host_matches(std::string_view host, std::string_view name) {
  const std::string_view below = host.substr(1);
  return host.starts_with("*.") ? name.ends_with(below) && name != below : host == name;
}

bool rule_holds(const model::DestinationRule& rule, const Probe& probe,
                const ResolvedNames& resolved) {
  bool here = rule.type == model::DestinationType::range && range_holds(rule.range, probe.address);
  for (const auto& [name, addresses] : resolved) {
    here = here || (rule.type == model::DestinationType::host && host_matches(rule.host, name) &&
                    std::ranges::find(addresses, probe.address) != addresses.end());
  }
  const bool port =
      rule.ports.empty() || std::ranges::any_of(rule.ports, [&](const model::PortRange& range) {
        return range.first <= probe.port && probe.port <= range.last;
      });
  const bool protocol =
      rule.protocols.empty()
          ? probe.protocol == 6 || probe.protocol == 17
          : std::ranges::find(rule.protocols, probe.protocol) != rule.protocols.end();
  return here && port && protocol;
}

Answer by_the_rules(const World& world, const Probe& probe) {
  const auto any = [&](const Rules& rules) {
    return std::ranges::any_of(
        rules, [&](const auto& rule) { return rule_holds(rule, probe, world.input.resolved); });
  };
  Answer answer;
  answer.in_network = world.network && any(*world.network);
  answer.always = any(world.input.always);
  for (const CredentialDestinations& credential : world.input.restricted) {
    if (any(credential.rules)) {
      answer.allowed.at(credential.bit / 64U) |= std::uint64_t{1} << (credential.bit % 64U);
    }
  }
  for (const CredentialEndpoints& credential : world.input.endpoints) {
    if (any(credential.rules)) {
      answer.endpoint_of.push_back(credential.number);
    }
  }
  return answer;
}

Probe random_probe(Dice& dice, const World& world) {
  constexpr std::array<std::uint8_t, 4> kProtocols{6, 17, 132, 1};
  Probe probe{
      .address = dice.address(),
      .protocol = kProtocols.at(dice.below(kProtocols.size())),
      .port = dice.one_in(10) ? static_cast<std::uint16_t>(dice.below(65536)) : dice.port()};
  if (dice.one_in(4) && !world.input.resolved.empty()) {
    auto name = world.input.resolved.begin();
    std::advance(name, dice.below(static_cast<unsigned>(world.input.resolved.size())));
    probe.address = name->second.at(dice.below(static_cast<unsigned>(name->second.size())));
  }
  return probe;
}

std::string described(const Probe& probe) {
  return text_of(probe.address) + " port " + std::to_string(probe.port) + " protocol " +
         std::to_string(probe.protocol);
}

TEST(DestinationProperty, TablesSayWhatTheRulesSayOneByOne) {
  unsigned said_something = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    Dice dice(seed);
    World world;
    fill(world, dice);
    const auto tables = compile_destinations(world.input);
    ASSERT_TRUE(tables.has_value()) << tables.error().message;
    for (unsigned n = 0; n < 100; ++n) {
      const Probe probe = random_probe(dice, world);
      const Answer expected = by_the_rules(world, probe);
      said_something += expected == Answer{} ? 0 : 1;
      ASSERT_EQ(probe::look_up(*tables, probe), expected)
          << "seed " << seed << ": " << described(probe);
    }
  }
  EXPECT_GT(said_something, 5'000U) << "the probes miss the rules, so they test nothing";
  EXPECT_LT(said_something, 19'000U);
}

TEST(DestinationProperty, NoTwoRangesOfATableAreEqualAndNoneHasHostBits) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    Dice dice(seed);
    World world;
    fill(world, dice);
    const auto tables = compile_destinations(world.input).value();
    std::map<std::pair<Address, std::uint8_t>, int> seen;
    for (const auto& prefix : tables.prefixes) {
      EXPECT_EQ(++seen[std::pair(prefix.range.address, prefix.range.prefix)], 1);
      EXPECT_EQ(masked(prefix.range).address, prefix.range.address);
    }
  }
}

/// Writes one entry over what has its key.
template <typename Entry, typename Same>
void put(std::vector<Entry>& table, const Entry& entry, Same same) {
  std::erase_if(table, [&](const Entry& other) { return same(other, entry); });
  table.push_back(entry);
}

bool same_key(const model::CompiledPrefix& a, const model::CompiledPrefix& b) {
  return a.range.address == b.range.address && a.range.prefix == b.range.prefix;
}

bool same_port_key(const model::CompiledPort& a, const model::CompiledPort& b) {
  return std::tie(a.set, a.protocol, a.port, a.prefix) ==
         std::tie(b.set, b.protocol, b.port, b.prefix);
}

/// Every table on the way of `change`, one map write at a time.
template <typename Check>
void apply(model::CompiledDestinations& live, const DestinationChange& change, Check check) {
  for (const auto& port : change.add.ports) {
    put(live.ports, port, same_port_key);
    check(live);
  }
  for (const auto& prefix : change.add.prefixes) {
    put(live.prefixes, prefix, same_key);
    check(live);
  }
  for (const auto& prefix : change.remove.prefixes) {
    std::erase_if(live.prefixes, [&](const auto& other) { return same_key(other, prefix); });
    check(live);
  }
  for (const auto& port : change.remove.ports) {
    std::erase_if(live.ports, [&](const auto& other) { return same_port_key(other, port); });
    check(live);
  }
}

TEST(DestinationProperty, EveryStepOfAChangeDecidesAsBeforeOrAsAfter) {
  for (unsigned seed = 0; seed < 15; ++seed) {
    Dice dice(seed);
    SetNumbers numbers;
    World before;
    World after;
    fill(before, dice);
    fill(after, dice);
    const auto old_tables = compile_destinations(before.input, numbers).value();
    const auto next = compile_destinations(after.input, numbers).value();
    std::vector<Probe> probes;
    probes.reserve(12);
    for (unsigned n = 0; n < 12; ++n) {
      probes.push_back(random_probe(dice, n % 2 == 0 ? before : after));
    }
    auto live = old_tables;
    apply(live, diff(old_tables, next), [&](const model::CompiledDestinations& tables) {
      for (const Probe& probe : probes) {
        const Answer now = probe::look_up(tables, probe);
        EXPECT_TRUE(now == probe::look_up(old_tables, probe) || now == probe::look_up(next, probe))
            << "seed " << seed << ": " << described(probe);
      }
    });
    EXPECT_EQ(live.prefixes.size(), next.prefixes.size());
    EXPECT_EQ(live.ports.size(), next.ports.size());
    for (const Probe& probe : probes) {
      EXPECT_EQ(probe::look_up(live, probe), probe::look_up(next, probe));
    }
  }
}

TEST(DestinationProperty, DiffOfATableWithItselfIsEmpty) {
  Dice dice(7);
  World world;
  fill(world, dice);
  const auto tables = compile_destinations(world.input).value();
  const auto change = diff(tables, tables);
  EXPECT_TRUE(change.add.prefixes.empty() && change.add.ports.empty() &&
              change.remove.prefixes.empty() && change.remove.ports.empty());
}

}  // namespace
}  // namespace ambit::policy
