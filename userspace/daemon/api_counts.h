// SPDX-License-Identifier: Apache-2.0
// What became of requests and connections, since the start. Each that is turned away stands here
// under its cause.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ambit::daemon {

struct ApiCounts {
  std::uint64_t requests = 0;      ///< that were read whole
  std::uint64_t refused_rate = 0;  ///< these five are in none of the others
  std::uint64_t refused_size = 0;
  std::uint64_t refused_garbage = 0;
  std::uint64_t refused_busy = 0;  ///< too many large bodies at once
  std::uint64_t refused_caller = 0;
  std::size_t connections = 0;  ///< now, without those of readers of events
  std::uint64_t timed_out = 0;  ///< idle, half a request, or an answer that was not read
  std::uint64_t displaced = 0;  ///< closed for a newer one
  std::size_t readers = 0;      ///< of events, now
  std::uint64_t readers_slow = 0;
  std::uint64_t readers_stalled = 0;
};

}  // namespace ambit::daemon
