// SPDX-License-Identifier: Apache-2.0
// The node service: one loop over the tasks, their records and the control API.
#pragma once

#include <optional>

#include "userspace/base/result.h"
#include "userspace/model/documents.h"
#include "userspace/model/policy.h"

namespace ambit::daemon {

/// Serves until SIGTERM or SIGINT. `program` is Ambit's own, where it lies outside the root.
[[nodiscard]] Result<void> serve(const model::Config& config,
                                 std::optional<model::FileId> program = {});

}  // namespace ambit::daemon
