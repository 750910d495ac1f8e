// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "userspace/model/documents.h"
#include "userspace/policy/diagnostic.h"

namespace ambit::daemon {

/// The one Config of a file; else all that is wrong with it.
[[nodiscard]] std::expected<model::Config, std::vector<policy::Diagnostic>> read_config(
    const std::string& path);

}  // namespace ambit::daemon
