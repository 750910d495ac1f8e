// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/clock.h"

#include <time.h>

namespace ambit {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kHeldWithinNs = 1'000'000;

std::int64_t read_clock(clockid_t id) {
  timespec now{};
  ::clock_gettime(id, &now);  // cannot fail: both clocks exist on every kernel that has BPF
  return static_cast<std::int64_t>(now.tv_sec) * kNsPerSecond + now.tv_nsec;
}

}  // namespace

std::int64_t SystemClock::wall_ns() const { return read_clock(CLOCK_REALTIME); }

std::uint64_t SystemClock::boot_ns() const {
  return static_cast<std::uint64_t>(read_clock(CLOCK_BOOTTIME));
}

WallTime::WallTime(const Clock& clock) : clock_(clock), offset_(sample()) {}

std::int64_t WallTime::of_boot(std::uint64_t boot_ns) {
  const std::int64_t fresh = sample();
  const std::int64_t moved = fresh > offset_ ? fresh - offset_ : offset_ - fresh;
  if (moved > kHeldWithinNs) {
    offset_ = fresh;
  }
  return offset_ + static_cast<std::int64_t>(boot_ns);
}

std::int64_t WallTime::sample() const {
  const auto before = static_cast<std::int64_t>(clock_.boot_ns());
  const std::int64_t wall = clock_.wall_ns();
  const auto after = static_cast<std::int64_t>(clock_.boot_ns());
  return wall - (before + (after - before) / 2);
}

}  // namespace ambit
