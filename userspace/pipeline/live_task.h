// SPDX-License-Identifier: Apache-2.0
// One task of a TaskHost.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "userspace/base/clock.h"
#include "userspace/model/make_event.h"
#include "userspace/pipeline/task_host.h"

namespace ambit::pipeline {

inline constexpr std::uint32_t kCredentialSpace = 1;

/// Never moved: its parts point at each other.
struct TaskHost::LiveTask {
  model::Scope scope;
  ScopePlan plan;
  policy::PolicyNumbers numbers;
  std::unique_ptr<Destinations> destinations;
  std::shared_ptr<const model::Task> task;
  std::vector<Descriptor> pinned;  ///< programs whose inode numbers must not be used again
  std::vector<std::string> limits;
  std::int64_t opened_ns = 0;
  std::uint64_t expires_boot_ns = 0;
  TaskPhase phase = TaskPhase::live;
  bool taken_over = false;  ///< its entries are what its record says, not what `plan` would be now
  Descriptor watched;       ///< pidfd of one of its processes: at its end the task may be over
};

[[nodiscard]] inline model::Moment now() {
  const SystemClock clock;
  return {.boot_ns = clock.boot_ns(), .wall_ns = clock.wall_ns()};
}

}  // namespace ambit::pipeline
