// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/environment.h"

#include <algorithm>
#include <set>

namespace ambit::policy {
namespace {

std::string_view name_in(std::string_view entry) { return entry.substr(0, entry.find('=')); }

std::vector<const model::Credential*> outside(const model::Catalogue& catalogue,
                                              const model::Scope& scope) {
  std::set<std::string_view> inside;
  for (const model::ScopeCredential& credential : scope.credentials) {
    inside.insert(credential.name);
  }
  std::vector<const model::Credential*> result;
  for (const model::Credential& credential : catalogue.credentials) {
    if (!inside.contains(credential.name)) {
      result.push_back(&credential);
    }
  }
  return result;
}

/// Names that have a value in any of their repeats: programs differ in which one they take.
std::set<std::string_view> names_with_value(const Environment& environment) {
  std::set<std::string_view> names;
  for (const std::string_view entry : environment) {
    const std::string_view name = name_in(entry);
    if (entry.size() > name.size() + 1) {
      names.insert(name);
    }
  }
  return names;
}

}  // namespace

std::optional<std::string_view> variable_of(const Environment& environment, std::string_view name) {
  for (const std::string_view entry : environment) {
    if (entry.size() > name.size() && name_in(entry) == name) {
      return entry.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

std::vector<EnvironmentSecret> find_environment_secrets(const Environment& environment,
                                                        const model::Catalogue& catalogue,
                                                        const model::Scope& scope) {
  const std::set<std::string_view> present = names_with_value(environment);
  std::vector<EnvironmentSecret> found;
  for (const model::Credential* credential : outside(catalogue, scope)) {
    EnvironmentSecret secret{.credential = credential->name, .variables = {}};
    std::ranges::copy_if(credential->variables, std::back_inserter(secret.variables),
                         [&](const std::string& name) { return present.contains(name); });
    if (!secret.variables.empty()) {
      found.push_back(std::move(secret));
    }
  }
  return found;
}

Environment strip_environment(const Environment& environment, const model::Catalogue& catalogue,
                              const model::Scope& scope) {
  std::set<std::string_view> names;
  for (const model::Credential* credential : outside(catalogue, scope)) {
    names.insert(credential->variables.begin(), credential->variables.end());
  }
  Environment kept;
  std::ranges::copy_if(environment, std::back_inserter(kept),
                       [&](const std::string& entry) { return !names.contains(name_in(entry)); });
  return kept;
}

}  // namespace ambit::policy
