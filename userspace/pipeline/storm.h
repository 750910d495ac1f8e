// SPDX-License-Identifier: Apache-2.0
// Many processes of a task open one denied file at once: where decisions can be skipped (fmod_ret
// under full preemption, KERNEL-FACTS), some get through.
#pragma once

#include <chrono>
#include <cstdint>

#include "userspace/base/result.h"
#include "userspace/kernel/sensor.h"

namespace ambit::pipeline {

struct Storm {
  std::uint64_t opens = 0;
  std::uint64_t through = 0;  ///< opens that were not refused
  std::uint64_t skipped = 0;  ///< programs that the kernel says it skipped

  [[nodiscard]] bool calm() const { return through == 0 && skipped == 0; }
};

/// Where files are decided by the backend's programs (lsm, fmod_ret).
[[nodiscard]] Result<Storm> raise_storm(kernel::Sensor& sensor, std::chrono::milliseconds length);

}  // namespace ambit::pipeline
