// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/event_cursor.h"

#include <algorithm>

#include "userspace/sink/json_line.h"

namespace ambit::daemon {

EventCursor::EventCursor(const EventRing& ring, EventQuery query)
    : ring_(ring),
      query_(std::move(query)),
      asked_(query_.from_next ? ring.next() : query_.from.value_or(ring.first())),
      position_(std::max(asked_, ring.first())),
      until_(ring.next()) {}

std::string EventCursor::begin_line(const std::string& run) const {
  sink::JsonLine line;
  line.open_object();
  line.key("stream");
  line.word("begin");
  line.key("run");
  line.text(run);
  line.key("from");
  line.number(position_);
  line.key("lost");
  line.number(position_ - asked_);
  line.key("next");
  line.number(until_);
  line.close_object();
  return std::move(line).take() + "\n";
}

std::string EventCursor::end_line(const char* reason, std::uint64_t lost) {
  over_ = true;
  sink::JsonLine line;
  line.open_object();
  line.key("stream");
  line.word("end");
  line.key("reason");
  line.word(reason);
  line.key("next");
  line.number(position_);
  line.key("lost");
  line.number(lost);
  line.close_object();
  return std::move(line).take() + "\n";
}

std::string EventCursor::next_lines(std::size_t bytes, bool stopping) {
  if (over_) return {};
  if (position_ < ring_.first()) {
    slow_ = true;
    return end_line("slow", ring_.first() - position_);
  }
  std::string out;
  const std::uint64_t end = query_.follow ? ring_.next() : std::min(until_, ring_.next());
  for (; position_ < end && out.size() < bytes; ++position_) {
    const KeptEvent event = ring_.at(position_);
    if (query_.filter.takes(event)) out += event.line;
  }
  if (position_ < end) return out;
  if (!query_.follow) return out + end_line("complete", 0);
  if (stopping) return out + end_line("stopped", 0);
  return out;
}

}  // namespace ambit::daemon
