// SPDX-License-Identifier: Apache-2.0
// A scope as the kernel has it for a task, until another one takes its place.
#pragma once

#include <memory>
#include <vector>

#include "userspace/base/descriptor.h"
#include "userspace/pipeline/prepare.h"

namespace ambit::pipeline {

/// Never moved: its parts point at each other. Its numbers are no other policy's, ever.
struct PolicyInForce {
  model::Scope scope;
  ScopePlan plan;
  policy::PolicyNumbers numbers;
  std::unique_ptr<Destinations> destinations;
  std::vector<Descriptor> pinned;  ///< programs whose inode numbers must not be used again
};

/// Where addresses of names come from, besides the name servers; either may be null.
struct KnownNames {
  const PolicyInForce* former = nullptr;
  const PolicyInForce* above = nullptr;  ///< of the task that delegated
};

/// Writes its tables. The task gets it by its entry in `tasks`, which is the caller's.
[[nodiscard]] Result<void> write_policy(model::TableWriter& tables, PolicyInForce& policy,
                                        policy::SetNumbers& sets, const KnownNames& known);

/// All that `lower` has beyond `upper`, both compiled against `catalogue`. Time is no question
/// here, nor what is held: that stays bound by its bits (policy::FormerPolicy).
[[nodiscard]] Result<std::vector<policy::Diagnostic>> beyond_in_force(
    const PolicyInForce& upper, const PolicyInForce& lower, const model::Catalogue& catalogue);

/// In the other order than they were written. Sets of ports stay: others may use the same.
void remove_policy(model::TableWriter& tables, const PolicyInForce& policy);

}  // namespace ambit::pipeline
