// SPDX-License-Identifier: Apache-2.0
#include "tests/within/world_draw.h"

#include "tests/unit/policy/destinations_literal.h"

namespace ambit::policy::within {

namespace {

using model::DestinationRule;
using model::Pattern;

constexpr std::array kFolders{"/b", "/o", "/o/t", "/o/t/u", "/run"};

model::AddressRange draw_range(Dice& dice) {
  struct Row {
    std::string_view address;
    std::uint8_t prefix;
  };
  constexpr std::array kRanges{Row{"10.0.0.0", 104}, Row{"10.0.0.0", 120}, Row{"10.0.0.0", 126},
                               Row{"10.0.0.1", 128}, Row{"10.9.0.0", 112}, Row{"10.9.9.9", 128},
                               Row{"0.0.0.0", 96},   Row{"fd00::", 8},     Row{"fd00::", 64},
                               Row{"fd00::2", 128},  Row{"::", 0}};
  const Row row = dice.pick(kRanges);
  return {.address = probe::ip(row.address), .prefix = row.prefix};
}

model::Response draw_response(Dice& dice) {
  return static_cast<model::Response>(1 + dice.below(4));
}

}  // namespace

Pattern draw_pattern(Dice& dice) {
  const std::string folder = dice.pick(kFolders);
  const std::string star = dice.pick(kStars);
  switch (dice.below(7)) {
    case 0:
      return {.text = folder + "/**"};
    case 1:
    case 2:
      return {.text = folder + "/" + star};
    case 3:
      return {.text = "/o/*/a"};
    case 4:
      return {.text = dice.one_in(2) ? "**/a" : "**/" + std::string(dice.pick(kStars)) + "b"};
    default:
      return {.text = some_path(dice)};
  }
}

Patterns draw_patterns(Dice& dice) {
  Patterns patterns(1 + dice.below(3));
  for (Pattern& pattern : patterns) pattern = draw_pattern(dice);
  if (dice.one_in(3)) {
    patterns.push_back(draw_pattern(dice));
    patterns.back().exclude = true;
  }
  return patterns;
}

DestinationRule draw_rule(Dice& dice) {
  DestinationRule rule;
  switch (dice.below(5)) {
    case 0:
      rule.type = model::DestinationType::unix_socket;
      rule.unix_path = dice.pick(kSockets);
      return rule;
    case 1:
    case 2:
      rule.host = dice.pick(kHosts);
      break;
    default:
      rule.type = model::DestinationType::range;
      rule.range = draw_range(dice);
  }
  for (std::uint32_t i = dice.below(3); i-- > 0;) {
    const auto first = static_cast<std::uint16_t>(dice.below(8));
    rule.ports.push_back(
        {.first = first, .last = static_cast<std::uint16_t>(first + dice.below(4))});
  }
  if (dice.one_in(4)) rule.protocols = {static_cast<std::uint8_t>(dice.one_in(2) ? 6 : 17)};
  return rule;
}

Rules draw_rules(Dice& dice) {
  Rules rules(dice.below(4));
  for (DestinationRule& rule : rules) rule = draw_rule(dice);
  return rules;
}

model::ScopeCredential draw_credential(Dice& dice, std::string name) {
  model::ScopeCredential out;
  out.name = std::move(name);
  if (dice.one_in(2)) out.readers = draw_patterns(dice);
  if (dice.one_in(2)) out.destinations = draw_rules(dice);
  out.holding = static_cast<model::Holding>(dice.below(3));
  return out;
}

model::Scope draw_scope(Dice& dice, const Ground& ground) {
  model::Scope scope;
  scope.name = "drawn";
  scope.agent = "urn:a";
  scope.ttl = std::chrono::nanoseconds{1 + dice.below(100)};
  if (dice.one_in(6)) scope.mode = model::Mode::shadow;
  for (const model::Credential& credential : ground.catalogue.credentials)
    if (!dice.one_in(3)) scope.credentials.push_back(draw_credential(dice, credential.name));
  if (!dice.one_in(3)) scope.network = draw_rules(dice);
  if (!dice.one_in(3)) scope.exec = draw_patterns(dice);
  for (std::uint32_t i = dice.below(3); i-- > 0;)
    scope.privileges.insert(
        static_cast<model::Privilege>(1 + dice.below(model::kPrivileges.size() - 1)));
  scope.response = {.credential = draw_response(dice),
                    .network = draw_response(dice),
                    .exec = draw_response(dice)};
  return scope;
}

}  // namespace ambit::policy::within
