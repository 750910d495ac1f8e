// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include "userspace/base/descriptor.h"

namespace ambit {

/// Holds on to a process, whoever gets its number later; empty where there is none, with errno.
[[nodiscard]] inline Descriptor open_pidfd(int pid) {
  return Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

}  // namespace ambit
