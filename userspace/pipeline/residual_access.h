// SPDX-License-Identifier: Apache-2.0
// What the end of a task does not take back from its processes.
#pragma once

#include <string>
#include <vector>

#include "userspace/kernel/sensor.h"
#include "userspace/model/documents.h"
#include "userspace/pipeline/task_service.h"

namespace ambit::pipeline {

struct EndedTask {
  std::uint32_t slot = 0;
  std::uint32_t credential_space = 0;
  const model::Scope& scope;
  const model::Catalogue& catalogue;
  const model::CompiledPaths& paths;  ///< of the catalogue
};

/// Looked up in /proc, once the task is revoked: what its processes have open then.
[[nodiscard]] std::vector<ResidualAccess> residual_access(const kernel::Sensor& sensor,
                                                          const EndedTask& task);

}  // namespace ambit::pipeline
