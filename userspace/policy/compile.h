// SPDX-License-Identifier: Apache-2.0
// Scope + catalogue + what the machine says -> the tables of one policy.
#pragma once

#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/model/policy.h"
#include "userspace/policy/destinations.h"
#include "userspace/policy/filesystem.h"

namespace ambit::policy {

/// Patterns after `~` and variables are put in; only absolute and `**/name` forms are left.
struct ExpandedScope {
  const model::Scope* scope = nullptr;
  std::vector<std::vector<model::Pattern>> readers;  ///< by the scope's credentials
  std::vector<model::Pattern> exec;
  /// Of a delegated task: credential_of_bit of its parent's policy. The child's bits are the same,
  /// so that what a process holds means the same in both; what the child does not list, and
  /// refuses, may be used nowhere.
  std::vector<std::string> parents_bits;
  std::vector<std::string> own_sockets;  ///< inside without being named: Ambit's own
};

struct ExpandedCatalogue {
  const model::Catalogue* catalogue = nullptr;
  std::vector<std::vector<model::Pattern>> files;  ///< by number: files and sockets
};

/// The files and sockets of the catalogue; inodes of what exists now are in it.
[[nodiscard]] Result<model::CompiledPaths> compile_catalogue(const ExpandedCatalogue& catalogue,
                                                             const FileSystem& files);

/// Everything of a policy but its destinations.
[[nodiscard]] Result<model::CompiledPolicy> compile_policy(const ExpandedScope& scope,
                                                           const model::Catalogue& catalogue,
                                                           const FileSystem& files);

/// What compile_destinations() needs for this policy; `resolvers` are inside on port 53. Names are
/// left to be resolved.
[[nodiscard]] DestinationInput destination_input(const model::Scope& scope,
                                                 const model::Catalogue& catalogue,
                                                 const model::CompiledPolicy& policy,
                                                 const std::vector<Address>& resolvers);

/// Whether any credential is known by pattern alone (`**/…`): then the portable backend needs more.
[[nodiscard]] bool has_pattern_alone(const ExpandedCatalogue& catalogue);

}  // namespace ambit::policy
