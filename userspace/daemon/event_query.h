// SPDX-License-Identifier: Apache-2.0
// What a reader of the stream of events asks for: GET /v1/events?…
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "userspace/base/result.h"
#include "userspace/daemon/event_ring.h"
#include "userspace/daemon/query.h"

namespace ambit::daemon {

struct EventFilter {
  std::string task;  ///< id or name; empty: all
  std::string agent;
  std::bitset<model::kKinds.size()> kinds;  ///< none: all
  model::Severity at_least = model::Severity::info;
  std::optional<bool> finding;

  [[nodiscard]] bool takes(const KeptEvent& event) const;
};

struct EventQuery {
  std::optional<std::uint64_t> from;  ///< absent: the oldest in memory
  bool from_next = false;             ///< only what comes from now on
  bool follow = false;
  std::string run;  ///< of which `from` is a number; empty: not said
  EventFilter filter;
};

inline constexpr std::string_view kEventKeys = "from run follow task agent kind severity finding";

/// Of a query with those keys. The error is a sentence.
[[nodiscard]] Result<EventQuery> read_event_query(const Query& query);

}  // namespace ambit::daemon
