// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ambit {

/// The two clocks of an event: when it happened for a person, and in the kernel's counting.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual std::int64_t wall_ns() const = 0;   ///< since 1970
  [[nodiscard]] virtual std::uint64_t boot_ns() const = 0;  ///< since boot, suspend included
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t wall_ns() const override;
  [[nodiscard]] std::uint64_t boot_ns() const override;
};

/// Boot time -> wall time. The offset is held until the wall clock is really set: sampling it anew
/// for each event would let reading noise reorder events that are nanoseconds apart.
class WallTime {
 public:
  explicit WallTime(const Clock& clock);
  [[nodiscard]] std::int64_t of_boot(std::uint64_t boot_ns);

 private:
  [[nodiscard]] std::int64_t sample() const;

  const Clock& clock_;
  std::int64_t offset_;
};

/// /proc/PID/stat tells start times in these units, the kernel's records in ns: compare ticks.
inline constexpr std::uint64_t kStartTickNs = 10'000'000;

[[nodiscard]] constexpr std::uint64_t start_tick(std::uint64_t start_boot_ns) {
  return start_boot_ns / kStartTickNs;
}

}  // namespace ambit
