// SPDX-License-Identifier: Apache-2.0
// The events that user space itself makes. Their seq and id are set at delivery, like everyone's.
#pragma once

#include "userspace/model/event.h"

namespace ambit::model {

using Details = std::map<std::string, std::string>;

/// One instant on both clocks.
struct Moment {
  std::uint64_t boot_ns = 0;
  std::int64_t wall_ns = 0;
};

/// What the scope does not say of its task.
struct TaskIdentity {
  std::uint32_t slot = 0;
  std::string id;
  std::string declared_by;
};
/// The task that begins with this scope at `at`.
[[nodiscard]] Task make_task(const Scope& scope, Moment at, TaskIdentity identity);

[[nodiscard]] Event make_start(Moment at, Details details);
[[nodiscard]] Event make_stop(Moment at, Details details);
[[nodiscard]] Event make_task_open(Moment at, std::shared_ptr<const Task> task, Details details);
[[nodiscard]] Event make_task_close(Moment at, std::shared_ptr<const Task> task, Details details);
[[nodiscard]] Event make_task_expire(Moment at, std::shared_ptr<const Task> task);
[[nodiscard]] Event make_task_narrow(Moment at, std::shared_ptr<const Task> task, Details details);
[[nodiscard]] Event make_task_extend(Moment at, std::shared_ptr<const Task> task, Details details);
[[nodiscard]] Event make_reload(Moment at, Details details);
[[nodiscard]] Event make_loss(Moment at, Loss loss);

/// A credential outside the scope stands in the environment of the command that is started.
struct EnvironmentFinding {
  std::shared_ptr<const Task> task;
  Process process;
  Mode mode = Mode::enforce;
  std::vector<std::string> credentials;
  std::vector<std::string> variables;  ///< their names, never their values
  bool stripped = false;               ///< `environment: strip` took them out
};
[[nodiscard]] Event make_secret_in_environment(Moment at, EnvironmentFinding found);

/// A descriptor from before the task that leads outside its scope.
struct DescriptorFinding {
  std::shared_ptr<const Task> task;
  Process process;
  Mode mode = Mode::enforce;
  Response requested = Response::deny;
  bool closed = false;
  int descriptor = -1;
  std::optional<File> file;                ///< it leads to a file,
  std::optional<Destination> destination;  ///< or to a peer
  std::vector<std::string> credentials;    ///< that the file is, if it is one
};
[[nodiscard]] Event make_descriptor_from_before(Moment at, DescriptorFinding found);

}  // namespace ambit::model
