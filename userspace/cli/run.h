// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

namespace ambit::cli {

/// `ambit run`: everything behind that word. The exit status.
[[nodiscard]] int run_command(std::span<const std::string> arguments);

}  // namespace ambit::cli
