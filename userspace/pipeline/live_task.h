// SPDX-License-Identifier: Apache-2.0
// One task of a TaskHost.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "userspace/base/clock.h"
#include "userspace/model/make_event.h"
#include "userspace/pipeline/policy_in_force.h"
#include "userspace/pipeline/task_host.h"

namespace ambit::pipeline {

struct TaskHost::LiveTask {
  std::unique_ptr<PolicyInForce> policy;
  std::shared_ptr<const model::Task> task;
  std::vector<std::string> limits;
  std::int64_t opened_ns = 0;
  std::uint64_t expires_boot_ns = 0;
  TaskPhase phase = TaskPhase::live;
  Descriptor watched;        ///< pidfd of one of its processes: at its end the task may be over
  std::uint32_t parent = 0;  ///< of a task that was delegated: the slot of the one that did
  std::uint32_t family = 0;  ///< and of the first of the chain
  /// Names of the bits that were given out in the family, of which it has one list: no bit comes to
  /// mean another credential while anybody may hold something by it.
  std::shared_ptr<std::vector<std::string>> bits = {};
};

/// A task that is about to be opened.
struct TaskHost::Opening {
  model::Scope scope;
  std::string text;  ///< of its document
  std::int32_t pid = 0;
  Descriptor process;
  std::string declared_by;
  const LiveTask* parent = nullptr;
  bool moves = false;  ///< the process is in the parent's task
};

[[nodiscard]] inline model::Moment now() {
  const SystemClock clock;
  return {.boot_ns = clock.boot_ns(), .wall_ns = clock.wall_ns()};
}

}  // namespace ambit::pipeline
