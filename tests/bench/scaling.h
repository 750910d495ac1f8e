// SPDX-License-Identifier: Apache-2.0
// Whether a decision costs more when there is more of everything.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/settings.h"

namespace ambit::bench {

struct ScalePoint {
  std::string what;  ///< "tasks"
  int amount = 0;
  Costs costs;  ///< in a task
};

[[nodiscard]] Result<std::vector<ScalePoint>> measure_scaling(const Place& place,
                                                              const BenchOptions& options);

}  // namespace ambit::bench
