// SPDX-License-Identifier: Apache-2.0
// `ambit events`: the daemon's stream of events on standard output.
#pragma once

#include <span>
#include <string>

namespace ambit::cli {

/// 0: all of it was shown; 1: refused, or too slow for it; 125: none answers, or the connection
/// ended in the middle; 2: wrong usage.
[[nodiscard]] int events_command(std::span<const std::string> arguments);

}  // namespace ambit::cli
