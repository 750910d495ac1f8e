// SPDX-License-Identifier: Apache-2.0
// The event file of a flood, counted line by line: as parsed events it would not fit into memory.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/kernel/fixture/events.h"

namespace ambit::probe {

struct Tally {
  std::vector<Json> findings;
  std::vector<Json> losses;
  std::map<std::string, long> inside;  ///< events that are neither, by kind
  long malformed = 0;

  /// What was counted as lost; of one cause when it is named.
  [[nodiscard]] long lost(const std::string& cause = "") const;
  /// One line, for messages.
  [[nodiscard]] std::string summary() const;
};

/// Counts among `inside` only events that `counts` is true of.
[[nodiscard]] Tally tally(const std::string& path,
                          const std::function<bool(const std::string& line)>& counts);

}  // namespace ambit::probe
