// SPDX-License-Identifier: Apache-2.0
// Scope + catalogue + what the machine says -> the tables of one policy.
#pragma once

#include <set>
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
};

struct ExpandedCatalogue {
  const model::Catalogue* catalogue = nullptr;
  std::vector<std::vector<model::Pattern>> files;  ///< by number: files and sockets
};

/// The files and sockets of the catalogue; inodes of what exists now are in it.
[[nodiscard]] Result<model::CompiledPaths> compile_catalogue(const ExpandedCatalogue& catalogue,
                                                             const FileSystem& files);

/// The policy that another one takes the place of, for processes that go on. Its bits stay what
/// they are: what a process holds is held under the new one, and bound as it was where the new
/// scope does not list it.
struct FormerPolicy {
  const model::CompiledPolicy& policy;
  /// Credentials that get another bit: what programs that run already may read is noted by bits,
  /// and of these the readers have changed.
  std::set<std::string> readers_changed;
};

/// Of what both scopes list.
[[nodiscard]] std::set<std::string> readers_changed(const model::Scope& former,
                                                    const model::Scope& next);

/// Everything of a policy but its destinations. `former` may be null.
[[nodiscard]] Result<model::CompiledPolicy> compile_policy(const ExpandedScope& scope,
                                                           const model::Catalogue& catalogue,
                                                           const FileSystem& files,
                                                           const FormerPolicy* former = nullptr);

/// What compile_destinations() needs for this policy; `resolvers` are inside on port 53. Names are
/// left to be resolved.
[[nodiscard]] DestinationInput destination_input(const model::Scope& scope,
                                                 const model::Catalogue& catalogue,
                                                 const model::CompiledPolicy& policy,
                                                 const std::vector<Address>& resolvers);

/// Whether any credential is known by pattern alone (`**/…`): then the portable backend needs more.
[[nodiscard]] bool has_pattern_alone(const ExpandedCatalogue& catalogue);

}  // namespace ambit::policy
