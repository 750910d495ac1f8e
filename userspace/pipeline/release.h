// SPDX-License-Identifier: Apache-2.0
// Takes everything of Ambit's away from a machine, with a daemon or without.
#pragma once

#include <cstddef>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/pipeline/estate.h"

namespace ambit::pipeline {

struct Released {
  int daemon = 0;                        ///< the process that was ended; 0: none ran
  std::vector<std::uint32_t> processes;  ///< that were in a task, and go on without one
  std::size_t pins = 0;
};

/// Pins of any version. A second call finds nothing and does nothing.
[[nodiscard]] Result<Released> release_all(const Places& places);

}  // namespace ambit::pipeline
