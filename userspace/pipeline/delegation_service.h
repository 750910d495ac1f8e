// SPDX-License-Identifier: Apache-2.0
// What a process that is in a task can ask for.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "userspace/pipeline/task_service.h"

namespace ambit::pipeline {

/// Who asks. `pidfd` tells which process it is for good, and it must not have changed its user
/// since it connected: others may have its connection too.
struct Delegator {
  int pidfd = -1;
  std::int32_t pid = 0;  ///< as the host numbers it
  uid_t uid = static_cast<uid_t>(-1);
};

struct DelegateRequest {
  std::string scope;     ///< the document's text
  std::int32_t pid = 0;  ///< of the caller's own task, as the caller numbers it
  Delegator caller;
};

class DelegationService {
 public:
  virtual ~DelegationService() = default;
  /// Whether the caller is in a task.
  [[nodiscard]] virtual Answer<void> admit(const Delegator& caller) const = 0;
  /// Opens a task below the caller's own, for a process of that and all that is below it.
  [[nodiscard]] virtual Answer<TaskView> delegate(const DelegateRequest& request) = 0;
  /// The caller's own task first, then all below it, in the order in which they were opened.
  [[nodiscard]] virtual Answer<std::vector<TaskView>> family(const Delegator& caller) const = 0;
};

}  // namespace ambit::pipeline
