// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/catalogue_renumber.h"

#include <map>
#include <string>
#include <utility>

#include "userspace/policy/catalogue.h"

namespace ambit::policy {
namespace {

constexpr std::string_view kGone = "gone: ";  // no name of a credential has a space

std::string name_of(const model::Credential& credential) {
  return is_gone(credential) ? credential.name.substr(kGone.size()) : credential.name;
}

}  // namespace

bool is_gone(const model::Credential& credential) { return credential.name.starts_with(kGone); }

Result<model::Catalogue> renumbered(const model::Catalogue& before, model::Catalogue fresh) {
  std::map<std::string, model::Credential> left;
  for (model::Credential& credential : fresh.credentials) {
    std::string name = credential.name;
    left.emplace(std::move(name), std::move(credential));
  }
  model::Catalogue out;
  for (const model::Credential& credential : before.credentials) {
    const std::string name = name_of(credential);
    auto known = left.extract(name);
    out.credentials.push_back(known.empty() ? model::Credential{.name = std::string(kGone) + name}
                                            : std::move(known.mapped()));
  }
  for (auto& [name, credential] : left) out.credentials.push_back(std::move(credential));
  if (out.credentials.size() > kMaxCatalogue)
    return fail("no number is left for another credential: the daemon must be started anew");
  return out;
}

}  // namespace ambit::policy
