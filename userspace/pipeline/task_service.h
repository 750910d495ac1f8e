// SPDX-License-Identifier: Apache-2.0
// What whoever declares tasks can ask for, without the kernel behind it.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "userspace/model/event.h"
#include "userspace/policy/diagnostic.h"

namespace ambit::pipeline {

enum class RefusalCode : std::uint8_t {
  scope_refused,    ///< the scope has mistakes, or cannot be compiled here
  no_such_process,  ///< it has ended
  process_in_task,
  process_refused,  ///< a kernel thread, Ambit itself, or what Ambit runs in
  no_such_task,
  unavailable,     ///< what the kernel or this machine does not give
  not_in_task,     ///< whoever delegates must be in a task
  not_allowed,     ///< a process of somebody else's
  beyond_parent,   ///< the scope asks for more than its parent has
  parent_is_over,  ///< closed, or its time is over
  too_many,        ///< tasks of one chain, or of one family
};

struct Refusal {
  RefusalCode code = RefusalCode::unavailable;
  std::string message;
  std::vector<policy::Diagnostic> diagnostics;  ///< of the scope
};

[[nodiscard]] inline std::unexpected<Refusal> refuse(RefusalCode code, std::string message) {
  return std::unexpected(Refusal{.code = code, .message = std::move(message), .diagnostics = {}});
}

template <typename T>
using Answer = std::expected<T, Refusal>;

struct OpenRequest {
  std::string scope;  ///< the document's text
  std::int32_t pid = 0;
  std::string declared_by;
};

enum class TaskPhase : std::uint8_t {
  live,
  expired,  ///< its time is over: no credential, no network
  closed,   ///< the same, by close()
};

struct TaskView {
  std::shared_ptr<const model::Task> task;
  TaskPhase phase = TaskPhase::live;
  std::int64_t opened_ns = 0;            ///< wall clock
  std::vector<std::string> limits;       ///< what does not hold here for a process that is adopted
  std::vector<std::uint32_t> processes;  ///< live ones; not in a list of tasks
};

struct ServiceStatus {
  model::Backend backend = model::Backend::none;
  std::size_t tasks = 0;
  std::uint64_t events = 0;
  std::uint64_t findings = 0;
  std::string fault;  ///< why it is not ready; empty: it is
};

class TaskService {
 public:
  virtual ~TaskService() = default;
  /// When it returns, the process and what it has started are bound.
  [[nodiscard]] virtual Answer<TaskView> open(const OpenRequest& request) = 0;
  /// When it returns, nothing of the task may use a credential or the network; what is not taken
  /// back stands in `limits`. `kill`: its processes have been ended, too.
  [[nodiscard]] virtual Answer<TaskView> close(const std::string& id, bool kill) = 0;
  [[nodiscard]] virtual Answer<TaskView> show(const std::string& id) const = 0;
  [[nodiscard]] virtual std::vector<TaskView> list() const = 0;
  [[nodiscard]] virtual ServiceStatus status() const = 0;
  /// Whether a process is in a task; nothing where that cannot be told.
  [[nodiscard]] virtual std::optional<bool> is_in_task(int pidfd) const = 0;
};

}  // namespace ambit::pipeline
