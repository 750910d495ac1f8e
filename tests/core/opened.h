// SPDX-License-Identifier: Apache-2.0
// One case of recognising, as it is written down.
#pragma once

#include "tests/core/cases.h"

namespace ambit::policy {

/// A pattern and what matches it; a leading `!` excludes.
struct Line {
  const char* pattern;
  std::vector<std::uint16_t> credentials = {};
  bool program = false;
  bool unix_socket = false;
  std::vector<std::uint16_t> mask = {};
};

struct Opened {
  const char* name;
  std::vector<Line> lines;
  std::vector<const char*> there;  ///< "/dir/", "/file", "/link -> target", "/new = /old"
  std::vector<const char*> later;  ///< likewise, and "/old > /new", "- /gone"
  const char* path;
  Answer expected;
};

[[nodiscard]] inline Answer credentials(std::vector<std::uint16_t> numbers) {
  return {.credentials = std::move(numbers)};
}
[[nodiscard]] inline Answer nothing() { return {}; }

/// Patterns of each kind by themselves (pattern_cases.cpp).
[[nodiscard]] std::vector<Opened> exact_names();
[[nodiscard]] std::vector<Opened> subtrees();
[[nodiscard]] std::vector<Opened> stars();
[[nodiscard]] std::vector<Opened> anywhere();
/// Several patterns for one file (rank_cases.cpp).
[[nodiscard]] std::vector<Opened> ranks();
[[nodiscard]] std::vector<Opened> exclusions();
[[nodiscard]] std::vector<Opened> programs();

}  // namespace ambit::policy
