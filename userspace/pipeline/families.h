// SPDX-License-Identifier: Apache-2.0
// The portable backend's answer about socket families that no hook of it sees.
#pragma once

#include <optional>

#include "userspace/kernel/sensor.h"
#include "userspace/model/event.h"

namespace ambit::pipeline {

/// Answers one request that waits on the seccomp listener. The event of what was asked, when it
/// was one; nothing when there was none or the asker is gone.
[[nodiscard]] std::optional<model::Event> answer_family_request(int listener,
                                                                const kernel::Sensor& sensor);

}  // namespace ambit::pipeline
