// SPDX-License-Identifier: Apache-2.0
// The node service: one loop over the tasks, their records and the control API.
#pragma once

#include <optional>

#include "userspace/base/result.h"
#include "userspace/daemon/log_options.h"
#include "userspace/model/documents.h"
#include "userspace/model/policy.h"

namespace ambit::daemon {

/// What the command line says beside the configuration.
struct Started {
  LogOptions log;
  bool shadow = false;                   ///< no task does more than report
  std::optional<model::FileId> program;  ///< Ambit's own, where it lies outside the root
};

/// Serves until SIGTERM or SIGINT. An error has been logged.
[[nodiscard]] Result<void> serve(const model::Config& config, const Started& started);

}  // namespace ambit::daemon
