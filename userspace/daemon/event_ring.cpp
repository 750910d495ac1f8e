// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/event_ring.h"

#include <algorithm>
#include <limits>

namespace ambit::daemon {

namespace {

/// A smaller event than any; with it the list of entries is bounded as well.
constexpr std::size_t kLeastEvent = 128;

/// Longer than any text of a scope may be.
std::string_view bounded(std::string_view text) {
  return text.substr(0, std::numeric_limits<std::uint16_t>::max());
}

}  // namespace

void EventRing::append(const model::Event& event, std::string_view line) {
  if (event.seq != next_) entries_.clear();
  next_ = event.seq + 1;
  const model::Task* const task = event.task.get();
  const std::string_view id = task == nullptr ? std::string_view() : bounded(task->id);
  const std::string_view name = task == nullptr ? std::string_view() : bounded(task->name);
  const std::string_view agent = task == nullptr ? std::string_view() : bounded(task->agent);
  Entry entry{.line_size = static_cast<std::uint32_t>(line.size() + 1),
              .id_size = static_cast<std::uint16_t>(id.size()),
              .name_size = static_cast<std::uint16_t>(name.size()),
              .agent_size = static_cast<std::uint16_t>(agent.size()),
              .kind = event.kind,
              .severity = event.severity,
              .finding = event.finding};
  if (entry.size() > bytes_.size()) return entries_.clear();
  make_room(entry.size());
  entry.begin = static_cast<std::uint32_t>(end_);
  for (const std::string_view text : {id, name, agent, line, std::string_view("\n")}) put(text);
  entries_.push_back(entry);
}

/// One event lies in one piece: where it does not fit before the end, the rest stays empty.
void EventRing::make_room(std::size_t size) {
  if (entries_.empty()) end_ = 0;
  if (entries_.size() >= bytes_.size() / kLeastEvent) entries_.pop_front();
  const auto drop_between = [this](std::size_t from, std::size_t to) {
    while (!entries_.empty() && entries_.front().begin >= from && entries_.front().begin < to)
      entries_.pop_front();
  };
  if (end_ + size > bytes_.size()) {
    drop_between(end_, bytes_.size());
    end_ = 0;
  }
  drop_between(end_, end_ + size);
}

void EventRing::put(std::string_view text) {
  std::ranges::copy(text, bytes_.begin() + static_cast<std::ptrdiff_t>(end_));
  end_ += text.size();
}

KeptEvent EventRing::at(std::uint64_t seq) const {
  const Entry& entry = entries_.at(seq - first());
  std::string_view rest(bytes_.data() + entry.begin, entry.size());
  const auto take = [&rest](std::size_t size) {
    const std::string_view text = rest.substr(0, size);
    rest.remove_prefix(size);
    return text;
  };
  KeptEvent event{.kind = entry.kind, .severity = entry.severity, .finding = entry.finding};
  event.task_id = take(entry.id_size);
  event.task_name = take(entry.name_size);
  event.agent = take(entry.agent_size);
  event.line = rest;
  return event;
}

}  // namespace ambit::daemon
