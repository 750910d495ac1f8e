// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "userspace/base/result.h"

namespace ambit {

/// Fills the whole span with random bytes, or says that it could not.
using RandomBytes = std::function<bool(std::span<std::uint8_t>)>;

/// getrandom(2).
[[nodiscard]] bool system_random(std::span<std::uint8_t> out);

/// Makes ULIDs (26 characters, Crockford base 32) that sort in the order in which they were made,
/// also within one millisecond and when the clock is set back.
class UlidSource {
 public:
  [[nodiscard]] static Result<UlidSource> create(RandomBytes random = system_random);

  /// When randomness fails later, the last one is counted up: still unique, only guessable.
  [[nodiscard]] std::string next(std::int64_t wall_ns);

 private:
  explicit UlidSource(RandomBytes random) : random_(std::move(random)) {}
  [[nodiscard]] bool draw();
  void count_up();

  RandomBytes random_;
  std::uint64_t ms_ = 0;
  std::array<std::uint8_t, 10> low_{};
};

}  // namespace ambit
