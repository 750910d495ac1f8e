// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/destinations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "tests/unit/policy/destinations_probe.h"

namespace ambit::policy {
namespace {

using probe::allows;
using probe::at;
using probe::host;
using probe::ip;
using probe::look_up;
using probe::range;
using Network = std::optional<std::vector<model::DestinationRule>>;

model::CompiledDestinations compiled(const DestinationInput& input) {
  auto result = compile_destinations(input);
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message);
  return result.value_or(model::CompiledDestinations{});
}

model::CompiledDestinations compiled(const Network& network, ResolvedNames resolved = {}) {
  return compiled({.network = &network,
                   .restricted = {},
                   .endpoints = {},
                   .always = {},
                   .resolved = std::move(resolved)});
}

TEST(Destinations, WithoutRulesNothingIsSaidOfAnyAddress) {
  const auto tables = compiled(DestinationInput{});
  EXPECT_TRUE(tables.prefixes.empty());
  EXPECT_TRUE(tables.ports.empty());
  EXPECT_TRUE(compiled(Network{std::in_place}).prefixes.empty());
}

TEST(Destinations, RuleWithoutPortsHoldsForEveryPortOfTcpAndUdpAndNoOtherProtocol) {
  const auto tables = compiled(Network{{range("10.2.0.0", 16)}});
  for (const std::uint16_t port : {std::uint16_t{0}, std::uint16_t{443}, std::uint16_t{65535}}) {
    EXPECT_TRUE(look_up(tables, at("10.2.255.1", port, 6)).in_network);
    EXPECT_TRUE(look_up(tables, at("10.2.0.0", port, 17)).in_network);
    EXPECT_FALSE(look_up(tables, at("10.2.0.0", port, 132)).in_network);
    EXPECT_FALSE(look_up(tables, at("10.3.0.0", port, 6)).in_network);
  }
}

TEST(Destinations, NamedProtocolsAreTheOnlyOnes) {
  const auto tables = compiled(Network{{range("10.0.0.0", 8, {}, {1, 132})}});
  EXPECT_TRUE(look_up(tables, at("10.1.1.1", 0, 1)).in_network);
  EXPECT_TRUE(look_up(tables, at("10.1.1.1", 7, 132)).in_network);
  EXPECT_FALSE(look_up(tables, at("10.1.1.1", 7, 6)).in_network);
}

TEST(Destinations, PortRangesIncludeBothEndsAndNothingBesideThem) {
  const auto tables = compiled(Network{{range("10.0.0.0", 8, {{5432, 5432}, {8000, 8999}})}});
  for (const auto& [port, inside] : std::map<std::uint16_t, bool>{{5431, false},
                                                                  {5432, true},
                                                                  {5433, false},
                                                                  {7999, false},
                                                                  {8000, true},
                                                                  {8191, true},
                                                                  {8192, true},
                                                                  {8999, true},
                                                                  {9000, false},
                                                                  {0, false},
                                                                  {65535, false}}) {
    EXPECT_EQ(look_up(tables, at("10.0.0.1", port)).in_network, inside) << port;
  }
}

TEST(Destinations, ShorterRangesAreHeardInsideLongerOnes) {
  DestinationInput input;
  const Network network{{range("10.0.0.0", 8)}};
  input.network = &network;
  input.restricted = {{.bit = 3, .rules = {range("10.1.0.0", 16, {{443, 443}})}},
                      {.bit = 200, .rules = {range("10.1.2.0", 24, {{443, 443}})}}};
  const auto tables = compiled(input);
  const auto inner = look_up(tables, at("10.1.2.9", 443));
  EXPECT_TRUE(inner.in_network && allows(inner, 3) && allows(inner, 200));
  const auto middle = look_up(tables, at("10.1.3.9", 443));
  EXPECT_TRUE(middle.in_network && allows(middle, 3) && !allows(middle, 200));
  const auto other_port = look_up(tables, at("10.1.2.9", 80));
  EXPECT_TRUE(other_port.in_network && !allows(other_port, 3) && !allows(other_port, 200));
}

TEST(Destinations, AllOfIpv6DoesNotOpenIpv4) {
  const auto tables = compiled(Network{{range("::", 0)}});
  EXPECT_TRUE(look_up(tables, at("2001:db8::1", 443)).in_network);
  EXPECT_TRUE(look_up(tables, at("::1", 443)).in_network);
  EXPECT_FALSE(look_up(tables, at("203.0.113.9", 443)).in_network);
  EXPECT_FALSE(look_up(tables, at("::ffff:203.0.113.9", 443)).in_network);
}

TEST(Destinations, Ipv4RulesBelowAnIpv6RuleInheritNothingOfIt) {
  const auto tables =
      compiled(Network{{range("::", 0, {{22, 22}}), range("10.0.0.0", 8, {{443, 443}})}});
  EXPECT_TRUE(look_up(tables, at("10.0.0.1", 443)).in_network);
  EXPECT_FALSE(look_up(tables, at("10.0.0.1", 22)).in_network);
  EXPECT_FALSE(look_up(tables, at("11.0.0.1", 22)).in_network);
  EXPECT_TRUE(look_up(tables, at("fe80::1", 22)).in_network);
}

TEST(Destinations, AllOfIpv4BesideAllOfIpv6KeepsEachToItsFamily) {
  const auto tables =
      compiled(Network{{range("::", 0, {{22, 22}}), range("0.0.0.0", 0, {{443, 443}})}});
  EXPECT_TRUE(look_up(tables, at("198.51.100.1", 443)).in_network);
  EXPECT_FALSE(look_up(tables, at("198.51.100.1", 22)).in_network);
  EXPECT_FALSE(look_up(tables, at("2001:db8::1", 443)).in_network);
}

TEST(Destinations, AMappedRangeAndTheIpv4RangeAreOne) {
  const auto mapped = compiled(Network{{range("::ffff:10.0.0.0", 104)}});
  const auto plain = compiled(Network{{range("10.0.0.0", 8)}});
  ASSERT_EQ(mapped.prefixes.size(), 1U);
  EXPECT_EQ(mapped.prefixes[0].range.address, plain.prefixes.at(0).range.address);
  EXPECT_EQ(mapped.prefixes[0].range.prefix, plain.prefixes.at(0).range.prefix);
  EXPECT_TRUE(look_up(mapped, at("10.9.9.9", 1)).in_network);
}

TEST(Destinations, HostBitsOfARangeAreIgnored) {
  const auto tables = compiled(Network{{range("10.2.3.4", 16), range("10.2.9.9", 16)}});
  EXPECT_EQ(tables.prefixes.size(), 1U);
  EXPECT_TRUE(look_up(tables, at("10.2.0.1", 443)).in_network);
}

TEST(Destinations, HostMeansItsResolvedAddressesAndRemembersTheName) {
  const auto tables = compiled(Network{{host("api.github.com", {{443, 443}})}},
                               {{"api.github.com", {ip("140.82.112.5"), ip("2001:db8::5")}},
                                {"evil.example", {ip("203.0.113.9")}}});
  EXPECT_TRUE(look_up(tables, at("140.82.112.5", 443)).in_network);
  EXPECT_TRUE(look_up(tables, at("2001:db8::5", 443)).in_network);
  EXPECT_FALSE(look_up(tables, at("140.82.112.6", 443)).in_network);
  EXPECT_FALSE(look_up(tables, at("203.0.113.9", 443)).in_network);
  EXPECT_THAT(tables.name_of_address,
              testing::UnorderedElementsAre(testing::Pair("140.82.112.5", "api.github.com"),
                                            testing::Pair("2001:db8::5", "api.github.com")));
}

TEST(Destinations, WildcardMeansResolvedNamesBelowItAndNeverItself) {
  const auto tables =
      compiled(Network{{host("*.example.com")}}, {{"example.com", {ip("10.0.0.1")}},
                                                  {"a.example.com", {ip("10.0.0.2")}},
                                                  {"b.a.example.com", {ip("10.0.0.3")}},
                                                  {"notexample.com", {ip("10.0.0.4")}},
                                                  {"example.com.evil", {ip("10.0.0.5")}}});
  EXPECT_FALSE(look_up(tables, at("10.0.0.1", 443)).in_network);
  EXPECT_TRUE(look_up(tables, at("10.0.0.2", 443)).in_network);
  EXPECT_TRUE(look_up(tables, at("10.0.0.3", 443)).in_network);
  EXPECT_FALSE(look_up(tables, at("10.0.0.4", 443)).in_network);
  EXPECT_FALSE(look_up(tables, at("10.0.0.5", 443)).in_network);
}

TEST(Destinations, UnresolvedNameOpensNothing) {
  EXPECT_TRUE(compiled(Network{{host("api.github.com")}}).prefixes.empty());
}

TEST(Destinations, HostThatIsAnAddressNeedsNoLookup) {
  const auto tables = compiled(Network{{host("127.0.0.1", {{8080, 8080}}), host("fd00::2")}});
  EXPECT_TRUE(look_up(tables, at("127.0.0.1", 8080)).in_network);
  EXPECT_TRUE(look_up(tables, at("fd00::2", 1)).in_network);
  EXPECT_FALSE(look_up(tables, at("127.0.0.1", 8081)).in_network);
}

TEST(Destinations, EndpointsAndAlwaysAreKeptApartFromTheNetworkSection) {
  DestinationInput input;
  input.endpoints = {
      {.number = 7, .name = "ec2", .rules = {range("169.254.169.254", 32, {{80, 80}})}}};
  input.always = {range("10.0.0.53", 32, {{53, 53}})};
  const auto tables = compiled(input);
  const auto metadata = look_up(tables, at("169.254.169.254", 80));
  EXPECT_FALSE(metadata.in_network);
  EXPECT_THAT(metadata.endpoint_of, testing::ElementsAre(7));
  EXPECT_TRUE(look_up(tables, at("169.254.169.254", 81)).endpoint_of.empty());
  EXPECT_TRUE(look_up(tables, at("10.0.0.53", 53, 17)).always);
  EXPECT_FALSE(look_up(tables, at("10.0.0.53", 54, 17)).always);
}

TEST(Destinations, MoreThanTwoOwnersOfAnEndpointAreRefusedByName) {
  DestinationInput input;
  for (const std::string name : {"ec2", "gce", "azure"}) {
    input.endpoints.push_back({.number = static_cast<std::uint16_t>(input.endpoints.size()),
                               .name = name,
                               .rules = {range("169.254.169.254", 32, {{80, 80}})}});
  }
  const auto result = compile_destinations(input);
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().message, testing::HasSubstr("ec2, gce, azure"));
  input.endpoints.pop_back();
  EXPECT_THAT(look_up(compiled(input), at("169.254.169.254", 80)).endpoint_of,
              testing::ElementsAre(0, 1));
}

TEST(Destinations, RulesThatCannotBeMeantAreErrors) {
  const Network backwards{{range("10.0.0.0", 8, {{9, 1}})}};
  DestinationInput input;
  input.network = &backwards;
  EXPECT_FALSE(compile_destinations(input).has_value());
  Network too_long{{range("::1", 128)}};
  too_long->front().range.prefix = 129;
  input.network = &too_long;
  EXPECT_FALSE(compile_destinations(input).has_value());
}

TEST(Destinations, UnixSocketsAreLeftToThePathTables) {
  model::DestinationRule socket;
  socket.type = model::DestinationType::unix_socket;
  socket.unix_path = "/run/x.sock";
  EXPECT_TRUE(compiled(Network{{socket}}).prefixes.empty());
}

TEST(Destinations, RangesThatSayTheSameShareOneSet) {
  const auto tables =
      compiled(Network{{range("10.0.0.0", 8, {{443, 443}}), range("192.0.2.0", 24, {{443, 443}}),
                        range("198.51.100.0", 24, {{443, 443}, {443, 443}})}});
  ASSERT_EQ(tables.prefixes.size(), 3U);
  EXPECT_EQ(tables.prefixes[0].set, 1U);
  EXPECT_EQ(tables.prefixes[1].set, 1U);
  EXPECT_EQ(tables.prefixes[2].set, 1U);
  EXPECT_EQ(tables.ports.size(), 2U);
}

TEST(Destinations, RangeThatAddsNothingToTheOneAroundItTakesNoEntry) {
  const auto tables =
      compiled(Network{{range("10.0.0.0", 8), range("10.1.0.0", 16, {{443, 443}})}});
  EXPECT_EQ(tables.prefixes.size(), 1U);
  EXPECT_TRUE(look_up(tables, at("10.1.0.1", 443)).in_network);
}

TEST(Destinations, SetNumbersNeverChangeTheirContent) {
  SetNumbers numbers;
  const Network first{{range("10.0.0.0", 8, {{443, 443}}), range("11.0.0.0", 8, {{22, 22}})}};
  const Network second{{range("10.0.0.0", 8, {{80, 80}}), range("11.0.0.0", 8, {{443, 443}})}};
  DestinationInput input;
  input.network = &first;
  const auto one = compile_destinations(input, numbers).value();
  input.network = &second;
  const auto two = compile_destinations(input, numbers).value();
  const auto set_of = [](const model::CompiledDestinations& tables, std::uint16_t port) {
    const auto entry = std::ranges::find(tables.ports, port, &model::CompiledPort::port);
    return entry == tables.ports.end() ? 0U : entry->set;
  };
  EXPECT_EQ(set_of(one, 443), set_of(two, 443));
  EXPECT_EQ(set_of(two, 80), 3U);
  EXPECT_EQ(set_of(one, 22), 1U);
}

TEST(Destinations, TooManyUnlikePortListsAreAnErrorAndNotAFullMemory) {
  Network network{std::in_place};
  for (unsigned i = 0; i < 3000; ++i) {
    const auto port = static_cast<std::uint16_t>(i * 2 + 1);
    network->push_back(range("0.0.0.0", 0, {{port, port}}));
    network->push_back(
        range("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256), 32,
              {{static_cast<std::uint16_t>(port + 1), static_cast<std::uint16_t>(port + 1)}}));
  }
  DestinationInput input;
  input.network = &network;
  const auto result = compile_destinations(input);
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().message, testing::HasSubstr("too many"));
}

TEST(Destinations, WildcardsTimesNamesAreBoundedToo) {
  Network network{std::in_place};
  for (unsigned port = 1; port <= 3000; ++port) {
    network->push_back(
        host("*.test", {{static_cast<std::uint16_t>(port), static_cast<std::uint16_t>(port)}}));
  }
  DestinationInput input;
  input.network = &network;
  for (unsigned i = 0; i < 500; ++i) {
    input.resolved[std::to_string(i) + ".test"] = {
        ip("10.0.0.1"),
        from_ipv4({10, 1, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)})};
  }
  const auto result = compile_destinations(input);
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().message, testing::HasSubstr("address ranges"));
}

TEST(Destinations, AHundredThousandRangesCompileInSeconds) {
  Network network{std::in_place};
  for (unsigned i = 0; i < 100'000; ++i) {
    const auto port = static_cast<std::uint16_t>(1000 + i % 50);
    auto rule = range("0.0.0.0", i % 3 == 0 ? 30 : 32, {{port, port}});
    rule.range.address =
        from_ipv4({10, static_cast<std::uint8_t>(i >> 14U), static_cast<std::uint8_t>(i >> 6U),
                   static_cast<std::uint8_t>(i << 2U)});
    network->push_back(std::move(rule));
  }
  network->push_back(range("10.0.0.0", 8, {{22, 22}}));
  const std::clock_t start =
      std::clock();  // of this process: other builds on the machine count not
  const auto tables = compiled(network);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  EXPECT_EQ(tables.prefixes.size(), 100'001U);
  EXPECT_LT(seconds, 6.0);
}

TEST(NamesToResolve, AreTheConcreteHostsOfScopeAndCatalogueInUseOnce) {
  model::Scope scope;
  scope.network = {host("api.anthropic.com"), host("*.github.com"), host("10.0.0.1"),
                   range("10.0.0.0", 8)};
  model::ScopeCredential own;
  own.name = "gh";
  own.destinations = {host("api.github.com")};
  scope.credentials = {own};
  model::Credential gh;
  gh.name = "gh";
  gh.destinations = {host("not-asked.github.com")};
  model::Credential gce;
  gce.name = "gce";
  gce.endpoints = {host("metadata.google.internal")};
  gce.destinations = {host("api.github.com"), host("www.googleapis.com")};
  EXPECT_THAT(names_to_resolve(scope, {&gh, &gce}),
              testing::ElementsAre("api.anthropic.com", "api.github.com",
                                   "metadata.google.internal", "www.googleapis.com"));
  DestinationInput input;
  input.network = &scope.network;
  input.always = {host("Resolver.Example.")};
  EXPECT_THAT(names_to_resolve(input),
              testing::ElementsAre("api.anthropic.com", "resolver.example"));
}

}  // namespace
}  // namespace ambit::policy
