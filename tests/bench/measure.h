// SPDX-License-Identifier: Apache-2.0
// One run of `ops`, in or outside a task.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/bench/place.h"
#include "userspace/base/result.h"

namespace ambit::bench {

/// Operation -> cost of one, nanoseconds (in a counting guest: instructions).
using Costs = std::map<std::string, double>;

struct Run {
  std::vector<std::string> before;  ///< what starts `ops`, when it is not started directly
  std::vector<std::string> options;
  std::string operations = "focuxps";
  int batches = 5;
  std::function<Result<void>(int pidfd)> bind;  ///< called before anything is measured
};

/// The least of the batches of each operation: what else the machine does only adds.
[[nodiscard]] Result<Costs> measure(const Place& place, const Run& run);

[[nodiscard]] double median(std::vector<double> values);

}  // namespace ambit::bench
