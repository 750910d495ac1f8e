// SPDX-License-Identifier: Apache-2.0
// The API's objects as JSON.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "userspace/base/result.h"
#include "userspace/daemon/api_counts.h"
#include "userspace/pipeline/task_service.h"

namespace ambit::daemon {

[[nodiscard]] nlohmann::json to_json(const pipeline::TaskView& task);
[[nodiscard]] nlohmann::json to_json(const pipeline::TaskUse& use);
[[nodiscard]] nlohmann::json to_json(const pipeline::ServiceStatus& status);
[[nodiscard]] nlohmann::json to_json(const policy::Diagnostic& diagnostic);
[[nodiscard]] nlohmann::json to_json(const ApiCounts& counts);
[[nodiscard]] nlohmann::json to_json(const pipeline::ResidualAccess& access);
[[nodiscard]] nlohmann::json to_json(const pipeline::ReloadView& reload);
[[nodiscard]] std::string text_of(const nlohmann::json& value);

/// The body of POST /v1/tasks; the error is a sentence. Nothing but `pid` and one of `scope` and
/// `scopeName` may stand in it.
struct OpenBody {
  std::string scope;
  std::int32_t pid = 0;
  std::string scope_name;
};
[[nodiscard]] Result<OpenBody> parse_open(const std::string& body);

/// The body of POST /v1/tasks/{id}/narrow: one of `scope` and `scopeName`.
struct NarrowBody {
  std::string scope;
  std::string scope_name;
};
[[nodiscard]] Result<NarrowBody> parse_narrow(const std::string& body);

/// The body of POST /v1/tasks/{id}/extend: `ttl` alone, as scopes write it.
[[nodiscard]] Result<std::chrono::nanoseconds> parse_extend(const std::string& body);

}  // namespace ambit::daemon
