// SPDX-License-Identifier: Apache-2.0
// The life of one task: open, close, show.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <ranges>

#include "userspace/correlation/correlator.h"
#include "userspace/pipeline/adopt.h"
#include "userspace/pipeline/live_task.h"
#include "userspace/pipeline/prove.h"
#include "userspace/pipeline/records.h"
#include "userspace/pipeline/task_limits.h"
#include "userspace/policy/document.h"

namespace ambit::pipeline {

namespace {

std::unexpected<Refusal> no_such_task(const std::string& id) {
  return refuse(RefusalCode::no_such_task, "there is no task " + id);
}

/// As the process was started; empty where it cannot be read.
policy::Environment environment_of(std::int32_t pid) {
  policy::Environment out;
  std::ifstream file("/proc/" + std::to_string(pid) + "/environ", std::ios::binary);
  for (std::string entry; std::getline(file, entry, '\0');) out.push_back(entry);
  return out;
}

Answer<model::Scope> take_scope(const std::string& text, const model::Catalogue& catalogue) {
  auto scope = read_scope(text, "scope", catalogue);
  if (!scope)
    return std::unexpected(Refusal{.code = RefusalCode::scope_refused,
                                   .message = "the scope has mistakes",
                                   .diagnostics = std::move(scope.error())});
  if (scope->parent) return refuse(RefusalCode::scope_refused, std::string(policy::kNoDelegation));
  return std::move(*scope);
}

}  // namespace

Answer<TaskView> TaskHost::open(const OpenRequest& request) {
  auto scope = take_scope(request.scope, catalogue_);
  if (!scope) return std::unexpected(scope.error());
  auto process = find_process(*sensor_, request.pid);
  if (!process) return std::unexpected(process.error());
  if (last_slot_ + 2 >= kFirstProofNumber)
    return refuse(RefusalCode::unavailable, "no number is left for another task");
  auto live = std::make_unique<LiveTask>();
  live->scope = std::move(*scope);
  auto plan = plan_scope(live->scope, catalogue_, {});
  if (!plan) return refuse(RefusalCode::scope_refused, plan.error().message);
  live->plan = std::move(*plan);
  const std::uint32_t slot = ++last_slot_;
  *tally_.last_slot = slot;
  live->numbers = {.policy = slot,
                   .credential_space = kCredentialSpace,
                   .program_space = kCredentialSpace + slot};
  const model::Moment at = now();
  live->opened_ns = at.wall_ns;
  live->expires_boot_ns = at.boot_ns + static_cast<std::uint64_t>(live->scope.ttl.count());
  live->task = std::make_shared<const model::Task>(model::make_task(
      live->scope, at,
      {.slot = slot, .id = ulids_->next(at.wall_ns), .declared_by = request.declared_by}));
  const policy::Environment environment = environment_of(request.pid);
  live->limits = limits_of({.backend = sensor_->backend(),
                            .scope = live->scope,
                            .catalogue = catalogue_,
                            .environment = environment,
                            .pattern_alone = plan_.pattern_alone});
  if (auto remembered = remember(*live, request.scope); !remembered)
    return refuse(RefusalCode::unavailable, remembered.error().message);
  if (auto written = write_tables(*live); !written) {
    remove_tables(*live);
    store_->remove(live->task->id);
    return refuse(RefusalCode::unavailable, written.error().message);
  }
  if (auto bound = adopt(*sensor_, request.pid, process->get(), slot); !bound) {
    let_all_go(*sensor_, slot);
    remove_tables(*live);
    store_->remove(live->task->id);
    return std::unexpected(bound.error());
  }
  // Records of the task are not looked at before the next turn: this stands first.
  announce(*live, request.pid, environment);
  follow_member(*live, std::move(*process));
  slots_[live->task->id] = slot;
  if (!live->destinations->answers().empty()) amend(*live);
  return view_of(*(tasks_[slot] = std::move(live)));
}

Result<void> TaskHost::write_tables(LiveTask& task) {
  for (const std::string& program : task.plan.policy.pinned)
    task.pinned.emplace_back(::open(program.c_str(), O_PATH | O_CLOEXEC));
  if (auto put = policy::put_all(*sensor_, policy::encode_policy(task.plan.policy, task.numbers));
      !put)
    return put;
  task.destinations = std::make_unique<Destinations>(task.plan, task.numbers.policy, sets_);
  constexpr std::chrono::milliseconds kFirstLookUp{1000};
  if (auto looked_up = task.destinations->refresh(*sensor_, kFirstLookUp); !looked_up)
    return looked_up;
  return sensor_->put(policy::encode_task({.slot = task.task->slot,
                                           .policy = task.numbers.policy,
                                           .expires_boot_ns = task.expires_boot_ns,
                                           .revoked = false}));
}

/// In the other order than they were written. Sets of ports stay: others may use the same.
void TaskHost::remove_tables(const LiveTask& task) {
  if (task.taken_over) return remove_recorded(task);
  std::vector<model::TableEntry> entries = policy::encode_policy(task.plan.policy, task.numbers);
  entries.push_back(policy::encode_task({.slot = task.task->slot}));
  for (const model::TableEntry& entry : std::views::reverse(entries))
    if (entry.table != model::Table::ports)
      // What is left takes space and means nothing: its numbers are not used again.
      static_cast<void>(sensor_->remove(entry.table, entry.key));
}

void TaskHost::announce(const LiveTask& task, std::int32_t pid,
                        const policy::Environment& environment) {
  stream_->open_task(task.task, correlation::task_table(task.plan.policy, task.scope));
  stream_->registry().set_names(task.task->slot, task.destinations->names());
  stream_->take(model::make_task_open(now(), task.task, {{"pid", std::to_string(pid)}}));
  model::Process process;
  process.pid = static_cast<std::uint32_t>(pid);
  process.tid = process.pid;
  for (const policy::EnvironmentSecret& secret :
       policy::find_environment_secrets(environment, catalogue_, task.scope))
    stream_->take(model::make_secret_in_environment(now(), {.task = task.task,
                                                            .process = process,
                                                            .mode = task.scope.mode,
                                                            .credentials = {secret.credential},
                                                            .variables = secret.variables,
                                                            .stripped = false}));
}

TaskView TaskHost::view_of(const LiveTask& task) const {
  TaskView view{.task = task.task,
                .phase = task.phase,
                .opened_ns = task.opened_ns,
                .limits = task.limits,
                .processes = sensor_->members(task.task->slot)};
  for (const auto& [name, why] : task.destinations->unresolved())
    view.limits.push_back("names: no address yet for " + name + " (" + why +
                          "); what goes there is refused");
  // The kernel's time counts, also in the moment before it is told.
  if (view.phase == TaskPhase::live && SystemClock().boot_ns() >= task.expires_boot_ns)
    view.phase = TaskPhase::expired;
  return view;
}

Answer<TaskView> TaskHost::close(const std::string& id, bool kill) {
  LiveTask* const task = find_task(id);
  if (task == nullptr) return no_such_task(id);
  if (kill) {
    TaskKiller killer(*sensor_);
    if (auto ended = killer.kill_task(task->task->slot); !ended)
      return refuse(RefusalCode::unavailable, ended.error().message);
  } else if (auto revoked = sensor_->revoke(task->task->slot, false); !revoked) {
    return refuse(RefusalCode::unavailable, revoked.error().message);
  }
  // What it did before belongs before its end.
  static_cast<void>(take());
  expire_tasks();
  if (task->phase != TaskPhase::closed)
    stream_->take(
        model::make_task_close(now(), task->task, {{"reason", kill ? "killed" : "closed"}}));
  task->phase = TaskPhase::closed;
  return view_of(*task);
}

Answer<TaskView> TaskHost::show(const std::string& id) const {
  const LiveTask* const task = find_task(id);
  if (task == nullptr) return no_such_task(id);
  return view_of(*task);
}

std::vector<TaskView> TaskHost::list() const {
  std::vector<TaskView> out;
  for (const auto& [slot, task] : tasks_)
    out.push_back({.task = task->task, .phase = task->phase, .opened_ns = task->opened_ns});
  return out;
}

ServiceStatus TaskHost::status() const {
  ServiceStatus status{.backend = sensor_->backend(),
                       .tasks = tasks_.size(),
                       .events = stream_->events(),
                       .findings = stream_->findings(),
                       .fault = write_fault_};
  const auto& ready = holders_->shared().ready;
  if (std::ranges::none_of(ready, [](const auto& one) { return one.load(); }))
    status.fault = "no holder answers";
  return status;
}

std::optional<bool> TaskHost::is_in_task(int pidfd) const {
  const auto slot = sensor_->slot_of(pidfd);
  if (!slot) return std::nullopt;
  return *slot != 0;
}

}  // namespace ambit::pipeline
