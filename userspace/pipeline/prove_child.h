// SPDX-License-Identifier: Apache-2.0
// The process that is bound for a proof, and takes its steps one by one when told to.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"
#include "userspace/kernel/sensor.h"
#include "userspace/pipeline/prove_stage.h"

namespace ambit::pipeline {

/// For one answer, on a loaded machine: half a second was not enough for an execution in a guest
/// beside two others.
inline constexpr int kProofPatienceMs = 10000;

/// What a step came to: kDone, errno, kCannotBeTried or kWasKilled; and the UDP port of its own.
struct StepAnswer {
  std::int32_t result = 0;
  std::uint16_t port = 0;
};

class BoundChild {
 public:
  /// Forks, and puts the child into the task `slot`.
  [[nodiscard]] static Result<BoundChild> start(kernel::Sensor& sensor, const Props& props,
                                                std::uint32_t slot);
  BoundChild(const BoundChild&) = delete;
  BoundChild& operator=(const BoundChild&) = delete;
  BoundChild(BoundChild&& other) noexcept;
  BoundChild& operator=(BoundChild&&) = delete;
  ~BoundChild();

  /// Waits for the step a bounded time. A child that died on it answers kWasKilled and is over.
  [[nodiscard]] StepAnswer take(std::uint8_t step);
  [[nodiscard]] bool alive() const { return pid_ > 0; }

 private:
  BoundChild() = default;
  void end();

  pid_t pid_ = -1;
  Descriptor channel_;  ///< commands there, answers back
};

}  // namespace ambit::pipeline
