// SPDX-License-Identifier: Apache-2.0
// Children that are narrower than their parent in some ways and wider in others.
#include <algorithm>

#include "tests/within/world_draw.h"

namespace ambit::policy::within {

namespace {

using model::DestinationRule;
using model::Pattern;

// Each way to make a scope narrower or wider; false where it has nothing to work on.

Rules* some_rules(Dice& dice, model::Scope& scope, bool network) {
  std::vector<Rules*> lists;
  if (network && scope.network) lists.push_back(&*scope.network);
  if (!network)
    for (model::ScopeCredential& credential : scope.credentials)
      if (credential.destinations) lists.push_back(&*credential.destinations);
  std::erase_if(lists, [](const Rules* rules) { return rules->empty(); });
  return lists.empty() ? nullptr : dice.pick(lists);
}

DestinationRule* some_rule(Dice& dice, model::Scope& scope) {
  Rules* const rules = some_rules(dice, scope, dice.one_in(2));
  return rules == nullptr ? nullptr
                          : &rules->at(dice.below(static_cast<std::uint32_t>(rules->size())));
}

model::ScopeCredential* some_credential(Dice& dice, model::Scope& scope) {
  if (scope.credentials.empty()) return nullptr;
  return &scope.credentials.at(dice.below(static_cast<std::uint32_t>(scope.credentials.size())));
}

Patterns* some_patterns(Dice& dice, model::Scope& scope) {
  std::vector<Patterns*> lists;
  if (scope.exec) lists.push_back(&*scope.exec);
  for (model::ScopeCredential& credential : scope.credentials)
    if (credential.readers) lists.push_back(&*credential.readers);
  return lists.empty() ? nullptr : dice.pick(lists);
}

bool drop_credential(Dice& dice, model::Scope& scope) {
  if (scope.credentials.empty()) return false;
  scope.credentials.erase(scope.credentials.begin() +
                          static_cast<std::ptrdiff_t>(
                              dice.below(static_cast<std::uint32_t>(scope.credentials.size()))));
  return true;
}

bool drop_rule(Dice& dice, model::Scope& scope) {
  Rules* const rules = some_rules(dice, scope, dice.one_in(2));
  if (rules == nullptr) return false;
  rules->pop_back();
  return true;
}

bool narrow_rule(Dice& dice, model::Scope& scope) {
  DestinationRule* const rule = some_rule(dice, scope);
  if (rule == nullptr) return false;
  if (rule->type == model::DestinationType::unix_socket) {
    if (rule->unix_path.ends_with("/**") || rule->unix_path == "/run/*")
      rule->unix_path = rule->unix_path.substr(0, rule->unix_path.find('*')) + "a*";
    return true;
  }
  if (dice.one_in(2) && rule->ports.empty()) {
    rule->ports = {{.first = 2, .last = 3}};
  } else if (rule->type == model::DestinationType::host && rule->host.starts_with("*.")) {
    rule->host = "a" + rule->host.substr(1);
  } else if (rule->type == model::DestinationType::range && rule->range.prefix < 128) {
    ++rule->range.prefix;
  } else {
    rule->protocols = {rule->protocols.empty() ? std::uint8_t{6} : rule->protocols.front()};
  }
  return true;
}

/// Another pattern in a place of the old one, whose names it has.
bool narrow_pattern(Dice& dice, model::Scope& scope) {
  Patterns* const patterns = some_patterns(dice, scope);
  if (patterns == nullptr || patterns->empty()) return false;
  Pattern& pattern = patterns->at(dice.below(static_cast<std::uint32_t>(patterns->size())));
  if (pattern.exclude) return false;
  if (pattern.text.ends_with("/**")) {
    pattern.text = pattern.text.substr(0, pattern.text.size() - 2) + dice.pick(kStars);
  } else if (!pattern.text.starts_with("**")) {
    const std::size_t star = pattern.text.find('*');
    if (star != std::string::npos) pattern.text.replace(star, 1, "a");
  }
  return true;
}

bool drop_pattern(Dice& dice, model::Scope& scope) {
  Patterns* const patterns = some_patterns(dice, scope);
  if (patterns == nullptr || patterns->empty() || patterns->front().exclude) return false;
  patterns->erase(patterns->begin());
  return true;
}

bool exclude_more(Dice& dice, model::Scope& scope) {
  Patterns* const patterns = some_patterns(dice, scope);
  if (patterns == nullptr) return false;
  patterns->push_back(draw_pattern(dice));
  patterns->back().exclude = true;
  return true;
}

bool bind_more(Dice& dice, model::Scope& scope) {
  model::ScopeCredential* const credential = some_credential(dice, scope);
  if (dice.one_in(2) && credential != nullptr) {
    if (!credential->readers) credential->readers = draw_patterns(dice);
    return true;
  }
  if (!scope.network) scope.network = draw_rules(dice);
  if (!scope.exec) scope.exec = draw_patterns(dice);
  return true;
}

bool hold_longer(Dice& dice, model::Scope& scope) {
  model::ScopeCredential* const credential = some_credential(dice, scope);
  if (credential == nullptr) return false;
  credential->holding =
      credential->holding == model::Holding::process ? model::Holding::tree : model::Holding::task;
  return true;
}

bool answer_harder(Dice& dice, model::Scope& scope) {
  if (dice.one_in(2)) scope.mode = model::Mode::enforce;
  if (dice.one_in(2)) scope.response.credential = model::Response::kill_task;
  if (dice.one_in(2)) scope.response.network = model::Response::kill_task;
  if (dice.one_in(2)) scope.response.exec = model::Response::kill_task;
  return true;
}

bool less_time(Dice& dice, model::Scope& scope) {
  scope.ttl =
      std::chrono::nanoseconds{1 + dice.below(static_cast<std::uint32_t>(scope.ttl.count()))};
  scope.privileges.clear();
  return true;
}

using Change = bool (*)(Dice&, model::Scope&);
constexpr std::array<Change, 11> kNarrowings{
    drop_credential, drop_rule,   narrow_rule,   narrow_pattern, drop_pattern, exclude_more,
    bind_more,       hold_longer, answer_harder, less_time,      narrow_rule};

bool add_credential(Dice& dice, model::Scope& scope) {
  for (unsigned i = 0; i < 4; ++i) {
    const std::string name = "c" + std::to_string(i);
    if (std::ranges::find(scope.credentials, name, &model::ScopeCredential::name) !=
        scope.credentials.end())
      continue;
    scope.credentials.push_back(draw_credential(dice, name));
    return true;
  }
  return false;
}

bool forget_readers(Dice& dice, model::Scope& scope) {
  model::ScopeCredential* const credential = some_credential(dice, scope);
  if (credential == nullptr || !credential->readers) return false;
  credential->readers.reset();
  return true;
}

bool widen_readers(Dice& dice, model::Scope& scope) {
  model::ScopeCredential* const credential = some_credential(dice, scope);
  if (credential == nullptr || !credential->readers) return false;
  credential->readers->push_back(draw_pattern(dice));
  return true;
}

bool forget_destinations(Dice& dice, model::Scope& scope) {
  model::ScopeCredential* const credential = some_credential(dice, scope);
  if (credential == nullptr || !credential->destinations) return false;
  credential->destinations.reset();
  return true;
}

bool widen_destinations(Dice& dice, model::Scope& scope) {
  model::ScopeCredential* const credential = some_credential(dice, scope);
  if (credential == nullptr) return false;
  if (!credential->destinations) credential->destinations.emplace();
  credential->destinations->push_back(draw_rule(dice));
  return true;
}

bool hold_less(Dice& dice, model::Scope& scope) {
  model::ScopeCredential* const credential = some_credential(dice, scope);
  if (credential == nullptr || credential->holding == model::Holding::process) return false;
  credential->holding =
      credential->holding == model::Holding::task ? model::Holding::tree : model::Holding::process;
  return true;
}

bool forget_network(Dice&, model::Scope& scope) {
  const bool there = scope.network.has_value();
  scope.network.reset();
  return there;
}

bool add_socket(Dice& dice, model::Scope& scope) {
  if (!scope.network) return false;
  DestinationRule rule;
  rule.type = model::DestinationType::unix_socket;
  rule.unix_path = dice.pick(kSockets);
  scope.network->push_back(rule);
  return true;
}

bool add_host(Dice& dice, model::Scope& scope) {
  if (!scope.network) return false;
  DestinationRule rule;
  rule.host = dice.pick(kHosts);
  scope.network->push_back(rule);
  return true;
}

DestinationRule* some_inet_rule(Dice& dice, model::Scope& scope) {
  DestinationRule* const rule = some_rule(dice, scope);
  return rule == nullptr || rule->type == model::DestinationType::unix_socket ? nullptr : rule;
}

bool widen_range(Dice& dice, model::Scope& scope) {
  DestinationRule* const rule = some_inet_rule(dice, scope);
  if (rule == nullptr || rule->type != model::DestinationType::range || rule->range.prefix == 0)
    return false;
  rule->range.prefix = static_cast<std::uint8_t>(
      rule->range.prefix - 1 - dice.below(std::min<std::uint32_t>(rule->range.prefix, 16)));
  return true;
}

bool widen_ports(Dice& dice, model::Scope& scope) {
  DestinationRule* const rule = some_inet_rule(dice, scope);
  if (rule == nullptr || rule->ports.empty()) return false;
  ++rule->ports.back().last;
  return true;
}

bool widen_protocols(Dice& dice, model::Scope& scope) {
  DestinationRule* const rule = some_inet_rule(dice, scope);
  if (rule == nullptr) return false;
  if (rule->protocols.empty()) rule->protocols = {6, 17};
  rule->protocols.push_back(rule->protocols.size() == 1 && dice.one_in(2) ? 17 : 1);
  return true;
}

bool forget_exec(Dice&, model::Scope& scope) {
  const bool there = scope.exec.has_value();
  scope.exec.reset();
  return there;
}

bool add_program(Dice& dice, model::Scope& scope) {
  if (!scope.exec) return false;
  scope.exec->push_back(draw_pattern(dice));
  return true;
}

bool forget_exclusion(Dice& dice, model::Scope& scope) {
  Patterns* const patterns = some_patterns(dice, scope);
  return patterns != nullptr &&
         std::erase_if(*patterns, [](const Pattern& pattern) { return pattern.exclude; }) > 0;
}

bool add_privilege(Dice& dice, model::Scope& scope) {
  return scope.privileges
      .insert(static_cast<model::Privilege>(1 + dice.below(model::kPrivileges.size() - 1)))
      .second;
}

template <model::Response model::Responses::* Member>
bool answer_milder(Dice&, model::Scope& scope) {
  model::Response& response = scope.response.*Member;
  if (response == model::Response::alert) return false;
  response = static_cast<model::Response>(static_cast<int>(response) - 1);
  return true;
}

bool only_watch(Dice&, model::Scope& scope) {
  const bool enforced = scope.mode == model::Mode::enforce;
  scope.mode = model::Mode::shadow;
  return enforced;
}

bool more_time(Dice& dice, model::Scope& scope) {
  scope.ttl += std::chrono::nanoseconds{1 + dice.below(100)};
  return true;
}

struct Widening {
  std::string_view kind;
  Change change;
};
constexpr std::array kWidenings{
    Widening{"a credential more", add_credential},
    Widening{"no readers", forget_readers},
    Widening{"a reader more", widen_readers},
    Widening{"no destinations of a credential", forget_destinations},
    Widening{"a destination more of a credential", widen_destinations},
    Widening{"a weaker holding", hold_less},
    Widening{"no network section", forget_network},
    Widening{"a Unix socket more", add_socket},
    Widening{"a host more", add_host},
    Widening{"a wider range", widen_range},
    Widening{"more ports", widen_ports},
    Widening{"more protocols", widen_protocols},
    Widening{"no exec section", forget_exec},
    Widening{"a program more", add_program},
    Widening{"an exclusion less", forget_exclusion},
    Widening{"a privilege more", add_privilege},
    Widening{"a milder response for credentials", answer_milder<&model::Responses::credential>},
    Widening{"a milder response for the network", answer_milder<&model::Responses::network>},
    Widening{"a milder response for programs", answer_milder<&model::Responses::exec>},
    Widening{"shadow", only_watch},
    Widening{"more time", more_time},
};

}  // namespace

Child draw_child(Dice& dice, const Ground& ground, const model::Scope& parent) {
  if (dice.one_in(20)) return {.scope = draw_scope(dice, ground), .kinds = {}};
  Child child{.scope = parent, .kinds = {}};
  for (std::uint32_t i = dice.below(4); i-- > 0;) (void)dice.pick(kNarrowings)(dice, child.scope);
  for (std::uint32_t i = dice.one_in(2) ? 1 + dice.below(2) : 0; i-- > 0;) {
    const Widening& widening = dice.pick(kWidenings);
    if (widening.change(dice, child.scope)) child.kinds.push_back(widening.kind);
  }
  return child;
}

std::vector<std::string_view> widening_kinds() {
  std::vector<std::string_view> kinds;
  for (const Widening& widening : kWidenings) kinds.push_back(widening.kind);
  return kinds;
}

}  // namespace ambit::policy::within
