// SPDX-License-Identifier: Apache-2.0
// The latest events in memory, in a fixed number of bytes: what a reader can begin from.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/model/event.h"

namespace ambit::daemon {

/// What a filter asks about, and the line as the event file has it, with its newline.
struct KeptEvent {
  model::Kind kind = model::Kind::start;
  model::Severity severity = model::Severity::info;
  bool finding = false;
  std::string_view task_id;  ///< these three: empty where no task did it
  std::string_view task_name;
  std::string_view agent;
  std::string_view line;
};

class EventRing {
 public:
  static constexpr std::size_t kBytes = std::size_t{2} << 20U;

  explicit EventRing(std::size_t bytes = kBytes) : bytes_(bytes) {}

  /// Takes the place of the oldest. Numbers follow each other; one that does not begins anew.
  void append(const model::Event& event, std::string_view line);

  /// The number of the oldest event that is kept; next() where none is.
  [[nodiscard]] std::uint64_t first() const { return next_ - entries_.size(); }
  [[nodiscard]] std::uint64_t next() const { return next_; }
  /// Of first() to next() - 1; until the next append().
  [[nodiscard]] KeptEvent at(std::uint64_t seq) const;

 private:
  /// Where its texts lie: task's id, task's name, agent, line, one behind the other.
  struct Entry {
    std::uint32_t begin = 0;
    std::uint32_t line_size = 0;
    std::uint16_t id_size = 0;
    std::uint16_t name_size = 0;
    std::uint16_t agent_size = 0;
    model::Kind kind{};
    model::Severity severity{};
    bool finding = false;
    [[nodiscard]] std::size_t size() const {
      return std::size_t{line_size} + id_size + name_size + agent_size;
    }
  };
  void make_room(std::size_t size);
  void put(std::string_view text);

  std::vector<char> bytes_;
  std::size_t end_ = 0;  ///< behind the newest
  std::deque<Entry> entries_;
  std::uint64_t next_ = 1;
};

}  // namespace ambit::daemon
