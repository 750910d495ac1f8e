// SPDX-License-Identifier: Apache-2.0
// A caller of the control API.
#pragma once

#include <string>

#include "userspace/base/result.h"

namespace ambit::daemon {

inline constexpr const char* kDefaultSocket = "/run/ambit/control.sock";

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

}  // namespace ambit::daemon
