// SPDX-License-Identifier: Apache-2.0
#include "userspace/correlation/openings.h"

#include <algorithm>
#include <array>
#include <limits>

#include "userspace/base/clock.h"

namespace ambit::correlation {
namespace {

using model::Process;

constexpr std::size_t kUnrelated = std::numeric_limits<std::size_t>::max();

/// Parents that are not known by their start are believed when they can be older than the child.
bool is_same(const ProcessRef& opener, const model::ParentProcess& parent, const Process& child) {
  if (opener.pid != parent.pid) {
    return false;
  }
  return parent.start_boot_ns == 0
             ? opener.start_boot_ns <= child.start_boot_ns
             : start_tick(opener.start_boot_ns) == start_tick(parent.start_boot_ns);
}

/// 0: the process itself, n: its n-th parent, kUnrelated: neither.
std::size_t distance(const ProcessRef& opener, const Process& process) {
  if (opener.pid == process.pid &&
      start_tick(opener.start_boot_ns) == start_tick(process.start_boot_ns)) {
    return 0;
  }
  for (std::size_t i = 0; i < process.parents.size(); ++i) {
    if (is_same(opener, process.parents[i], process)) {
      return i + 1;
    }
  }
  return kUnrelated;
}

ProcessRef ref_of(const Process& process) {
  return {.pid = process.pid, .start_boot_ns = process.start_boot_ns, .exe = process.exe};
}

ProcessRef ref_of(const model::ParentProcess& parent) {
  return {.pid = parent.pid, .start_boot_ns = parent.start_boot_ns, .exe = parent.exe};
}

/// The nearest process from which both come.
std::optional<ProcessRef> common_ancestor(const Opening& opening, const Process& process) {
  for (const model::ParentProcess& parent : process.parents) {
    const bool shared = std::ranges::any_of(opening.ancestors, [&](const ProcessRef& ancestor) {
      return is_same(ancestor, parent, process);
    });
    if (shared) {
      return ref_of(parent);
    }
  }
  return std::nullopt;
}

std::vector<ProcessRef> path_between(const Opening& opening, const Process& process,
                                     std::size_t steps) {
  std::vector<ProcessRef> path{opening.process};
  if (steps == kUnrelated) {
    if (auto shared = common_ancestor(opening, process)) {
      path.push_back(std::move(*shared));
    }
  } else {
    for (std::size_t i = steps; i > 1; --i) {
      path.push_back(ref_of(process.parents[i - 2]));
    }
  }
  if (steps != 0) {
    path.push_back(ref_of(process));
  }
  return path;
}

Relation relation_at(std::size_t steps) {
  if (steps == 0) {
    return Relation::same_process;
  }
  return steps == kUnrelated ? Relation::other_process : Relation::ancestor;
}

bool is_before(const Opening& opening, const model::Event& event) {
  return event.boot_ns == 0 || opening.boot_ns <= event.boot_ns;
}

}  // namespace

std::string_view word_of(Relation relation) {
  constexpr auto kWords =
      std::to_array<std::string_view>({"same_process", "ancestor", "held", "other_process"});
  return kWords.at(static_cast<std::size_t>(relation));
}

void Openings::add(Opening opening) {
  const auto known = std::ranges::find_if(openings_, [&](const Opening& other) {
    return other.credential == opening.credential && other.process.pid == opening.process.pid &&
           other.process.start_boot_ns == opening.process.start_boot_ns;
  });
  if (known != openings_.end()) {
    openings_.erase(known);
  }
  openings_.push_front(std::move(opening));
  if (openings_.size() > kMost) {
    openings_.pop_back();
  }
}

std::vector<std::string> Openings::credentials() const {
  std::vector<std::string> names;
  for (const Opening& opening : openings_) {
    if (std::ranges::find(names, opening.credential) == names.end()) {
      names.push_back(opening.credential);
    }
  }
  return names;
}

std::optional<Origin> Openings::nearest(const std::string& credential,
                                        const model::Event& event) const {
  const Process process = event.process.value_or(Process{});
  const Opening* best = nullptr;
  std::size_t best_steps = kUnrelated;
  for (const Opening& opening : openings_) {
    if (opening.credential != credential || !is_before(opening, event)) {
      continue;
    }
    const std::size_t steps = distance(opening.process, process);
    if (best == nullptr || steps < best_steps) {
      best = &opening;
      best_steps = steps;
    }
  }
  if (best == nullptr) {
    return std::nullopt;
  }
  return Origin{.opening = *best,
                .relation = relation_at(best_steps),
                .path = path_between(*best, process, best_steps)};
}

}  // namespace ambit::correlation
