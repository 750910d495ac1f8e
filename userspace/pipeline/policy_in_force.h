// SPDX-License-Identifier: Apache-2.0
// A scope as the kernel has it for a task, until another one takes its place.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "userspace/base/descriptor.h"
#include "userspace/pipeline/prepare.h"
#include "userspace/pipeline/task_record.h"

namespace ambit::pipeline {

/// The first one; a catalogue that is read anew gets another. Spaces, policies and slots are
/// numbered together.
inline constexpr std::uint32_t kCredentialSpace = 1;
[[nodiscard]] constexpr std::uint32_t program_space_of(std::uint32_t policy) {
  return kCredentialSpace + policy;
}

/// Never moved: its parts point at each other. Its numbers are no other policy's, ever.
struct PolicyInForce {
  model::Scope scope;
  ScopePlan plan;
  policy::PolicyNumbers numbers;
  std::unique_ptr<Destinations> destinations;
  std::string text;  ///< the document that `scope` was read from
  /// Written by a process before this one: what stands in the tables is this, not what the plan
  /// would be now.
  std::vector<TableKey> taken_over;
  std::vector<Descriptor> pinned;  ///< programs whose inode numbers must not be used again
};

/// Where addresses of names come from, besides the name servers; either may be null.
struct KnownNames {
  const PolicyInForce* former = nullptr;
  const PolicyInForce* above = nullptr;  ///< of the task that delegated
};
void keep_programs_open(PolicyInForce& policy);

/// Writes its tables. The task gets it by its entry in `tasks`, which is the caller's.
[[nodiscard]] Result<void> write_policy(model::TableWriter& tables, PolicyInForce& policy,
                                        policy::SetNumbers& sets, const KnownNames& known);

/// All that `lower` has beyond `upper`, both compiled against `catalogue`. Time is no question
/// here, nor what is held: that stays bound by its bits (policy::FormerPolicy).
[[nodiscard]] Result<std::vector<policy::Diagnostic>> beyond_in_force(
    const PolicyInForce& upper, const PolicyInForce& lower, const model::Catalogue& catalogue);

/// What the tables do not tell of it.
[[nodiscard]] PolicyRecord record_of(const PolicyInForce& policy);
/// By its numbers, bits and entries, against a catalogue with the same numbers; nothing is written.
/// What the catalogue has no more leaves the scope.
[[nodiscard]] Result<std::unique_ptr<PolicyInForce>> restore_policy(
    const PolicyRecord& record, const model::Catalogue& catalogue);

/// In the other order than they were written. Sets of ports stay: others may use the same.
void remove_policy(model::TableWriter& tables, const PolicyInForce& policy);
void remove_keys(model::TableWriter& tables, const std::vector<TableKey>& keys);

}  // namespace ambit::pipeline
