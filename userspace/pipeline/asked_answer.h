// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "userspace/kernel/sensor.h"
#include "userspace/model/event.h"

namespace ambit::pipeline {

/// Answers one request that waits on the listener of the asking filter. The event of what was
/// asked, when it was one; nothing when there was none or the asker is gone. `own` are the
/// processes of Ambit.
[[nodiscard]] std::optional<model::Event> answer_asked_call(int listener,
                                                            const kernel::Sensor& sensor,
                                                            std::span<const std::uint32_t> own);

}  // namespace ambit::pipeline
