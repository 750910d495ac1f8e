// SPDX-License-Identifier: Apache-2.0
// The control socket as a file, and who is at its other end.
#pragma once

#include <cstdint>
#include <string>

#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"
#include "userspace/daemon/api.h"

namespace ambit::daemon {

enum class Reach : std::uint8_t {
  owner,      ///< mode 0600, in a directory of 0700
  everybody,  ///< mode 0666, in one of 0711: who may say what is asked of each caller
};

/// A listening socket. Its directory is made where it is missing; a socket at which nobody answers
/// is replaced, anything else there is an error.
[[nodiscard]] Result<Descriptor> listen_at(const std::string& path, Reach reach = Reach::owner);

/// `process` keeps what the caller's pidfd is.
[[nodiscard]] Caller caller_of(int connection, Descriptor& process);

}  // namespace ambit::daemon
