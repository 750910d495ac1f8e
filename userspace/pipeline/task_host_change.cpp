// SPDX-License-Identifier: Apache-2.0
// A task that lives gets another scope or another deadline.
#include <algorithm>
#include <limits>
#include <utility>

#include "userspace/base/pidfd.h"
#include "userspace/correlation/correlator.h"
#include "userspace/pipeline/live_task.h"
#include "userspace/pipeline/records.h"
#include "userspace/pipeline/task_limits.h"
#include "userspace/policy/diagnostic.h"
#include "userspace/policy/document_scalar.h"
#include "userspace/sink/native.h"

namespace ambit::pipeline {

namespace {

// A decision takes microseconds, the answer of a holder milliseconds; what began by the former
// policy must find it to its end.
constexpr std::chrono::seconds kRetire{5};

std::unexpected<Refusal> over(const std::string& id) {
  return refuse(RefusalCode::task_over, "task " + id + " is over: it has expired or is closed");
}

/// Who it is for does not change during its life: events and `close` go by that.
std::vector<policy::Diagnostic> other_identity(const model::Task& task, const model::Scope& next) {
  std::vector<policy::Diagnostic> out;
  const auto say = [&](model::Position at, std::string message) {
    if (at.line == 0) at = next.places.spec;
    policy::Diagnostic diagnostic;
    diagnostic.file = next.source;
    diagnostic.line = at.line;
    diagnostic.column = at.column;
    diagnostic.message = std::move(message);
    out.push_back(std::move(diagnostic));
  };
  if (next.agent != task.agent) say({}, "the task's agent is " + task.agent);
  if (next.on_behalf_of != task.on_behalf_of)
    say(next.places.on_behalf_of,
        "the task acts " + (task.on_behalf_of ? "on behalf of " + *task.on_behalf_of
                                              : std::string("on behalf of nobody")));
  return out;
}

}  // namespace

Answer<TaskHost::LiveTask*> TaskHost::find_live(const std::string& id) {
  LiveTask* const task = find_task(id);
  if (task == nullptr) return refuse(RefusalCode::no_such_task, "there is no task " + id);
  expire_tasks();
  if (task->phase != TaskPhase::live) return over(id);
  return task;
}

/// Its time is no question here: a narrowed scope ends no later than the task does already.
Answer<void> TaskHost::check_within(const LiveTask& task, const PolicyInForce& next,
                                    const std::string& text) const {
  auto beyond = beyond_in_force(*task.policy, next, catalogue_);
  if (!beyond) return refuse(RefusalCode::unavailable, beyond.error().message);
  std::vector<policy::Diagnostic> all = other_identity(*task.task, next.scope);
  std::ranges::move(*beyond, std::back_inserter(all));
  if (all.empty()) return {};
  policy::attach_source(all, text);
  return std::unexpected(Refusal{.code = RefusalCode::scope_refused,
                                 .message = "the scope goes beyond the one in force",
                                 .diagnostics = std::move(all)});
}

/// The former policy is in force until the new one is complete, and then not for one decision more.
Answer<void> TaskHost::switch_to(LiveTask& task, std::unique_ptr<PolicyInForce> next) {
  const auto undo = [&](const std::string& why) {
    remove_policy(*sensor_, *next);
    return refuse(RefusalCode::unavailable, why);
  };
  // Whoever comes after this process goes by the kernel's word on which of the two is in force.
  if (auto remembered = remember(task, next.get()); !remembered)
    return undo(remembered.error().message);
  const LiveTask* const parent = parent_of(task);
  if (auto written = write_policy(*sensor_, *next, sets_,
                                  {.former = task.policy.get(),
                                   .above = parent == nullptr ? nullptr : parent->policy.get()});
      !written)
    return undo(written.error().message);
  if (auto changed = sensor_->change_policy(task.task->slot, next->numbers.policy); !changed)
    return undo(changed.error().message);
  take_in_force(task, std::move(next));
  return {};
}

void TaskHost::take_in_force(LiveTask& task, std::unique_ptr<PolicyInForce> next) {
  std::swap(task.policy, next);
  note_bits(task);
  hold_by_all(task, *next);
  retired_.push_back({.slot = task.task->slot,
                      .policy = std::move(next),
                      .since = std::chrono::steady_clock::now()});
}

/// What one process holds and the whole task holds from now on (holding: task).
void TaskHost::hold_by_all(const LiveTask& task, const PolicyInForce& former) {
  model::CredentialMask more = task.policy->plan.policy.hold_task;
  for (std::size_t i = 0; i < more.size(); ++i) more.at(i) &= ~former.plan.policy.hold_task.at(i);
  if (more == model::CredentialMask{}) return;
  model::CredentialMask held =
      held_by_processes(task.task->slot, sensor_->members(task.task->slot));
  for (std::size_t i = 0; i < held.size(); ++i) held.at(i) &= more.at(i);
  if (held != model::CredentialMask{})
    if (auto added = sensor_->add_held_by_task(task.task->slot, held); !added)
      write_fault_ = added.error().message;
}

std::uint64_t TaskHost::latest_end(const LiveTask& task) const {
  const LiveTask* const parent = parent_of(task);
  return parent == nullptr ? std::numeric_limits<std::uint64_t>::max() : parent->expires_boot_ns;
}

void TaskHost::tell_change(LiveTask& task, model::Task changed) {
  task.task = std::make_shared<const model::Task>(std::move(changed));
  stream_->change_task(task.task,
                       correlation::task_table(task.policy->plan.policy, task.policy->scope));
  stream_->registry().set_names(task.task->slot, task.policy->destinations->names());
}

Answer<TaskView> TaskHost::narrow(const NarrowRequest& request) {
  auto found = find_live(request.id);
  if (!found) return std::unexpected(found.error());
  LiveTask& task = **found;
  auto given = take_scope(request.scope, request.scope_name);
  if (!given) return std::unexpected(given.error());
  if (auto same = check_parent(parent_of(task), given->scope, given->text); !same)
    return std::unexpected(same.error());
  auto next = make_policy(std::move(given->scope), task.policy.get(), in_force(&task));
  if (!next) return std::unexpected(next.error());
  (*next)->text = given->text;
  if (auto within = check_within(task, **next, given->text); !within)
    return std::unexpected(within.error());
  // What was done under the former scope belongs before its end.
  static_cast<void>(take());
  if (auto switched = switch_to(task, std::move(*next)); !switched)
    return std::unexpected(switched.error());
  const model::Scope& in_force = task.policy->scope;
  const model::Moment at = now();
  model::Task changed = *task.task;
  const std::string former = std::exchange(changed.scope_sha256, in_force.sha256);
  changed.name = in_force.name;
  changed.owner = in_force.owner;
  changed.context = in_force.context;
  const std::uint64_t end = at.boot_ns + static_cast<std::uint64_t>(in_force.ttl.count());
  // Where it is over meanwhile, nothing is left to be shortened.
  if (end < task.expires_boot_ns &&
      sensor_->change_deadline(task.task->slot, end).value_or(false)) {
    task.expires_boot_ns = end;
    changed.expires_ns = at.wall_ns + in_force.ttl.count();
  }
  renew_limits(task);
  tell_change(task, std::move(changed));
  amend(task);
  stream_->take(model::make_task_narrow(now(), task.task, {{"scope_sha256_before", former}}));
  if (auto below = narrow_below(task); !below)
    return refuse(RefusalCode::unavailable, below.error().message);
  return view_of(task);
}

Answer<TaskView> TaskHost::extend(const std::string& id, std::chrono::nanoseconds ttl) {
  auto found = find_live(id);
  if (!found) return std::unexpected(found.error());
  LiveTask& task = **found;
  const model::Moment at = now();
  const std::uint64_t end = at.boot_ns + static_cast<std::uint64_t>(ttl.count());
  const auto left = [&](std::uint64_t until) {
    return policy::text_of_duration(
        std::chrono::nanoseconds(until > at.boot_ns ? until - at.boot_ns : 0));
  };
  if (end <= task.expires_boot_ns)
    return refuse(RefusalCode::deadline_refused,
                  "the task has " + left(task.expires_boot_ns) + " left, which is more");
  if (const std::uint64_t latest = latest_end(task); end > latest)
    return refuse(RefusalCode::deadline_refused,
                  "its parent has " + left(latest) + " left, and no task outlives its parent");
  const auto changed = sensor_->change_deadline(task.task->slot, end);
  if (!changed) return refuse(RefusalCode::unavailable, changed.error().message);
  if (!*changed) return over(id);
  task.expires_boot_ns = end;
  model::Task later = *task.task;
  const std::int64_t before = std::exchange(later.expires_ns, at.wall_ns + ttl.count());
  tell_change(task, std::move(later));
  amend(task);
  stream_->take(
      model::make_task_extend(now(), task.task, {{"expires_before", sink::rfc3339(before)}}));
  return view_of(task);
}

/// What was said of the process's environment stays: that is not kept.
void TaskHost::renew_limits(LiveTask& task) const {
  std::vector<std::string> limits = limits_of({.backend = sensor_->backend(),
                                               .scope = task.policy->scope,
                                               .catalogue = catalogue_,
                                               .environment = {},
                                               .pattern_alone = plan_.pattern_alone,
                                               .delegated = task.parent != 0});
  for (std::string& limit : task.limits)
    if (limit.starts_with(kRelocationLimit)) limits.push_back(std::move(limit));
  task.limits = std::move(limits);
}

void TaskHost::remove_retired() {
  const auto before = std::chrono::steady_clock::now() - kRetire;
  const auto due =
      std::ranges::find_if(retired_, [&](const Retired& one) { return one.since > before; });
  for (auto one = retired_.begin(); one != due; ++one) remove_policy(*sensor_, *one->policy);
  retired_.erase(retired_.begin(), due);
  while (!former_catalogues_.empty() && former_catalogues_.front().since <= before) {
    remove_paths(former_catalogues_.front().paths, former_catalogues_.front().space);
    std::erase(note_.others, former_catalogues_.front().space);
    if (auto kept = keep_note(); !kept) write_fault_ = kept.error().message;
    former_catalogues_.erase(former_catalogues_.begin());
  }
}

}  // namespace ambit::pipeline
