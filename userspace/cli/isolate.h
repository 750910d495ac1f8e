// SPDX-License-Identifier: Apache-2.0
// Work on bytes from outside in a process of its own, so that nothing in them can hang or end this
// one.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace ambit::cli {

struct Limits {
  std::chrono::milliseconds time{10'000};     ///< for one job
  std::size_t memory = std::size_t{1} << 30;  ///< beyond what is in use when it starts
};

/// A job gives what is wrong as a sentence, or nothing.
using Job = std::function<std::string()>;

/// One answer for each job, in order. One that takes too long or crashes has that as its answer.
/// Must be called while the process has no threads.
[[nodiscard]] std::vector<std::string> run_isolated(const std::vector<Job>& jobs,
                                                    const Limits& limits);

}  // namespace ambit::cli
