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

/// Writes its tables. The task gets it by its entry in `tasks`, which is the caller's.
[[nodiscard]] Result<void> write_policy(model::TableWriter& tables, PolicyInForce& policy,
                                        policy::SetNumbers& sets, const PolicyInForce* former);

/// In the other order than they were written. Sets of ports stay: others may use the same.
void remove_policy(model::TableWriter& tables, const PolicyInForce& policy);

}  // namespace ambit::pipeline
