// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/pipeline/launch.h"

namespace ambit::pipeline {

/// What the child tells its parent over their socket.
enum class LaunchStage : int {
  prepared,   ///< waits for leave to go on; `value` is the seccomp listener's descriptor or -1
  mounts,     ///< the private mount namespace cannot be had
  filter,     ///< the seccomp filter
  identity,   ///< the user cannot be taken on
  execution,  ///< execve
};
struct LaunchReport {
  LaunchStage stage = LaunchStage::prepared;
  int value = 0;  ///< errno, or the listener
};

/// Runs in the forked child and never returns.
[[noreturn]] void run_child(const LaunchPlan& plan, int control);

/// Landlock without any file or network right: only signals and abstract sockets are scoped.
/// False when this kernel has not got that.
[[nodiscard]] bool enter_landlock(bool abstract_sockets);

}  // namespace ambit::pipeline
