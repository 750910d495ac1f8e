// SPDX-License-Identifier: Apache-2.0
// The control API without its transport: one request, one answer (docs/openapi.yaml).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>

#include "userspace/daemon/api_counts.h"
#include "userspace/daemon/event_query.h"
#include "userspace/pipeline/task_service.h"

namespace ambit::daemon {

/// Who is at the other end of the socket (SO_PEERCRED).
struct Caller {
  uid_t uid = static_cast<uid_t>(-1);
  int pidfd = -1;  ///< -1: the process is gone, or cannot be held on to
  pid_t pid = 0;   ///< as it was when it connected: for limits and the log alone
};

struct ApiRequest {
  std::string method;
  std::string target;
  std::string body;
  Caller caller;
  const ApiCounts* counts = nullptr;  ///< the transport's
};

struct ApiResponse {
  unsigned status = 500;
  std::string body;                  ///< JSON
  std::string allow;                 ///< methods, with status 405
  std::optional<EventQuery> events;  ///< the answer is a stream of these; no body
};

/// A document of the largest size still fits when JSON writes each of its bytes as an escape of
/// two.
inline constexpr std::size_t kMaxBody = std::size_t{2} << 20U;
inline constexpr std::size_t kMaxHeader = std::size_t{8} << 10U;

/// What is wrong with a request, as the body of its answer.
[[nodiscard]] ApiResponse failure(unsigned status, const std::string& code,
                                  const std::string& message);

[[nodiscard]] ApiResponse answer(const ApiRequest& request, pipeline::TaskService& tasks);

}  // namespace ambit::daemon
