// SPDX-License-Identifier: Apache-2.0
// `ambit daemon`: from the command line to the node service.
#pragma once

#include <span>
#include <string>

namespace ambit::cli {

/// Everything behind that word. 0 after a clean stop, 125 for a failure, 2 for wrong usage.
[[nodiscard]] int daemon_command(std::span<const std::string> arguments);

}  // namespace ambit::cli
