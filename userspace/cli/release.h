// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

namespace ambit::cli {

/// `ambit release --all`: the exit status.
int release_command(std::span<const std::string> arguments);

}  // namespace ambit::cli
