// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "userspace/kernel/sensor.h"

namespace ambit::pipeline {

/// Sends SIGKILL to every process of the task that is there now; whether one was there.
bool kill_members(const kernel::Sensor& sensor, std::uint32_t slot);

/// Kills every process of the task until none is left (or none can be killed).
void end_task(const kernel::Sensor& sensor, std::uint32_t slot);

}  // namespace ambit::pipeline
