// SPDX-License-Identifier: Apache-2.0
// Delegation: tasks below tasks, from the proof to the end of the parent.
#include <algorithm>
#include <ranges>

#include "userspace/base/pidfd.h"
#include "userspace/pipeline/adopt.h"
#include "userspace/pipeline/delegated_process.h"
#include "userspace/pipeline/live_task.h"
#include "userspace/policy/diagnostic_text.h"
#include "userspace/policy/within.h"

namespace ambit::pipeline {

namespace {

constexpr std::size_t kMostInChain = 16;
/// The tables are one for all: a task that delegates without end must not fill them for others.
constexpr std::size_t kMostInFamily = 256;
constexpr std::size_t kMostMoved = 1024;

Refusal about_parent(const model::Scope& scope, const std::string& text, std::string message) {
  policy::Diagnostic diagnostic;
  diagnostic.file = scope.source;
  diagnostic.line = scope.parent_at.line;
  diagnostic.column = scope.parent_at.column;
  diagnostic.message = std::move(message);
  Refusal refusal{.code = RefusalCode::scope_refused,
                  .message = diagnostic.message,
                  .diagnostics = {std::move(diagnostic)}};
  policy::attach_source(refusal.diagnostics, text);
  return refusal;
}

Refusal beyond(std::vector<policy::Diagnostic> diagnostics, const std::string& text) {
  policy::attach_source(diagnostics, text);
  return {.code = RefusalCode::beyond_parent,
          .message = "the scope goes beyond its parent's, first in line " +
                     std::to_string(diagnostics.front().line) + ": " + diagnostics.front().message,
          .diagnostics = std::move(diagnostics)};
}

void add(model::CredentialMask& to, const model::CredentialMask& what) {
  for (std::size_t i = 0; i < to.size(); ++i) to.at(i) |= what.at(i);
}

}  // namespace

Answer<TaskView> TaskHost::delegate(const DelegateRequest& request) {
  const auto parent = task_of_caller(request.caller);
  if (!parent) return std::unexpected(parent.error());
  auto given = take_scope(request.scope, {});
  if (!given) return std::unexpected(given.error());
  if (auto same = check_parent(*parent, given->scope, request.scope); !same)
    return std::unexpected(same.error());
  auto process = find_delegated(*sensor_, request.caller, request.pid, (*parent)->task->slot);
  if (!process) return std::unexpected(process.error());
  return begin({.scope = std::move(given->scope),
                .text = request.scope,
                .pid = process->pid,
                .process = std::move(process->pidfd),
                .declared_by = "uid:" + std::to_string(request.caller.uid),
                .parent = *parent,
                .moves = true});
}

/// A scope may name its parent; another one than it has is a mistake.
Answer<void> TaskHost::check_parent(const LiveTask* parent, const model::Scope& scope,
                                    const std::string& text) const {
  if (!scope.parent) return {};
  if (parent == nullptr)
    return std::unexpected(about_parent(
        scope, text, "the task has no parent, and parent is " + policy::in_quotes(*scope.parent)));
  const model::Task& own = *parent->task;
  if (*scope.parent == own.id || *scope.parent == own.name) return {};
  return std::unexpected(about_parent(scope, text,
                                      "parent " + policy::in_quotes(*scope.parent) +
                                          " is not the task above, which is " +
                                          policy::in_quotes(own.name)));
}

/// By who declares tasks, for a process of the parent's task or of none.
Answer<TaskView> TaskHost::open_below(Opening opening) {
  const auto parent = parent_named(opening.scope, opening.text);
  if (!parent) return std::unexpected(parent.error());
  opening.parent = *parent;
  Descriptor process = open_pidfd(opening.pid);
  const auto slot = process.valid() && is_alive(process.get()) ? sensor_->slot_of(process.get())
                                                               : Result<std::uint32_t>(0U);
  opening.moves = slot && *slot == (*parent)->task->slot;
  if (opening.moves) {
    opening.process = std::move(process);
    return begin(std::move(opening));
  }
  auto found = find_process(*sensor_, opening.pid);
  if (!found) return std::unexpected(found.error());
  opening.process = std::move(*found);
  return begin(std::move(opening));
}

Answer<const TaskHost::LiveTask*> TaskHost::parent_named(const model::Scope& scope,
                                                         const std::string& text) const {
  const std::string& name = *scope.parent;
  if (const LiveTask* const by_id = find_task(name); by_id != nullptr) return by_id;
  const LiveTask* found = nullptr;
  for (const auto& task : tasks_ | std::views::values) {
    if (task->task->name != name || task->phase != TaskPhase::live) continue;
    if (found != nullptr)
      return std::unexpected(about_parent(
          scope, text, "several tasks are called " + policy::in_quotes(name) + ": give the id"));
    found = task.get();
  }
  if (found != nullptr) return found;
  return std::unexpected(
      about_parent(scope, text, "there is no live task " + policy::in_quotes(name)));
}

Answer<const TaskHost::LiveTask*> TaskHost::task_of_caller(const Delegator& caller) const {
  const auto slot = caller.pidfd < 0 ? Result<std::uint32_t>(0U) : sensor_->slot_of(caller.pidfd);
  const auto task = slot ? tasks_.find(*slot) : tasks_.end();
  if (task == tasks_.end())
    return refuse(RefusalCode::not_in_task, "the caller is in no task of this daemon");
  return task->second.get();
}

Answer<void> TaskHost::admit(const Delegator& caller) const {
  const auto own = task_of_caller(caller);
  if (!own) return std::unexpected(own.error());
  return {};
}

Answer<void> TaskHost::may_delegate(const LiveTask& parent) const {
  if (phase_at(parent, now().boot_ns) != TaskPhase::live)
    return refuse(RefusalCode::parent_is_over, "the parent task is over");
  if (parent.task->chain.size() + 2 > kMostInChain)
    return refuse(
        RefusalCode::too_many,
        "a chain of tasks has at most " + std::to_string(kMostInChain) + ", and this is the end");
  const std::uint32_t family = parent.family == 0 ? parent.task->slot : parent.family;
  const auto below = std::ranges::count_if(
      tasks_ | std::views::values, [&](const auto& task) { return task->family == family; });
  if (static_cast<std::size_t>(below) >= kMostInFamily)
    return refuse(RefusalCode::too_many,
                  "at most " + std::to_string(kMostInFamily) + " tasks stand below one at a time");
  return {};
}

/// By every process that is moved, and by the whole of the parent's task.
Answer<model::CredentialMask> TaskHost::held_by_tree(const Opening& opening) const {
  const std::uint32_t slot = opening.parent->task->slot;
  model::CredentialMask held = sensor_->held_by_task(slot);
  if (!opening.moves) return held;
  const auto tree = list_tree(opening.pid, kMostMoved);
  if (!tree) return std::unexpected(tree.error());
  const std::vector<std::uint32_t> members = sensor_->members(slot);
  if (std::ranges::includes(*tree, members))
    return refuse(RefusalCode::process_refused,
                  "the task would be left without a process of its own, and end");
  for (const std::uint32_t pid : *tree) {
    const Descriptor process = open_pidfd(static_cast<int>(pid));
    if (!process.valid()) continue;
    const auto state = sensor_->state_of(process.get());
    if (!state) return refuse(RefusalCode::unavailable, state.error().message);
    if (state->slot == slot) add(held, state->held);
  }
  return held;
}

Answer<void> TaskHost::check_below(const Opening& opening, const PolicyInForce& next) const {
  if (opening.parent == nullptr) return {};
  const LiveTask& parent = *opening.parent;
  const auto held = held_by_tree(opening);
  if (!held) return std::unexpected(held.error());
  const policy::RealFileSystem machine;
  auto found = policy::beyond_parent(
      {.scope = parent.policy->scope,
       .policy = parent.policy->plan.policy,
       .left = std::chrono::nanoseconds(parent.expires_boot_ns - now().boot_ns),
       .held = *held},
      next.plan.expanded, catalogue_, policy::RememberedFileSystem(machine));
  if (!found) return refuse(RefusalCode::unavailable, found.error().message);
  if (!found->empty()) return std::unexpected(beyond(std::move(*found), opening.text));
  return {};
}

void TaskHost::place_below(LiveTask& task, const LiveTask& parent) const {
  task.parent = parent.task->slot;
  task.family = parent.family == 0 ? task.parent : parent.family;
  task.expires_boot_ns = std::min(task.expires_boot_ns, parent.expires_boot_ns);
  task.bits = parent.bits;
}

const TaskHost::LiveTask* TaskHost::parent_of(const LiveTask& task) const {
  const auto parent = tasks_.find(task.parent);
  return parent == tasks_.end() ? nullptr : parent->second.get();
}

model::Task TaskHost::task_of(const Opening& opening, const model::Scope& scope, std::uint32_t slot,
                              const model::Moment& at) {
  model::Task task = model::make_task(
      scope, at,
      {.slot = slot, .id = ulids_->next(at.wall_ns), .declared_by = opening.declared_by});
  if (opening.parent == nullptr) return task;
  hang_below(task, *opening.parent->task);
  task.expires_ns = std::min(task.expires_ns, opening.parent->task->expires_ns);
  return task;
}

void TaskHost::hang_below(model::Task& task, const model::Task& above) {
  task.parent = above.id;
  task.chain = above.chain;
  task.chain.push_back({.id = above.id,
                        .name = above.name,
                        .agent = above.agent,
                        .on_behalf_of = above.on_behalf_of});
}

/// What was bound already when the rest could not be goes back where it was: a process of a task is
/// never let out of it.
Answer<void> TaskHost::bind(const Opening& opening, std::uint32_t slot) {
  if (!opening.moves) {
    auto bound = adopt(*sensor_, opening.pid, opening.process.get(), slot);
    if (!bound) let_all_go(*sensor_, slot);
    return bound;
  }
  const std::uint32_t parent = opening.parent->task->slot;
  auto moved = move_tree(*sensor_, opening.pid, opening.process.get(), parent, slot);
  if (!moved && !move_all(*sensor_, slot, parent))
    write_fault_ = "delegation: processes stay behind in a task that was not opened";
  return moved;
}

Result<void> TaskHost::end_below(std::uint32_t slot, const std::string& reason, bool kill) {
  Result<void> all;
  for (const auto& [number, task] : tasks_)
    if (task->parent == slot)
      if (auto ended = end_delegated(*task, reason, kill); !ended) all = ended;
  return all;
}

Result<void> TaskHost::end_delegated(LiveTask& task, const std::string& reason, bool kill) {
  const std::uint32_t slot = task.task->slot;
  Result<void> ended;
  if (kill) {
    TaskKiller killer(*sensor_);
    if (auto killed = killer.kill_task(slot); !killed) ended = std::unexpected(killed.error());
  } else {
    ended = sensor_->revoke(slot, false);
  }
  if (task.phase != TaskPhase::closed)
    stream_->take(model::make_task_close(now(), task.task, {{"reason", reason}}));
  task.phase = TaskPhase::closed;
  if (auto below = end_below(slot, reason, kill); !below) return below;
  return ended;
}

Result<void> TaskHost::narrow_below(const LiveTask& task) {
  Result<void> all;
  for (const auto& below : tasks_ | std::views::values) {
    if (below->parent != task.task->slot || below->phase == TaskPhase::closed) continue;
    const auto beyond = beyond_in_force(*task.policy, *below->policy, catalogue_);
    if (beyond && beyond->empty()) continue;
    if (auto ended = end_delegated(*below, "beyond_parent", false); !ended) all = ended;
  }
  if (auto cut = cut_below(task); !cut) return cut;
  return all;
}

Result<void> TaskHost::cut_below(const LiveTask& task) {
  Result<void> all;
  for (const auto& below : tasks_ | std::views::values) {
    if (below->parent != task.task->slot || below->phase != TaskPhase::live) continue;
    if (below->expires_boot_ns <= task.expires_boot_ns) continue;
    auto changed = sensor_->change_deadline(below->task->slot, task.expires_boot_ns);
    if (!changed) all = std::unexpected(changed.error());
    if (!changed || !*changed) continue;
    below->expires_boot_ns = task.expires_boot_ns;
    model::Task sooner = *below->task;
    sooner.expires_ns = std::min(sooner.expires_ns, task.task->expires_ns);
    tell_change(*below, std::move(sooner));
    if (auto cut = cut_below(*below); !cut) all = cut;
  }
  return all;
}

Answer<std::vector<TaskView>> TaskHost::family(const Delegator& caller) const {
  const auto own = task_of_caller(caller);
  if (!own) return std::unexpected(own.error());
  std::set<std::uint32_t> below{(*own)->task->slot};
  std::vector<TaskView> out{view_of(**own)};
  // A task stands behind its parent.
  for (const auto& [slot, task] : tasks_)
    if (task->parent != 0 && below.contains(task->parent)) {
      below.insert(slot);
      out.push_back(view_of(*task));
    }
  return out;
}

}  // namespace ambit::pipeline
