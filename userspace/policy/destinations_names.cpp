// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "userspace/policy/destinations.h"

namespace ambit::policy {
namespace {

class Names {
 public:
  void add(const std::vector<model::DestinationRule>& rules) {
    for (const model::DestinationRule& rule : rules) {
      if (rule.type == model::DestinationType::host && !is_wildcard(rule.host) &&
          !address_of(rule.host)) {
        names_.insert(plain_host(rule.host));
      }
    }
  }
  void add(const std::optional<std::vector<model::DestinationRule>>& rules) {
    if (rules) {
      add(*rules);
    }
  }
  [[nodiscard]] std::vector<std::string> sorted() const { return {names_.begin(), names_.end()}; }

 private:
  std::set<std::string> names_;
};

}  // namespace

std::vector<std::string> names_to_resolve(const DestinationInput& input) {
  Names names;
  if (input.network != nullptr) {
    names.add(*input.network);
  }
  for (const CredentialDestinations& credential : input.restricted) {
    names.add(credential.rules);
  }
  for (const CredentialEndpoints& credential : input.endpoints) {
    names.add(credential.rules);
  }
  names.add(input.always);
  return names.sorted();
}

std::vector<std::string> names_to_resolve(const model::Scope& scope,
                                          const std::vector<const model::Credential*>& in_use) {
  Names names;
  names.add(scope.network);
  std::set<std::string_view> own;
  for (const model::ScopeCredential& credential : scope.credentials) {
    names.add(credential.destinations);
    if (credential.destinations) {
      own.insert(credential.name);
    }
  }
  for (const model::Credential* credential : in_use) {
    names.add(credential->endpoints);
    if (!own.contains(credential->name)) {
      names.add(credential->destinations);
    }
  }
  return names.sorted();
}

}  // namespace ambit::policy
