// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

namespace ambit::cli {

/// `ambit doctor`: everything behind that word. 0 when a backend can be had, else 1.
[[nodiscard]] int doctor_command(std::span<const std::string> arguments);

}  // namespace ambit::cli
