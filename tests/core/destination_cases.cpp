// SPDX-License-Identifier: Apache-2.0
// Destinations: whether the network section and every held credential allow them.
#include <arpa/inet.h>

#include "tests/core/cases.h"
#include "userspace/policy/encode.h"

namespace ambit::policy {

namespace {

using model::Effect;
using model::Reason;
using model::Response;

constexpr std::uint32_t kSlot = 2;
constexpr std::uint32_t kPolicy = 11;
constexpr std::uint64_t kNow = 50;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kIcmp = 1;

// Bits: 0 is free, 1 bound to hosts A, 2 bound to hosts B, 3 is that of the metadata endpoint.
constexpr std::uint16_t kFree = 0;
constexpr std::uint16_t kForA = 1;
constexpr std::uint16_t kForB = 2;
constexpr std::uint16_t kOfEndpoint = 3;
constexpr std::uint16_t kUnlisted = 4;

std::array<std::uint8_t, 16> address(const char* text) {
  std::array<std::uint8_t, 16> out{};
  if (::inet_pton(AF_INET6, text, out.data()) == 1) return out;
  out[10] = out[11] = 0xff;
  ::inet_pton(AF_INET, text, &out[12]);
  return out;
}

model::CompiledPrefix prefix(const char* text, int length, std::uint32_t set) {
  const bool four = std::string_view(text).find(':') == std::string_view::npos;
  return {.range = {.address = address(text),
                    .prefix = static_cast<std::uint8_t>(length + (four ? 96 : 0))},
          .set = set};
}

// Sets by their numbers; what a host's longer range says stands whole in its set.
model::CompiledDestinations destinations() {
  return {
      .prefixes = {prefix("10.0.0.0", 8, 1), prefix("10.9.0.0", 16, 2),
                   prefix("203.0.113.7", 32, 3), prefix("2001:db8::", 32, 1),
                   prefix("169.254.169.254", 32, 4), prefix("9.9.9.9", 32, 5)},
      .ports =
          {
              // A: TCP 443 and 8000 to 8007, all of the network's own.
              {.set = 1,
               .protocol = kTcp,
               .port = 443,
               .in_network = true,
               .allowed = mask_of({kForA})},
              {.set = 1,
               .protocol = kTcp,
               .port = 8000,
               .prefix = 13,
               .in_network = true,
               .allowed = mask_of({kForA})},
              // B: everything of TCP for B; 22 for both.
              {.set = 2,
               .protocol = kTcp,
               .port = 0,
               .prefix = 0,
               .in_network = true,
               .allowed = mask_of({kForB})},
              {.set = 2,
               .protocol = kTcp,
               .port = 22,
               .in_network = true,
               .allowed = mask_of({kForA, kForB})},
              // Where a credential may be used, and that the network section does not name.
              {.set = 3,
               .protocol = kTcp,
               .port = 443,
               .in_network = false,
               .allowed = mask_of({kForA})},
              {.set = 4,
               .protocol = kTcp,
               .port = 80,
               .in_network = true,
               .allowed = mask_of({kOfEndpoint}),
               .endpoint_of = {77}},
              {.set = 4, .protocol = kTcp, .port = 81, .in_network = true, .endpoint_of = {77, 78}},
              {.set = 5, .protocol = kUdp, .port = 53, .always = true},
              {.set = 5, .protocol = kUdp, .port = 54, .always = true, .endpoint_of = {78}},
          },
      .name_of_address = {}};
}

struct Given {
  bool bound = true;
  bool shadow = false;
  std::uint64_t expires = 0;
  Response credential = Response::kill;
  Response network = Response::deny;
};

std::vector<model::TableEntry> tables(const Given& given) {
  model::CompiledPolicy policy;
  policy.shadow = given.shadow;
  policy.network_bound = given.bound;
  policy.response = {
      .credential = given.credential, .network = given.network, .exec = Response::alert};
  policy.bit_of_credential = {{77, kOfEndpoint}, {78, kUnlisted}};
  policy.credential_of_bit = {"free", "for-a", "for-b", "of-endpoint", "unlisted"};
  policy.inside = mask_of({kFree, kForA, kForB, kOfEndpoint});
  policy.restricted = mask_of({kForA, kForB, kOfEndpoint});
  policy.destinations = destinations();
  auto out = encode_policy(policy, {.policy = kPolicy, .credential_space = 1, .program_space = 2});
  // A neighbour that may go everywhere: nothing of it may be mixed up with this one.
  model::CompiledDestinations everywhere;
  everywhere.prefixes = {prefix("::", 0, 90), prefix("1.1.1.1", 32, 90)};
  everywhere.ports = {{.set = 90, .protocol = kTcp, .prefix = 0, .in_network = true}};
  const auto neighbour = encode_destinations(everywhere, kPolicy + 1);
  out.insert(out.end(), neighbour.begin(), neighbour.end());
  out.push_back(encode_task({.slot = kSlot, .policy = kPolicy, .expires_boot_ns = given.expires}));
  return out;
}

Answer allowed(std::vector<std::uint16_t> gained = {}) {
  return {.decided = true, .gained = std::move(gained)};
}

Answer not_in_scope() {
  return {.decided = true,
          .reason = Reason::destination_not_in_scope,
          .requested = Response::deny,
          .effect = Effect::denied};
}

Answer not_for(std::vector<std::uint16_t> blocking) {
  return {.decided = true,
          .reason = Reason::destination_not_for_credential,
          .requested = Response::kill,
          .effect = Effect::killed,
          .blocking = std::move(blocking)};
}

Answer expired() {
  return {.decided = true,
          .reason = Reason::scope_expired,
          .requested = Response::deny,
          .effect = Effect::denied};
}

struct To {
  const char* address;
  std::uint16_t port;
  std::uint8_t protocol = kTcp;
  bool own = false;
  bool other = false;
};

struct Going {
  const char* name;
  To to;
  std::vector<std::uint16_t> held;
  Answer expected;
  Given given = {};
};

std::vector<Going> network_section() {
  return {
      {"AnAllowedPortOfAnAllowedRange", {"10.1.2.3", 443}, {}, allowed()},
      {"AnotherPortOfAnAllowedRange", {"10.1.2.3", 444}, {}, not_in_scope()},
      {"AnotherProtocolOfAnAllowedPort", {"10.1.2.3", 443, kUdp}, {}, not_in_scope()},
      {"TheFirstPortOfARange", {"10.1.2.3", 8000}, {}, allowed()},
      {"TheLastPortOfARange", {"10.1.2.3", 8007}, {}, allowed()},
      {"OneBeforeARange", {"10.1.2.3", 7999}, {}, not_in_scope()},
      {"OneBehindARange", {"10.1.2.3", 8008}, {}, not_in_scope()},
      {"AnAddressThatNothingNames", {"1.1.1.1", 443}, {}, not_in_scope()},
      {"AnIpv6AddressOfARange", {"2001:db8::1", 443}, {}, allowed()},
      {"AnIpv6AddressBesideARange", {"2001:db9::1", 443}, {}, not_in_scope()},
      {"AMappedAddressIsTheIpv4One", {"::ffff:10.1.2.3", 443}, {}, allowed()},
      {"AnIpv4CompatibleAddressIsNot", {"::10.1.2.3", 443}, {}, not_in_scope()},
      {"TheLongerRangeDecidesAlone", {"10.9.0.1", 443}, {kForA}, not_for({kForA})},
      {"EveryPortOfAProtocol", {"10.9.255.255", 65535}, {}, allowed()},
      {"PortZeroIsAPort", {"10.9.0.1", 0}, {}, allowed()},
      {"NamedForACredentialIsNotNamedForTheNetwork", {"203.0.113.7", 443}, {kForA}, not_in_scope()},
      {"WithoutANetworkSectionEveryPlaceIsOpen", {"1.1.1.1", 443}, {}, allowed(), {.bound = false}},
      {"AProtocolWithoutPorts", {"10.1.2.3", 0, kIcmp}, {}, not_in_scope()},
      {"AnotherFamilyIsNoDestinationOfAnyTable",
       {.address = "10.1.2.3", .port = 443, .other = true},
       {},
       not_in_scope()},
  };
}

std::vector<Going> held_credentials() {
  return {
      {"AHeldCredentialAtItsOwnPlace", {"10.1.2.3", 443}, {kForA}, allowed()},
      {"AHeldCredentialElsewhereIsTheCredentialsAffair",
       {"10.9.0.1", 443},
       {kForA},
       not_for({kForA})},
      {"AFreeCredentialGoesAnywhereTheNetworkAllows", {"10.9.0.1", 443}, {kFree}, allowed()},
      {"EveryHeldCredentialMustBeAllowed",
       {"10.1.2.3", 443},
       {kFree, kForA, kForB},
       not_for({kForB})},
      {"APlaceForBothTakesBoth", {"10.9.0.1", 22}, {kForA, kForB}, allowed()},
      {"EachThatForbidsIsNamed", {"1.1.1.1", 1}, {kForA, kForB}, not_for({kForA, kForB})},
      {"CredentialsBindWithoutANetworkSection",
       {"1.1.1.1", 443},
       {kForA},
       not_for({kForA}),
       {.bound = false}},
      {"WithoutANetworkSectionTheirPlacesAreOpen",
       {"203.0.113.7", 443},
       {kForA},
       allowed(),
       {.bound = false}},
      {"TheStrongerOfTwoResponsesStays",
       {"1.1.1.1", 443},
       {kForA},
       {.decided = true,
        .reason = Reason::destination_not_in_scope,
        .requested = Response::kill_task,
        .effect = Effect::task_killed,
        .blocking = {kForA}},
       {.network = Response::kill_task}},
      {"TheCredentialIsNamedFirstOnATie",
       {"1.1.1.1", 443},
       {kForA},
       {.decided = true,
        .reason = Reason::destination_not_for_credential,
        .requested = Response::deny,
        .effect = Effect::denied,
        .blocking = {kForA}},
       {.credential = Response::deny}},
      {"AnotherFamilyIsForNoHeldCredential",
       {.address = "10.1.2.3", .port = 443, .other = true},
       {kForA},
       not_for({kForA})},
      {"ShadowNamesWhatForbidsAndLetsGo",
       {"10.9.0.1", 443},
       {kForA},
       {.decided = true,
        .reason = Reason::destination_not_for_credential,
        .requested = Response::kill,
        .effect = Effect::alerted,
        .shadow = true,
        .blocking = {kForA}},
       {.shadow = true}},
  };
}

std::vector<Going> special_places() {
  return {
      {"TheResolverIsInsideWhateverIsHeld", {"9.9.9.9", 53, kUdp}, {kForA, kForB}, allowed()},
      {"TheResolversOtherPortsAreNot", {"9.9.9.9", 53}, {}, not_in_scope()},
      {"APortOfTheTasksOwnIsInside",
       {.address = "127.0.0.1", .port = 9000, .own = true},
       {kForA},
       allowed()},
      {"LoopbackOfOthersIsNot", {"127.0.0.1", 9000}, {}, not_in_scope()},
      {"AnEndpointIsOpenedByGoingThere", {"169.254.169.254", 80}, {}, allowed({kOfEndpoint})},
      {"AnEndpointMayBeForbiddenToWhatIsHeld",
       {"169.254.169.254", 80},
       {kForA},
       {.decided = true,
        .reason = Reason::destination_not_for_credential,
        .requested = Response::kill,
        .effect = Effect::killed,
        .blocking = {kForA},
        .gained = {kOfEndpoint}}},
      {"AnEndpointOfTwoCredentialsNeedsBothInside",
       {"169.254.169.254", 81},
       {},
       {.decided = true,
        .reason = Reason::credential_not_in_scope,
        .requested = Response::kill,
        .effect = Effect::killed,
        .gained = {kOfEndpoint, kUnlisted}}},
      {"AnEndpointOutsideIsOutsideEvenAtAResolver",
       {"9.9.9.9", 54, kUdp},
       {},
       {.decided = true,
        .reason = Reason::credential_not_in_scope,
        .requested = Response::kill,
        .effect = Effect::killed,
        .gained = {kUnlisted}}},
  };
}

std::vector<Going> after_the_end() {
  return {
      {"NothingIsReachedOnceExpired", {"10.1.2.3", 443}, {}, expired(), {.expires = kNow}},
      {"NotEvenTheResolver", {"9.9.9.9", 53, kUdp}, {}, expired(), {.expires = 1}},
      {"NotEvenAPortOfItsOwn",
       {.address = "127.0.0.1", .port = 9000, .own = true},
       {},
       expired(),
       {.expires = 1}},
      {"ExpiryBindsWithoutANetworkSection",
       {"1.1.1.1", 443},
       {},
       expired(),
       {.bound = false, .expires = 1}},
      {"AHeldCredentialForbidsAfterExpiryWhatItForbadeBefore",
       {"10.9.0.1", 443},
       {kForA},
       not_for({kForA}),
       {.expires = 1, .network = Response::alert}},
      {"WhatTheNetworkSectionRefusedIsOfTheSameStrengthAfterExpiry",
       {"1.1.1.1", 443},
       {},
       expired(),
       {.expires = 1}},
      {"AHeldCredentialAtItsOwnPlaceExpiresWithTheNetwork",
       {"10.1.2.3", 443},
       {kForA},
       expired(),
       {.expires = 1}},
  };
}

}  // namespace

std::vector<Case> destination_cases() {
  std::vector<Case> out;
  for (const auto& all : {network_section(), held_credentials(), special_places(), after_the_end()})
    for (const Going& going : all)
      out.push_back({.name = going.name,
                     .tables = tables(going.given),
                     .operation = Reach{.subject = {.slot = kSlot,
                                                    .held = mask_of(going.held),
                                                    .readers = {},
                                                    .now_boot_ns = kNow},
                                        .to = {.address = address(going.to.address),
                                               .port = going.to.port,
                                               .protocol = going.to.protocol,
                                               .own = going.to.own,
                                               .other = going.to.other}},
                     .expected = going.expected});
  return out;
}

}  // namespace ambit::policy
