// SPDX-License-Identifier: Apache-2.0
// The API's objects as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "userspace/base/result.h"
#include "userspace/daemon/api_counts.h"
#include "userspace/pipeline/task_service.h"

namespace ambit::daemon {

[[nodiscard]] nlohmann::json to_json(const pipeline::TaskView& task);
[[nodiscard]] nlohmann::json to_json(const pipeline::ServiceStatus& status);
[[nodiscard]] nlohmann::json to_json(const policy::Diagnostic& diagnostic);
[[nodiscard]] nlohmann::json to_json(const ApiCounts& counts);
[[nodiscard]] std::string text_of(const nlohmann::json& value);

/// The body of POST /v1/tasks; the error is a sentence. Nothing but `scope` and `pid` may stand in
/// it.
struct OpenBody {
  std::string scope;
  std::int32_t pid = 0;
};
[[nodiscard]] Result<OpenBody> parse_open(const std::string& body);

}  // namespace ambit::daemon
