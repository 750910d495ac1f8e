// SPDX-License-Identifier: Apache-2.0
// One system call that waits for an answer, and at whom it is aimed.
#pragma once

#include <linux/seccomp.h>

#include <cstdint>
#include <optional>
#include <span>

#include "userspace/base/clock.h"
#include "userspace/kernel/sensor.h"
#include "userspace/pipeline/asked_calls.h"
#include "userspace/policy/decide.h"

namespace ambit::pipeline {

struct Question {
  const seccomp_notif& request;
  const AskedCall& call;
  const kernel::Sensor& sensor;
  std::span<const std::uint32_t> own;
  std::uint32_t process = 0;
  kernel::Sensor::ProcessState state;

  [[nodiscard]] std::uint32_t argument(std::size_t i) const {
    return static_cast<std::uint32_t>(request.data.args[i]);
  }
  [[nodiscard]] policy::Subject subject() const {
    return {.slot = state.slot,
            .held = state.held,
            .readers = {},
            .now_boot_ns = SystemClock().boot_ns()};
  }
};

/// What the guard is asked; nothing: the call is none of its business.
struct Aimed {
  policy::Aim aim = policy::Aim::machine;
  std::uint32_t target = 0;
  std::uint32_t number = 0;
};

[[nodiscard]] std::optional<Aimed> aim_of(const Question& question);

}  // namespace ambit::pipeline
