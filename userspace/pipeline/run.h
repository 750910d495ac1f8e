// SPDX-License-Identifier: Apache-2.0
// One command in one task, without a daemon: `ambit run`.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "userspace/model/event.h"

namespace ambit::pipeline {

enum class Require : std::uint8_t { none, kill, deny };

struct RunOptions {
  std::optional<std::string> scope;
  std::vector<std::string> catalogue;
  std::optional<std::string> events;
  std::optional<model::Backend> backend;
  Require require = Require::none;
  std::optional<std::string> user;
  bool keep = false;
  std::vector<std::string> command;
  std::function<void(const model::Event&)> watcher;  ///< sees each event
};

inline constexpr int kOwnFailure = 125;

struct RunOutcome {
  int exit_status = kOwnFailure;
  std::string error;  ///< empty: the command ran, or its own failure is its status
  std::uint64_t findings = 0;
};

[[nodiscard]] RunOutcome run(const RunOptions& options);

}  // namespace ambit::pipeline
