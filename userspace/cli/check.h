// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "userspace/cli/check_report.h"
#include "userspace/cli/isolate.h"

namespace ambit::cli {

struct CheckRequest {
  std::vector<std::string> paths;
  std::vector<std::string> catalogue;  ///< as load_catalogue() takes it
  Limits limits;                       ///< of compiling one document
};

/// Reads the documents, holds scopes against the catalogue (credentials among the paths count too,
/// before those of the same name), and compiles all that is sound, as starting a task would.
[[nodiscard]] CheckReport check(const CheckRequest& request);

/// `ambit check`: everything behind that word. 0 without errors, else 1.
[[nodiscard]] int check_command(std::span<const std::string> arguments);

}  // namespace ambit::cli
