// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/within.h"

#include <algorithm>
#include <optional>
#include <string>

#include "userspace/policy/destinations_within.h"
#include "userspace/policy/diagnostic_text.h"
#include "userspace/policy/document_scalar.h"
#include "userspace/policy/parse_scope.h"
#include "userspace/policy/within_names.h"

namespace ambit::policy {
namespace {

using model::Position;
using Rules = std::vector<model::DestinationRule>;
using Patterns = std::vector<model::Pattern>;

Position first_of(Position at, Position otherwise) { return at.line > 0 ? at : otherwise; }

template <typename E, std::size_t N>
std::string spelling(const std::array<Word<E>, N>& words, E value) {
  const auto* const word = std::ranges::find(words, value, &Word<E>::value);
  return word == words.end() ? std::string() : std::string(word->spelling);
}

bool has_bit(const model::CredentialMask& mask, std::uint8_t bit) {
  return (mask.at(bit / 64U) >> (bit % 64U) & 1U) != 0;
}

/// Whether a credential that is not listed is never opened, and so never held.
bool refuses_what_is_outside(const model::Scope& scope) {
  return scope.mode == model::Mode::enforce && scope.response.credential >= model::Response::deny;
}

const model::ScopeCredential* listed(const model::Scope& scope, const std::string& name) {
  const auto found = std::ranges::find(scope.credentials, name, &model::ScopeCredential::name);
  return found == scope.credentials.end() ? nullptr : &*found;
}

/// A credential as one of the two scopes uses it; by name where it is not listed.
struct Use {
  std::string name;
  const std::optional<Rules>* destinations = nullptr;  ///< the scope's own, else the catalogue's
  Patterns readers;  ///< expanded; they may take out what `destinations` name
  model::Holding holding = model::Holding::tree;
  Position at;
  Position destinations_at;
};

class Comparison {
 public:
  Comparison(const ParentTask& parent, const ExpandedScope& child,
             const model::Catalogue& catalogue, const NamesInForce& names)
      : parent_(parent),
        expanded_(child),
        child_(*child.scope),
        catalogue_(catalogue),
        names_(names) {}

  std::vector<Diagnostic> take() {
    check_whole();
    check_responses();
    check_end();
    check_privileges();
    check_environment();
    check_credentials();
    check_what_is_held();
    check_unlisted();
    check_network();
    check_exec();
    std::ranges::stable_sort(found_, {}, [](const Diagnostic& diagnostic) {
      return std::pair{diagnostic.line, diagnostic.column};
    });
    return std::move(found_);
  }

 private:
  void beyond(Position at, std::string message) {
    at = first_of(at, child_.places.spec);
    found_.push_back({.severity = DiagnosticSeverity::error,
                      .file = child_.source,
                      .line = at.line,
                      .column = at.column,
                      .message = std::move(message),
                      .source_line = {},
                      .caret = 0,
                      .suggestion = {}});
  }

  void check_whole() {
    const model::Scope& parent = parent_.scope;
    if (child_.on_behalf_of && child_.on_behalf_of != parent.on_behalf_of)
      beyond(child_.places.on_behalf_of,
             "onBehalfOf goes beyond the parent, which acts " +
                 (parent.on_behalf_of ? "on behalf of " + in_quotes(*parent.on_behalf_of)
                                      : std::string("on behalf of nobody")));
    if (child_.ttl > parent_.left)
      beyond(child_.places.ttl,
             "ttl goes beyond the parent, which has " + text_of_duration(parent_.left) + " left");
    if (child_.mode == model::Mode::shadow && parent.mode == model::Mode::enforce)
      beyond(child_.places.mode, "mode shadow goes beyond the parent, which enforces");
  }

  struct ResponseRow {
    std::string_view name;
    model::Response model::Responses::* response;
    Position model::ScopePlaces::* at;
  };

  void check_responses() {
    constexpr std::array kRows{
        ResponseRow{.name = "credential",
                    .response = &model::Responses::credential,
                    .at = &model::ScopePlaces::response_credential},
        ResponseRow{.name = "network",
                    .response = &model::Responses::network,
                    .at = &model::ScopePlaces::response_network},
        ResponseRow{.name = "exec",
                    .response = &model::Responses::exec,
                    .at = &model::ScopePlaces::response_exec},
        ResponseRow{.name = "blended",
                    .response = &model::Responses::blended,
                    .at = &model::ScopePlaces::response_blended},
    };
    for (const ResponseRow& row : kRows) {
      const model::Response own = child_.response.*row.response;
      const model::Response least = parent_.scope.response.*row.response;
      if (own >= least) continue;
      beyond(child_.places.*row.at, "response " + std::string(spelling_of(own)) + " for " +
                                        std::string(row.name) + " is milder than the parent's " +
                                        std::string(spelling_of(least)));
    }
  }

  /// After its end a scope answers connections with the response for the network, whatever is held:
  /// a child that ends before its parent would be let go by alert (core_decide_destination).
  void check_end() {
    const bool enforced = child_.mode == model::Mode::enforce;
    const model::Response least = parent_.scope.response.credential;
    if (!enforced || child_.response.network >= model::Response::deny) return;
    if (parent_.scope.mode == model::Mode::shadow || least < model::Response::deny) return;
    if (parent_.policy.restricted == model::CredentialMask{}) return;
    beyond(child_.places.response_network,
           "response alert for network lets go, when the scope has ended, of what the parent's " +
               std::string(spelling_of(least)) + " for credential stops");
  }

  void check_privileges() {
    for (const model::Privilege privilege : child_.privileges) {
      if (parent_.scope.privileges.contains(privilege)) continue;
      const auto at = child_.places.privileges.find(privilege);
      beyond(at == child_.places.privileges.end() ? Position{} : at->second,
             "privilege " + std::string(name_of(privilege)) + " is not the parent's");
    }
  }

  /// What the parent's command never had in its environment, the child's must not be given either.
  void check_environment() {
    if (!parent_.scope.strip_environment || child_.strip_environment) return;
    for (const model::Credential& credential : catalogue_.credentials) {
      if (credential.variables.empty() || listed(parent_.scope, credential.name) != nullptr)
        continue;
      beyond(child_.places.environment,
             "environment keep goes beyond the parent, which strips it, of " +
                 credential.variables.front() + " for one");
      return;
    }
  }

  [[nodiscard]] const model::Credential* known(const std::string& name) const {
    const auto found = std::ranges::find(catalogue_.credentials, name, &model::Credential::name);
    return found == catalogue_.credentials.end() ? nullptr : &*found;
  }

  [[nodiscard]] std::optional<std::uint8_t> parents_bit(const std::string& name) const {
    const model::Credential* const entry = known(name);
    if (entry == nullptr) return std::nullopt;
    const auto number = static_cast<std::uint16_t>(entry - catalogue_.credentials.data());
    const auto found = parent_.policy.bit_of_credential.find(number);
    if (found == parent_.policy.bit_of_credential.end()) return std::nullopt;
    return found->second;
  }

  [[nodiscard]] Use use_of(const model::ScopeCredential& credential, Patterns readers = {}) const {
    static const std::optional<Rules> kUnbound;
    const model::Credential* const entry = known(credential.name);
    const bool own = credential.destinations.has_value();
    return {
        .name = credential.name,
        .destinations = own || entry == nullptr ? &credential.destinations : &entry->destinations,
        .readers = std::move(readers),
        .holding = credential.holding,
        .at = credential.at,
        .destinations_at = first_of(credential.destinations_at, credential.at)};
  }

  /// As compiling takes one that a scope does not list.
  [[nodiscard]] static Use use_of(const model::Credential& credential, Position at) {
    return {.name = credential.name,
            .destinations = &credential.destinations,
            .readers = {},
            .holding = model::Holding::tree,
            .at = at,
            .destinations_at = at};
  }

  void check_credentials() {
    for (std::size_t i = 0; i < child_.credentials.size(); ++i) {
      const model::ScopeCredential& own = child_.credentials[i];
      const model::ScopeCredential* const other = listed(parent_.scope, own.name);
      const auto bit = parents_bit(own.name);
      if (other == nullptr || !bit) {
        beyond(own.at, "credential " + in_quotes(own.name) + " is not in the parent's scope");
        continue;
      }
      check_authority(own, *other);
      const Use use = use_of(own, expanded_.readers.at(i));
      check_readers(own, *other, *bit, i);
      check_holding(use, use_of(*other), first_of(own.holding_at, own.at));
      check_destinations(use, use_of(*other), *bit);
    }
  }

  void check_authority(const model::ScopeCredential& own, const model::ScopeCredential& other) {
    if (!own.authority || !other.authority || own.authority == other.authority) return;
    beyond(own.authority_at,
           "authority " + spelling(kAuthorities, *own.authority) + " of credential " +
               in_quotes(own.name) +
               " is not the parent's: " + spelling(kAuthorities, *other.authority));
  }

  /// Readers are asked about where the parent has some, and where it has destinations: a reader is
  /// one who uses the credential without handing it on, and in the tables of paths a name of a
  /// reader lets a Unix socket of that name be reached, too.
  void check_readers(const model::ScopeCredential& own, const model::ScopeCredential& other,
                     std::uint8_t bit, std::size_t index) {
    if (other.readers && !own.readers) {
      beyond(own.at, "credential " + in_quotes(own.name) +
                         " may be opened by any program, in the parent's scope by its readers");
      return;
    }
    if (!own.readers || !is_bound_by_mask(bit)) return;
    const Patterns& patterns = expanded_.readers.at(index);
    for (const model::Pattern& pattern : patterns) {
      if (pattern.exclude) continue;
      if (auto outside = names_.outside(pattern.text, patterns, permission_of(bit)))
        beyond(pattern.at,
               "readers of credential " + in_quotes(own.name) + ": " + *outside +
                   (other.readers ? " is none of the parent's"
                                  : " would use it unseen; the parent's scope has no readers, so "
                                    "that whoever is handed it holds it"));
    }
  }

  [[nodiscard]] static Permission permission_of(std::uint8_t bit) {
    return {.kind = Permission::Kind::credential, .bit = bit};
  }

  [[nodiscard]] bool is_bound_by_mask(std::uint8_t bit) const {
    return has_bit(parent_.policy.readers, bit) || has_bit(parent_.policy.restricted, bit);
  }

  void check_holding(const Use& own, const Use& other, Position at) {
    const auto strength = [](model::Holding holding) {
      constexpr std::array kWeakestFirst{model::Holding::process, model::Holding::tree,
                                         model::Holding::task};
      return std::ranges::find(kWeakestFirst, holding) - kWeakestFirst.begin();
    };
    if (strength(own.holding) >= strength(other.holding)) return;
    beyond(at, "holding " + spelling(kHoldings, own.holding) + " of credential " +
                   in_quotes(own.name) + " lets go of what the parent's " +
                   spelling(kHoldings, other.holding) + " holds");
  }

  void check_destinations(const Use& own, const Use& other, std::uint8_t bit) {
    const std::optional<Rules>& allowed = *other.destinations;
    const std::string what = "credential " + in_quotes(own.name);
    if (allowed && !*own.destinations) {
      beyond(own.destinations_at, what +
                                      " may be used anywhere, in the parent's scope only at its "
                                      "destinations");
      return;
    }
    if (!*own.destinations) return;
    for (const model::DestinationRule& rule : **own.destinations) {
      const bool is_own = own.destinations != catalogue_destinations(own.name);
      const Position at = is_own ? rule.at : own.destinations_at;
      std::optional<std::string> outside;
      if (rule.type == model::DestinationType::unix_socket) {
        if (is_bound_by_mask(bit))
          outside = names_.outside(rule.unix_path, own.readers, permission_of(bit));
      } else if (allowed) {
        outside = outside_of(*allowed, rule);
      }
      if (outside) beyond(at, what + " may not be used at " + *outside + " in the parent's scope");
    }
  }

  [[nodiscard]] const std::optional<Rules>* catalogue_destinations(const std::string& name) const {
    const model::Credential* const entry = known(name);
    return entry == nullptr ? nullptr : &entry->destinations;
  }

  /// A credential that is held has a bit in the child's policy, or nothing binds where it goes.
  void check_what_is_held() {
    const auto& names = parent_.policy.credential_of_bit;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string& name = names[i];
      const auto bit = static_cast<std::uint8_t>(i);
      if (!has_bit(parent_.held, bit) || !has_bit(parent_.policy.restricted, bit)) continue;
      if (listed(child_, name) != nullptr || gets_bit_unlisted(name)) continue;
      beyond(child_.places.credentials,
             "credential " + in_quotes(name) +
                 " is held already and not in this scope, so that nothing would bind its use");
    }
  }

  /// As compiling gives them out.
  [[nodiscard]] bool gets_bit_unlisted(const std::string& name) const {
    if (refuses_what_is_outside(child_)) return false;
    std::size_t bits = child_.credentials.size();
    for (const model::Credential& credential : catalogue_.credentials) {
      if (listed(child_, credential.name) != nullptr) continue;
      if (bits++ >= model::kMaxPolicyCredentials) return false;
      if (credential.name == name) return true;
    }
    return false;
  }

  /// In shadow, or where the response is only alert, what is outside comes to be held all the same,
  /// and is then bound by the catalogue instead of the parent's scope.
  void check_unlisted() {
    if (refuses_what_is_outside(child_) || refuses_what_is_outside(parent_.scope)) return;
    const Position at = first_of(
        child_.mode == model::Mode::shadow ? child_.places.mode : child_.places.response_credential,
        child_.places.credentials);
    for (const std::string& name : parent_.policy.credential_of_bit) {
      const model::Credential* const entry = known(name);
      const model::ScopeCredential* const other = listed(parent_.scope, name);
      if (entry == nullptr || listed(child_, name) != nullptr) continue;
      const auto bit = parents_bit(name);
      if (!gets_bit_unlisted(name)) {
        if (bit && has_bit(parent_.policy.restricted, *bit))
          beyond(at, "credential " + in_quotes(name) + " is one too many to be bound unlisted");
      } else if (other != nullptr && bit) {
        check_holding(use_of(*entry, at), use_of(*other), at);
        check_destinations(use_of(*entry, at), use_of(*other), *bit);
      }
    }
  }

  void check_network() {
    const auto& allowed = parent_.scope.network;
    if (!allowed) return;
    if (!child_.network) {
      beyond(child_.places.network,
             "the scope has no network section, so that all destinations "
             "are allowed; the parent's has one");
      return;
    }
    for (const model::DestinationRule& rule : *child_.network) {
      const auto outside =
          rule.type == model::DestinationType::unix_socket
              ? names_.outside(rule.unix_path, {}, {.kind = Permission::Kind::unix_socket})
              : outside_of(*allowed, rule);
      if (outside) beyond(rule.at, *outside + " is not in the parent's network.allow");
    }
  }

  void check_exec() {
    if (!parent_.scope.exec) return;
    if (!child_.exec) {
      beyond(child_.places.exec,
             "the scope has no exec section, so that all programs may run; the parent's has one");
      return;
    }
    for (const model::Pattern& pattern : expanded_.exec) {
      if (pattern.exclude) continue;
      if (auto outside =
              names_.outside(pattern.text, expanded_.exec, {.kind = Permission::Kind::program}))
        beyond(pattern.at, *outside + " is not in the parent's exec.allow");
    }
  }

  const ParentTask& parent_;
  const ExpandedScope& expanded_;
  const model::Scope& child_;
  const model::Catalogue& catalogue_;
  const NamesInForce& names_;
  std::vector<Diagnostic> found_;
};

}  // namespace

Result<std::vector<Diagnostic>> beyond_parent(const ParentTask& parent, const ExpandedScope& child,
                                              const model::Catalogue& catalogue,
                                              const FileSystem& files) {
  auto names = NamesInForce::of(parent.policy, files);
  if (!names) return std::unexpected(names.error());
  return Comparison(parent, child, catalogue, **names).take();
}

}  // namespace ambit::policy
