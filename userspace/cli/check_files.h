// SPDX-License-Identifier: Apache-2.0
// Which files `ambit check` is asked about.
#pragma once

#include <string>
#include <vector>

#include "userspace/policy/diagnostic.h"

namespace ambit::cli {

inline constexpr std::size_t kMaxCheckedFiles = 10'000;

struct FoundFiles {
  std::vector<std::string> files;               ///< each once, in order
  std::vector<policy::Diagnostic> diagnostics;  ///< what could not be looked through
};

/// A directory means the *.yaml, *.yml and *.json files in it, at any depth, without hidden ones
/// and without following links to directories. Anything else is taken as it is.
[[nodiscard]] FoundFiles find_files(const std::vector<std::string>& paths);

/// A diagnostic of a file as a whole.
[[nodiscard]] policy::Diagnostic about_file(std::string file, std::string message);

}  // namespace ambit::cli
