// SPDX-License-Identifier: Apache-2.0
// Descriptors that the command would inherit from before its task.
#pragma once

#include <set>
#include <vector>

#include "userspace/kernel/sensor.h"
#include "userspace/model/event.h"

namespace ambit::pipeline {

/// Those beyond 0 to 2 that are open now; call before anything of Ambit's own is opened.
[[nodiscard]] std::set<int> inherited_descriptors();

struct InheritedFindings {
  std::set<int> close;  ///< not to be inherited
  std::vector<model::Event> events;
};

/// Which of them lead outside the scope of the task in `slot`.
[[nodiscard]] InheritedFindings judge_inherited(const std::set<int>& descriptors,
                                                const kernel::Sensor& sensor,
                                                const model::Catalogue& catalogue,
                                                const std::shared_ptr<const model::Task>& task,
                                                const model::Process& process);

}  // namespace ambit::pipeline
