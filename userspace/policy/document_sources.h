// SPDX-License-Identifier: Apache-2.0
// Where documents come from: a file, or a directory of them.
#pragma once

#include <string>
#include <vector>

#include "userspace/base/result.h"

namespace ambit::policy {

/// What is no directory, as it is; of a directory its *.yaml, *.yml and *.json files, sorted.
[[nodiscard]] Result<std::vector<std::string>> document_files(const std::string& source);

}  // namespace ambit::policy
