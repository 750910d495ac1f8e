// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/event_query.h"

#include <algorithm>
#include <array>

#include "userspace/base/utf8.h"
#include "userspace/base/whole_number.h"
#include "userspace/sink/native.h"

namespace ambit::daemon {

namespace {

constexpr std::size_t kShown = 64;

using Done = Result<void>;

Result<bool> truth(const std::string& key, const std::string& value) {
  if (value != "true" && value != "false") return fail(key + " is true or false");
  return value == "true";
}

Done read_from(const std::string& value, EventQuery& into) {
  if (value == "next") {
    into.from_next = true;
    return {};
  }
  into.from = whole_number<std::uint64_t>(value);
  if (!into.from || *into.from == 0) return fail("from is the number of an event, or next");
  return {};
}

Done read_follow(const std::string& value, EventQuery& into) {
  const auto said = truth("follow", value);
  if (!said) return std::unexpected(said.error());
  into.follow = *said;
  return {};
}

Done read_finding(const std::string& value, EventQuery& into) {
  const auto said = truth("finding", value);
  if (!said) return std::unexpected(said.error());
  into.filter.finding = *said;
  return {};
}

Done read_kind(const std::string& value, EventQuery& into) {
  std::string_view rest = value;
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    const auto* const found = std::ranges::find(model::kKinds, rest.substr(0, comma));
    if (found == model::kKinds.end())
      return fail("there is no kind \"" + to_terminal(rest.substr(0, comma), kShown) + "\"");
    into.filter.kinds.set(static_cast<std::size_t>(found - model::kKinds.begin()));
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
  }
  return {};
}

Done read_severity(const std::string& value, EventQuery& into) {
  using model::Severity;
  for (const Severity severity :
       {Severity::info, Severity::low, Severity::medium, Severity::high, Severity::critical})
    if (value == sink::word_of(severity)) {
      into.filter.at_least = severity;
      return {};
    }
  return fail("severity is info, low, medium, high or critical");
}

template <auto Member>
Done read_text(const std::string& value, EventQuery& into) {
  into.filter.*Member = value;
  return {};
}

Done read_run(const std::string& value, EventQuery& into) {
  into.run = value;
  return {};
}

struct QueryKey {
  std::string_view name;
  Done (*read)(const std::string& value, EventQuery& into);
};

constexpr std::array kKeys{
    QueryKey{"from", read_from},
    QueryKey{"run", read_run},
    QueryKey{"follow", read_follow},
    QueryKey{"task", read_text<&EventFilter::task>},
    QueryKey{"agent", read_text<&EventFilter::agent>},
    QueryKey{"kind", read_kind},
    QueryKey{"severity", read_severity},
    QueryKey{"finding", read_finding},
};

}  // namespace

bool EventFilter::takes(const KeptEvent& event) const {
  return (task.empty() || task == event.task_id || task == event.task_name) &&
         (agent.empty() || agent == event.agent) &&
         (kinds.none() || kinds.test(static_cast<std::size_t>(event.kind))) &&
         event.severity >= at_least && (!finding || *finding == event.finding);
}

Result<EventQuery> read_event_query(const Query& query) {
  EventQuery out;
  for (const QueryKey& key : kKeys) {
    const auto said = query.find(std::string(key.name));
    if (said == query.end()) continue;
    if (auto read = key.read(said->second, out); !read) return std::unexpected(read.error());
  }
  if (!out.run.empty() && !out.from) return fail("run says of which run from is a number");
  return out;
}

}  // namespace ambit::daemon
