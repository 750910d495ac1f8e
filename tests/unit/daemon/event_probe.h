// SPDX-License-Identifier: Apache-2.0
// Events without a kernel.
#pragma once

#include <memory>
#include <string>

#include "userspace/daemon/event_ring.h"

namespace ambit::daemon::probe {

inline model::Event event_of(std::uint64_t seq, const std::string& task = {}) {
  model::Event event;
  event.seq = seq;
  event.id = "01J-" + std::to_string(seq);
  event.kind = model::Kind::connect;
  if (task.empty()) return event;
  auto made = std::make_shared<model::Task>();
  made->id = "id-" + task;
  made->name = task;
  made->agent = "spiffe://probe/" + task;
  event.task = made;
  return event;
}

inline std::string line_of(std::uint64_t seq, std::size_t size = 0) {
  std::string line = "{\"v\":1,\"seq\":" + std::to_string(seq);
  if (size > line.size()) line += ",\"x\":\"" + std::string(size - line.size(), 'x') + "\"";
  return line + "}";
}

/// Events from `from` up to, but without, `to`.
inline void fill(EventRing& ring, std::uint64_t from, std::uint64_t to, std::size_t size = 0) {
  for (std::uint64_t seq = from; seq < to; ++seq) ring.append(event_of(seq), line_of(seq, size));
}

}  // namespace ambit::daemon::probe
