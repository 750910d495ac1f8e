// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

namespace ambit {

/// Whether this process ignores the signal, as its caller may have asked for (nohup).
[[nodiscard]] inline bool ignores_signal(int number) {
  struct sigaction now{};
  return ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace ambit
