// SPDX-License-Identifier: Apache-2.0
// What this machine offers, before any program is loaded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/model/words.h"

namespace ambit::pipeline {

/// Facts only; what cannot be found out is empty.
struct Machine {
  std::string kernel;  ///< release
  std::string architecture;
  bool root = false;
  std::vector<std::string> missing_capabilities;  ///< of those that Ambit needs
  std::string bpf_refused;          ///< why bpf() cannot be used at all; empty: it can
  std::string trampolines_refused;  ///< why lsm and fmod_ret programs cannot be loaded at all
  bool btf = false;
  std::vector<std::string> lsms;  ///< active, in order
  std::string preemption;         ///< none, voluntary, lazy, full, realtime
  std::string cgroup2;            ///< where it is mounted
  std::string cgroup2_why_not;
  int landlock_abi = 0;          ///< 0: not there
  std::string fanotify_why_not;  ///< permission events; empty: they can be had
  bool seccomp = false;          ///< filters

  [[nodiscard]] bool has_lsm(std::string_view name) const;
};

[[nodiscard]] Machine look_at_machine();

/// What keeps every backend from working, as one sentence with what to do; empty: nothing does.
[[nodiscard]] std::string what_is_missing(const Machine& machine);

/// Why this backend cannot work here, known before anything is loaded for it; empty: try it.
[[nodiscard]] std::string ruled_out(model::Backend backend, const Machine& machine);

/// What would make this backend available, where something is known that would. `code` is the errno
/// that it failed with, 0 where none is known.
[[nodiscard]] std::string remedy(model::Backend backend, const Machine& machine, int code);

}  // namespace ambit::pipeline
