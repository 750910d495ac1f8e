// SPDX-License-Identifier: Apache-2.0
// Which process a caller from inside a task means, and whether it is his to give away.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/descriptor.h"
#include "userspace/kernel/sensor.h"
#include "userspace/pipeline/delegation_service.h"

namespace ambit::pipeline {

/// What /proc/PID/status says of a process.
struct ProcessStatus {
  std::uint32_t real = 0;  ///< user ids
  std::uint32_t effective = 0;
  std::uint32_t saved = 0;
  bool may_kill = false;              ///< CAP_KILL is among its effective ones
  std::vector<std::int32_t> numbers;  ///< in each PID namespace, the host's first
};
[[nodiscard]] std::optional<ProcessStatus> parse_status(std::string_view text);

/// As the kernel asks it of kill(2): the caller's real or effective user is the target's real or
/// saved one, or the caller may signal everybody in the target's user namespace.
[[nodiscard]] bool may_signal(const ProcessStatus& caller, const ProcessStatus& target,
                              bool same_user_namespace);

struct DelegatedProcess {
  std::int32_t pid = 0;  ///< as the host numbers it
  Descriptor pidfd;
};

/// The process of the task `slot` that the caller numbers `pid`, where he may signal it. Whatever
/// is not of that task is as good as not there.
[[nodiscard]] Answer<DelegatedProcess> find_delegated(const kernel::Sensor& sensor,
                                                      const Delegator& caller, std::int32_t pid,
                                                      std::uint32_t slot);

}  // namespace ambit::pipeline
