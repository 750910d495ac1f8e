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
  Descriptor watched;  ///< pidfd of one of its processes: at its end the task may be over
};

[[nodiscard]] inline model::Moment now() {
  const SystemClock clock;
  return {.boot_ns = clock.boot_ns(), .wall_ns = clock.wall_ns()};
}

}  // namespace ambit::pipeline
