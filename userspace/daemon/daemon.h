// SPDX-License-Identifier: Apache-2.0
// The node service: one loop over the tasks, their records and the control API.
#pragma once

#include "userspace/base/result.h"
#include "userspace/daemon/log_options.h"
#include "userspace/model/documents.h"

namespace ambit::daemon {

/// Serves until SIGTERM or SIGINT. An error has been logged.
[[nodiscard]] Result<void> serve(const model::Config& config, LogOptions log);

}  // namespace ambit::daemon
