// SPDX-License-Identifier: Apache-2.0
// `ambit task …`, `ambit reload` and `ambit status`: clients of the daemon.
#pragma once

#include <span>
#include <string>

namespace ambit::cli {

/// open, narrow, extend, close, list, show. 0: done; 1: the daemon refused; 125: none answers; 2:
/// wrong usage.
[[nodiscard]] int task_command(std::span<const std::string> arguments);

/// 0: all of it is in force; 1: nothing has changed, and why; 125: none answers.
[[nodiscard]] int reload_command(std::span<const std::string> arguments);

/// 0: it is ready; 1: it is not; 125: none answers.
[[nodiscard]] int status_command(std::span<const std::string> arguments);

}  // namespace ambit::cli
