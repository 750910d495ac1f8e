// SPDX-License-Identifier: Apache-2.0
// The control socket as a file, and who is at its other end.
#pragma once

#include <string>

#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"
#include "userspace/daemon/api.h"

namespace ambit::daemon {

/// A listening socket with mode 0600. Its directory is made where it is missing (0700); a socket at
/// which nobody answers is replaced, anything else there is an error.
[[nodiscard]] Result<Descriptor> listen_at(const std::string& path);

/// `process` keeps what the caller's pidfd is.
[[nodiscard]] Caller caller_of(int connection, Descriptor& process);

}  // namespace ambit::daemon
