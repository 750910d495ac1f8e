// SPDX-License-Identifier: Apache-2.0
// Costs as Markdown: ratios with their spread, and what DESIGN §9 asks for.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/scaling.h"
#include "tests/bench/settings.h"

namespace ambit::bench {

struct ReportOptions {
  model::Backend backend = model::Backend::lsm;
  bool counts = false;  ///< instructions instead of nanoseconds
};

[[nodiscard]] std::string render_costs(const std::vector<Round>& rounds,
                                       const ReportOptions& options);
[[nodiscard]] std::string render_scaling(const std::vector<ScalePoint>& points,
                                         const ReportOptions& options);

}  // namespace ambit::bench
