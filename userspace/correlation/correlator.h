// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "userspace/correlation/blend.h"
#include "userspace/correlation/openings.h"
#include "userspace/correlation/story.h"
#include "userspace/model/event.h"
#include "userspace/model/policy.h"

namespace ambit::correlation {

/// What a task's policy says of its credentials: numbers in records become names.
struct TaskTable {
  std::vector<std::string> credential_of_bit;  ///< a name can have several: of former scopes
  std::vector<std::string> listed;             ///< by the scope, in its order
  model::CredentialMask hold_process{};        ///< holding: process
  std::map<std::string, model::Authority> authority;
  model::Response blended = model::Response::alert;
};

/// The credentials of a mask over a policy's bits, each once.
[[nodiscard]] std::vector<std::string> names_in(const model::CredentialMask& mask,
                                                const std::vector<std::string>& credential_of_bit);

[[nodiscard]] TaskTable task_table(const model::CompiledPolicy& policy, const model::Scope& scope);

/// The third stage: joins what several events say (docs/EVENTS.md, "The join"). No clock, no input
/// or output; bounded for each task, so that one that floods it forgets only its own past.
class Correlator {
 public:
  static constexpr std::size_t kMostPairs = 256;

  /// `catalogue` must outlive this.
  explicit Correlator(const model::Catalogue& catalogue) : catalogue_(catalogue) {}

  void open_task(std::uint32_t slot, TaskTable table);
  /// Another scope for the same task: what was opened and found before counts on.
  void change_task(std::uint32_t slot, TaskTable table);
  void close_task(std::uint32_t slot);

  /// Takes attributed events in the order of their `seq`, which must be set. Completes `event` in
  /// place and returns the findings that it leads to; those want a seq, an id and the later stages
  /// like any other.
  [[nodiscard]] std::vector<model::Event> observe(model::Event& event);
  /// Of a task that is open; else null.
  [[nodiscard]] const Figures* figures(std::uint32_t slot) const;

 private:
  struct TaskState {
    TaskTable table;
    Openings openings;
    Blend blend;
    Story story;
    std::set<std::pair<std::string, std::string>> pairs;  ///< (credential, destination), reported
    std::deque<std::pair<std::string, std::string>> pair_order;
  };

  void name_credentials(model::Event& event, const TaskState* state) const;
  void complete_finding(model::Event& event, const TaskState* state) const;
  [[nodiscard]] std::vector<model::Event> join(model::Event& event, TaskState& state) const;
  static void remember(model::Event& event, TaskState& state, std::vector<model::Event>& more);
  static std::vector<model::Event> carried_once(const model::Event& event,
                                                std::vector<Origin> origins, TaskState& state);

  const model::Catalogue& catalogue_;
  std::unordered_map<std::uint32_t, TaskState> tasks_;
};

}  // namespace ambit::correlation
