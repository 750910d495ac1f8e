// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/attribution/process_table.h"
#include "userspace/attribution/task_registry.h"
#include "userspace/base/clock.h"
#include "userspace/model/event.h"

namespace ambit::attribution {

/// The second stage: what the kernel's record leaves out. Takes events in the order in which they
/// happened; all that is given must outlive it.
class Attribution {
 public:
  Attribution(ProcessSource& source, const Clock& clock, const TaskRegistry& tasks,
              TableLimits limits = {});

  /// A process that later events are about was started.
  void learn(const model::Fork& fork);

  /// Fills the task, wall times, the destination's name, and of the process its parents, program,
  /// command line (without secrets), directory and container.
  void attribute(model::Event& event);

 private:
  void attribute_process(model::Event& event, model::Process& process);

  const TaskRegistry& tasks_;
  WallTime wall_;
  ProcessTable processes_;
};

}  // namespace ambit::attribution
