// SPDX-License-Identifier: Apache-2.0
// The started command: held before its first instruction until it is bound.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"
#include "userspace/pipeline/identity.h"

namespace ambit::pipeline {

struct LaunchPlan {
  std::vector<std::string> command;
  std::vector<std::string> environment;
  Identity identity;
  bool private_mounts = false;  ///< a mount namespace of its own, which the holders ask about
  bool refuse_fanotify =
      false;                  ///< groups that hand out descriptors, which no holder sees (portable)
  bool ask_calls = false;     ///< system calls that no hook sees are asked about (portable)
  bool ask_families = false;  ///< of those also the families of sockets
  bool scope_signals = false;   ///< Landlock: no signal or ptrace to outside
  bool scope_abstract = false;  ///< Landlock: no abstract socket of outside
  std::set<int> close;          ///< descriptors that the command must not inherit
};

/// How it failed to start: `exit_status` is what `ambit run` ends with.
struct LaunchFailure {
  std::string message;
  int exit_status = 125;
};

class Launched {
 public:
  [[nodiscard]] static Result<Launched> prepare(const LaunchPlan& plan);
  [[nodiscard]] int pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  [[nodiscard]] int mount_namespace() const { return mounts_.get(); }
  /// The descriptor on which the kernel asks about system calls; -1: none.
  [[nodiscard]] int listener() const { return listener_.get(); }
  /// Lets it execute; returns when its program runs, or why it does not.
  [[nodiscard]] std::expected<void, LaunchFailure> release(const LaunchPlan& plan);

 private:
  int pid_ = -1;
  Descriptor pidfd_;
  Descriptor mounts_;
  Descriptor listener_;
  Descriptor control_;  ///< a socket to the child
};

}  // namespace ambit::pipeline
