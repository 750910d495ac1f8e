// SPDX-License-Identifier: Apache-2.0
// kind: TaskScope
#pragma once

#include "userspace/model/documents.h"
#include "userspace/policy/document_reader.h"

namespace ambit::policy {

/// A scope and where those values stand that are judged together with others.
struct ScopeDraft {
  model::Scope scope;
  std::vector<const DocumentNode*>
      authorities;  ///< one for each credential, null where it is absent
};

struct ScopeCredentialDraft {
  model::ScopeCredential credential;
  const DocumentNode* authority = nullptr;
};

using ScopeKey = Key<ScopeDraft>;
using ScopeCredentialKey = Key<ScopeCredentialDraft>;
using NetworkKey = Key<std::vector<model::DestinationRule>>;
using ExecKey = Key<std::vector<model::Pattern>>;
using ResponseKey = Key<model::Scope>;

inline constexpr std::array kModes{
    Word<model::Mode>{.spelling = "enforce", .value = model::Mode::enforce},
    Word<model::Mode>{.spelling = "shadow", .value = model::Mode::shadow},
};
inline constexpr std::array kAuthorities{
    Word<model::Authority>{.spelling = "delegated", .value = model::Authority::delegated},
    Word<model::Authority>{.spelling = "agent", .value = model::Authority::agent},
};
inline constexpr std::array kHoldings{
    Word<model::Holding>{.spelling = "tree", .value = model::Holding::tree},
    Word<model::Holding>{.spelling = "process", .value = model::Holding::process},
    Word<model::Holding>{.spelling = "task", .value = model::Holding::task},
};
inline constexpr std::array kEnvironments{
    Word<bool>{.spelling = "keep", .value = false},
    Word<bool>{.spelling = "strip", .value = true},
};
/// It is seen when both were used: nothing is left to be denied, nor one process to blame.
inline constexpr std::array kBlendedWords{
    Word<model::Response>{.spelling = spelling_of(model::Response::alert),
                          .value = model::Response::alert},
    Word<model::Response>{.spelling = spelling_of(model::Response::kill_task),
                          .value = model::Response::kill_task},
};
inline constexpr std::array kResponseWords{
    Word<model::Response>{.spelling = spelling_of(model::Response::alert),
                          .value = model::Response::alert},
    Word<model::Response>{.spelling = spelling_of(model::Response::deny),
                          .value = model::Response::deny},
    Word<model::Response>{.spelling = spelling_of(model::Response::kill),
                          .value = model::Response::kill},
    Word<model::Response>{.spelling = spelling_of(model::Response::kill_task),
                          .value = model::Response::kill_task},
};

/// All but `none`, which no scope can grant.
inline constexpr auto kPrivilegeWords = [] {
  std::array<Word<model::Privilege>, model::kPrivileges.size() - 1> words{};
  for (std::size_t i = 0; i < words.size(); ++i)
    words.at(i) = {.spelling = model::kPrivileges.at(i + 1),
                   .value = static_cast<model::Privilege>(i + 1)};
  return words;
}();

extern const std::array<ScopeKey, 13> kScopeKeys;
extern const std::array<ScopeCredentialKey, 5> kScopeCredentialKeys;
extern const std::array<NetworkKey, 1> kNetworkKeys;
extern const std::array<ExecKey, 1> kExecKeys;
extern const std::array<ResponseKey, 4> kResponseKeys;

/// From the mapping under `spec`; name, hash and source are the caller's.
[[nodiscard]] model::Scope parse_scope(Reporter& report, const DocumentNode& spec);

}  // namespace ambit::policy
