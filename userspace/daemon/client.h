// SPDX-License-Identifier: Apache-2.0
// A caller of the control API.
#pragma once

#include <string>

#include "userspace/base/result.h"

namespace ambit::daemon {

inline constexpr const char* kDefaultSocket = "/run/ambit/control.sock";
inline constexpr const char* kDefaultDelegateSocket = "/run/ambit/delegate.sock";

struct Call {
  std::string method;
  std::string target;
  std::string body;
};

struct CallAnswer {
  unsigned status = 0;
  std::string body;
};

/// Waits for the answer, a minute at most.
[[nodiscard]] Result<CallAnswer> call(const std::string& socket, const Call& call);

/// At the sockets of a daemon that is configured as by default: who is in a task reaches the
/// delegate one alone, and is not let near the other; who is in none is sent there.
[[nodiscard]] Result<CallAnswer> call_default(const Call& call);

}  // namespace ambit::daemon
