// SPDX-License-Identifier: Apache-2.0
// A thousand processes that wait, and then try the same things at once.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"

namespace ambit::probe {

/// What became of one try: 0, or errno.
using Tries = std::array<int, 5>;

class Crowd {
 public:
  /// Forks `count` processes that wait until they are let go; `attempt` is what process i tries.
  [[nodiscard]] static Result<std::unique_ptr<Crowd>> start(
      std::size_t count, const std::function<Tries(std::size_t)>& attempt);
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd();

  [[nodiscard]] pid_t pid(std::size_t i) const { return pids_[i]; }
  void let_go();
  /// How many have ended by themselves so far.
  [[nodiscard]] std::size_t reap();
  /// Nothing: the process has not said.
  [[nodiscard]] const Tries* tries(std::size_t i) const;

 private:
  struct Report {
    bool there;
    Tries tries;
  };
  Crowd() = default;

  std::vector<pid_t> pids_;
  std::size_t reaped_ = 0;
  std::span<Report> reports_;  ///< shared with the processes
  Descriptor go_;              ///< a byte for each: its end is in every process that forks
};

}  // namespace ambit::probe
