// SPDX-License-Identifier: Apache-2.0
// One reader's way through the events: what it gets next, and what it is told of those that are
// gone. No socket.
#pragma once

#include <cstdint>
#include <string>

#include "userspace/daemon/event_query.h"
#include "userspace/daemon/event_ring.h"

namespace ambit::daemon {

class EventCursor {
 public:
  /// `ring` must outlive this.
  EventCursor(const EventRing& ring, EventQuery query);

  /// The first line: from which number on nothing is left out, and how many that were asked for
  /// are gone.
  [[nodiscard]] std::string begin_line(const std::string& run) const;

  /// Whole lines, more than `bytes` only by the last of them; empty: there is none yet.
  /// `stopping`: no event will follow.
  [[nodiscard]] std::string next_lines(std::size_t bytes, bool stopping);
  /// The last line has been given.
  [[nodiscard]] bool is_over() const { return over_; }
  /// It was overtaken.
  [[nodiscard]] bool was_slow() const { return slow_; }

 private:
  [[nodiscard]] std::string end_line(const char* reason, std::uint64_t lost);

  const EventRing& ring_;
  EventQuery query_;
  std::uint64_t asked_;
  std::uint64_t position_;
  std::uint64_t until_;  ///< where a reader who does not follow is done
  bool over_ = false;
  bool slow_ = false;
};

}  // namespace ambit::daemon
