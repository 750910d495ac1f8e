// SPDX-License-Identifier: Apache-2.0
// What whoever declares tasks can ask for, without the kernel behind it.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "userspace/correlation/story.h"
#include "userspace/model/event.h"
#include "userspace/policy/diagnostic.h"

namespace ambit::pipeline {

enum class RefusalCode : std::uint8_t {
  scope_refused,    ///< the scope has mistakes, or cannot be compiled here
  no_such_process,  ///< it has ended
  process_in_task,
  process_refused,  ///< a kernel thread, Ambit itself, or what Ambit runs in
  no_such_task,
  task_over,         ///< it has expired or is closed
  no_such_scope,     ///< none has this name
  config_refused,    ///< the configuration, the catalogue or a named scope has mistakes
  deadline_refused,  ///< sooner than it is, or later than it may be
  unavailable,       ///< what the kernel or this machine does not give
  not_in_task,       ///< whoever delegates must be in a task
  not_allowed,       ///< a process of somebody else's
  beyond_parent,     ///< the scope asks for more than its parent has
  parent_is_over,    ///< closed, or its time is over
  too_many,          ///< tasks of one chain, or of one family
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
  std::string scope_name;  ///< of one that the daemon has, instead of `scope`
};

struct NarrowRequest {
  std::string id;
  std::string scope;       ///< the document's text
  std::string scope_name;  ///< of one that the daemon has, instead
};

/// Which tasks; what is empty is not asked about. All of it must be so.
struct TaskFilter {
  std::string owner;
  std::string on_behalf_of;
  std::string agent;
  std::string credential;  ///< the task's scope lists it, or one did that was narrowed since
};

enum class TaskPhase : std::uint8_t {
  live,
  expired,  ///< its time is over: no credential, no network
  closed,   ///< the same, by close()
};

/// What a process of a task has still, after the task is closed.
struct ResidualAccess {
  std::uint32_t pid = 0;
  std::optional<int> descriptor;  ///< none: a mapping
  std::string kind;               ///< "file", "mapping", "socket"
  std::string name;               ///< its path, or the peer
  std::string credential;         ///< that the file is
  std::string why;
};

/// What a task may use, has and has used.
struct TaskUse {
  std::vector<std::string> granted;  ///< credentials, in the scope's order
  std::vector<std::string> held;     ///< by a process that lives, or by the task
  correlation::Figures figures;
};

struct TaskView {
  std::shared_ptr<const model::Task> task;
  TaskPhase phase = TaskPhase::live;
  std::int64_t opened_ns = 0;            ///< wall clock
  std::vector<std::string> limits;       ///< what does not hold here for a process that is adopted
  std::vector<std::uint32_t> processes;  ///< live ones; not in a list of tasks
  std::optional<std::vector<ResidualAccess>> residual;  ///< of close() alone
  std::optional<TaskUse> use;                           ///< not in a list of tasks
  std::chrono::nanoseconds left{};                      ///< until it expires
};

/// What became of one task of several.
struct Closing {
  std::string id;
  Answer<TaskView> view;
};

struct ServiceStatus {
  model::Backend backend = model::Backend::none;
  std::size_t tasks = 0;
  std::uint64_t events = 0;
  std::uint64_t findings = 0;
  std::string fault;  ///< why it is not ready; empty: it is
};

struct ReloadView {
  std::size_t credentials = 0;
  std::size_t scopes = 0;
  std::size_t tasks = 0;             ///< that were moved to the new catalogue
  std::vector<std::string> restart;  ///< keys of the configuration that want a new start
  std::vector<std::string> notes;    ///< sentences: what became of single tasks
};

class TaskService {
 public:
  virtual ~TaskService() = default;
  /// When it returns, the process and what it has started are bound.
  [[nodiscard]] virtual Answer<TaskView> open(const OpenRequest& request) = 0;
  /// When it returns, nothing of the task may use a credential or the network; what is not taken
  /// back stands in `residual`. `kill`: its processes have been ended, too.
  [[nodiscard]] virtual Answer<TaskView> close(const std::string& id, bool kill) = 0;
  /// The same for each of them.
  [[nodiscard]] virtual std::vector<Closing> close_all(const TaskFilter& filter, bool kill) = 0;
  /// Another scope, which must lie within the one in force. When it returns, nothing of the task is
  /// decided by the former one any more.
  [[nodiscard]] virtual Answer<TaskView> narrow(const NarrowRequest& request) = 0;
  /// A later end: `ttl` from now on. What is over stays over.
  [[nodiscard]] virtual Answer<TaskView> extend(const std::string& id,
                                                std::chrono::nanoseconds ttl) = 0;
  /// Reads the configuration, the catalogue and the named scopes anew. All of it is in force when
  /// it returns, or nothing has changed.
  [[nodiscard]] virtual Answer<ReloadView> reload() = 0;
  [[nodiscard]] virtual Answer<TaskView> show(const std::string& id) const = 0;
  [[nodiscard]] virtual std::vector<TaskView> list() const = 0;
  [[nodiscard]] virtual ServiceStatus status() const = 0;
  /// Whether a process is in a task; nothing where that cannot be told.
  [[nodiscard]] virtual std::optional<bool> is_in_task(int pidfd) const = 0;
};

}  // namespace ambit::pipeline
