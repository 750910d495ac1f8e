// SPDX-License-Identifier: Apache-2.0
// The life of one task: open, close, show.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <ranges>

#include "userspace/base/pidfd.h"
#include "userspace/correlation/correlator.h"
#include "userspace/pipeline/adopt.h"
#include "userspace/pipeline/live_task.h"
#include "userspace/pipeline/prove.h"
#include "userspace/pipeline/records.h"
#include "userspace/pipeline/residual_access.h"
#include "userspace/pipeline/task_limits.h"

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

}  // namespace

Answer<TaskView> TaskHost::open(const OpenRequest& request) {
  auto given = take_scope(request.scope, request.scope_name);
  if (!given) return std::unexpected(given.error());
  Opening opening{.scope = std::move(given->scope),
                  .text = std::move(given->text),
                  .pid = request.pid,
                  .process = {},
                  .declared_by = request.declared_by,
                  .parent = nullptr,
                  .moves = false};
  if (opening.scope.parent) return open_below(std::move(opening));
  auto process = find_process(*sensor_, request.pid);
  if (!process) return std::unexpected(process.error());
  opening.process = std::move(*process);
  return begin(std::move(opening));
}

Answer<TaskView> TaskHost::begin(Opening opening) {
  if (opening.parent != nullptr)
    if (auto may = may_delegate(*opening.parent); !may) return std::unexpected(may.error());
  auto policy = make_policy(std::move(opening.scope), nullptr, in_force(opening.parent));
  if (!policy) return std::unexpected(policy.error());
  if (auto within = check_below(opening, **policy); !within) return std::unexpected(within.error());
  auto live = std::make_unique<LiveTask>();
  live->policy = std::move(*policy);
  live->policy->text = opening.text;
  const model::Scope& declared = live->policy->scope;
  const std::uint32_t slot = live->policy->numbers.policy;
  const model::Moment at = now();
  live->opened_ns = at.wall_ns;
  live->expires_boot_ns = at.boot_ns + static_cast<std::uint64_t>(declared.ttl.count());
  live->bits = std::make_shared<std::vector<std::string>>();
  if (opening.parent != nullptr) place_below(*live, *opening.parent);
  live->task = std::make_shared<const model::Task>(task_of(opening, declared, slot, at));
  const policy::Environment environment = environment_of(opening.pid);
  live->limits = limits_of({.backend = sensor_->backend(),
                            .scope = declared,
                            .catalogue = catalogue_,
                            .environment = environment,
                            .pattern_alone = plan_.pattern_alone,
                            .delegated = opening.parent != nullptr});
  note_bits(*live);
  if (auto remembered = remember(*live); !remembered)
    return refuse(RefusalCode::unavailable, remembered.error().message);
  if (auto written = write_tables(*live); !written) {
    remove_tables(*live);
    store_->remove(live->task->id);
    return refuse(RefusalCode::unavailable, written.error().message);
  }
  if (auto bound = bind(opening, slot); !bound) {
    remove_tables(*live);
    store_->remove(live->task->id);
    return std::unexpected(bound.error());
  }
  // The process by which the parent was watched may be the child's by now.
  if (opening.moves) ended_.insert(opening.parent->task->slot);
  // Records of the task are not looked at before the next turn: this stands first.
  announce(*live, opening.pid, environment);
  follow_member(*live, std::move(opening.process));
  slots_[live->task->id] = slot;
  if (!live->policy->destinations->answers().empty()) amend(*live);
  return view_of(*(tasks_[slot] = std::move(live)));
}

Answer<TaskHost::GivenScope> TaskHost::take_scope(const std::string& text,
                                                  const std::string& name) const {
  const auto named = scopes_.find(name);
  if (!name.empty() && named == scopes_.end())
    return refuse(RefusalCode::no_such_scope, "there is no scope of the name " + name);
  const NamedScope given = name.empty() ? NamedScope{.text = text, .file = "scope"} : named->second;
  auto scope = read_scope(given.text, given.file, catalogue_);
  if (!scope)
    return std::unexpected(Refusal{.code = RefusalCode::scope_refused,
                                   .message = "the scope has mistakes",
                                   .diagnostics = std::move(scope.error())});
  return GivenScope{.scope = std::move(*scope), .text = given.text};
}

TaskHost::Against TaskHost::in_force(const LiveTask* relative) const {
  return {.catalogue = catalogue_,
          .space = credential_space_,
          .bits = relative == nullptr ? std::vector<std::string>() : *relative->bits};
}

void TaskHost::note_bits(const LiveTask& task) {
  const std::vector<std::string>& bits = task.policy->plan.policy.credential_of_bit;
  if (bits.size() > task.bits->size()) give_bits(task, bits);
}

/// The record of a task that was delegated goes with it: the first of the family keeps the list.
void TaskHost::give_bits(const LiveTask& task, const std::vector<std::string>& bits) {
  *task.bits = bits;
  if (const auto first = tasks_.find(task.family); first != tasks_.end()) amend(*first->second);
}

Answer<std::unique_ptr<PolicyInForce>> TaskHost::make_policy(model::Scope scope,
                                                             const PolicyInForce* former,
                                                             const Against& against) {
  if (last_number_ + 2 >= kFirstProofNumber)
    return refuse(RefusalCode::unavailable, "no number is left for another task");
  auto policy = std::make_unique<PolicyInForce>();
  policy->scope = std::move(scope);
  if (options_.shadow) policy->scope.mode = model::Mode::shadow;
  const auto before = former == nullptr
                          ? std::optional<policy::FormerPolicy>()
                          : policy::FormerPolicy{.policy = former->plan.policy,
                                                 .readers_changed = policy::readers_changed(
                                                     former->scope, policy->scope)};
  auto expanded = expand_scope(policy->scope, {});
  if (!expanded) return refuse(RefusalCode::scope_refused, expanded.error().message);
  expanded->given_bits = against.bits;
  if (!options_.delegate_socket.empty()) expanded->own_sockets = {options_.delegate_socket};
  const policy::RealFileSystem machine;
  auto plan = compile_scope(std::move(*expanded), against.catalogue,
                            policy::RememberedFileSystem(machine), before ? &*before : nullptr);
  if (!plan) return refuse(RefusalCode::scope_refused, plan.error().message);
  policy->plan = std::move(*plan);
  const std::uint32_t number = next_number();
  policy->numbers = {.policy = number,
                     .credential_space = against.space,
                     .program_space = program_space_of(number)};
  return policy;
}

Result<void> TaskHost::write_tables(LiveTask& task) {
  const LiveTask* const parent = parent_of(task);
  if (auto written = write_policy(
          *sensor_, *task.policy, sets_,
          {.former = nullptr, .above = parent == nullptr ? nullptr : parent->policy.get()});
      !written)
    return written;
  return sensor_->put(policy::encode_task({.slot = task.task->slot,
                                           .policy = task.policy->numbers.policy,
                                           .expires_boot_ns = task.expires_boot_ns,
                                           .revoked = false,
                                           .family = task.family}));
}

void TaskHost::remove_tables(const LiveTask& task) {
  const model::TableEntry entry = policy::encode_task({.slot = task.task->slot});
  static_cast<void>(sensor_->remove(entry.table, entry.key));
  remove_policy(*sensor_, *task.policy);
}

void TaskHost::announce(const LiveTask& task, std::int32_t pid,
                        const policy::Environment& environment) {
  stream_->open_task(task.task,
                     correlation::task_table(task.policy->plan.policy, task.policy->scope));
  stream_->registry().set_names(task.task->slot, task.policy->destinations->names());
  stream_->take(model::make_task_open(now(), task.task, {{"pid", std::to_string(pid)}}));
  model::Process process;
  process.pid = static_cast<std::uint32_t>(pid);
  process.tid = process.pid;
  for (const policy::EnvironmentSecret& secret :
       policy::find_environment_secrets(environment, catalogue_, task.policy->scope))
    stream_->take(model::make_secret_in_environment(now(), {.task = task.task,
                                                            .process = process,
                                                            .mode = task.policy->scope.mode,
                                                            .credentials = {secret.credential},
                                                            .variables = secret.variables,
                                                            .stripped = false}));
}

TaskView TaskHost::view_of(const LiveTask& task) const {
  TaskView view{.task = task.task,
                .opened_ns = task.opened_ns,
                .limits = task.limits,
                .processes = sensor_->members(task.task->slot)};
  for (const auto& [name, why] : task.policy->destinations->unresolved())
    view.limits.push_back("names: no address yet for " + name + " (" + why +
                          "); what goes there is refused");
  const std::uint64_t at = SystemClock().boot_ns();
  view.phase = phase_at(task, at);
  if (view.phase == TaskPhase::live)
    view.left = std::chrono::nanoseconds(task.expires_boot_ns - at);
  view.use = use_of(task, view.processes);
  return view;
}

/// The kernel's time counts, also in the moment before it is told.
TaskPhase TaskHost::phase_at(const LiveTask& task, std::uint64_t boot_ns) {
  const bool is_over = task.phase == TaskPhase::live && boot_ns >= task.expires_boot_ns;
  return is_over ? TaskPhase::expired : task.phase;
}

model::CredentialMask TaskHost::held_by_processes(
    std::uint32_t slot, const std::vector<std::uint32_t>& processes) const {
  model::CredentialMask held{};
  for (const std::uint32_t pid : processes) {
    const Descriptor process = open_pidfd(static_cast<int>(pid));
    const auto state = sensor_->state_of(process.get());
    if (!state || state->slot != slot) continue;
    for (std::size_t i = 0; i < held.size(); ++i) held.at(i) |= state->held.at(i);
  }
  return held;
}

TaskUse TaskHost::use_of(const LiveTask& task, const std::vector<std::uint32_t>& processes) const {
  const std::uint32_t slot = task.task->slot;
  TaskUse use{.figures = stream_->figures(slot)};
  for (const model::ScopeCredential& listed : task.policy->scope.credentials)
    use.granted.push_back(listed.name);
  model::CredentialMask held = held_by_processes(slot, processes);
  const model::CredentialMask by_task = sensor_->held_by_task(slot);
  for (std::size_t i = 0; i < held.size(); ++i) held.at(i) |= by_task.at(i);
  use.held = correlation::names_in(held, task.policy->plan.policy.credential_of_bit);
  return use;
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
  const auto below = end_below(task->task->slot, kill ? "parent_killed" : "parent_closed", kill);
  // What it did before belongs before its end.
  static_cast<void>(take());
  expire_tasks();
  if (task->phase != TaskPhase::closed)
    stream_->take(
        model::make_task_close(now(), task->task, {{"reason", kill ? "killed" : "closed"}}));
  task->phase = TaskPhase::closed;
  if (!below) return refuse(RefusalCode::unavailable, below.error().message);
  TaskView view = view_of(*task);
  view.residual.emplace();
  std::set<std::uint32_t> closed{task->task->slot};
  // A task stands behind its parent.
  for (const auto& [slot, one] : tasks_) {
    if (closed.contains(one->parent)) closed.insert(slot);
    if (!closed.contains(slot)) continue;
    std::ranges::move(
        residual_access(*sensor_, {.slot = slot,
                                   .credential_space = one->policy->numbers.credential_space,
                                   .scope = one->policy->scope,
                                   .catalogue = catalogue_,
                                   .paths = plan_.catalogue_paths}),
        std::back_inserter(*view.residual));
  }
  return view;
}

namespace {

bool lists(const model::CompiledPolicy& policy, const std::string& credential) {
  for (std::size_t bit = 0; bit < policy.credential_of_bit.size(); ++bit)
    if (policy.credential_of_bit[bit] == credential &&
        (policy.listed.at(bit / 64) >> (bit % 64) & 1U) != 0)
      return true;
  return false;
}

bool is_meant(const TaskFilter& filter, const model::Task& task,
              const model::CompiledPolicy& policy) {
  return (filter.owner.empty() || filter.owner == task.owner) &&
         (filter.on_behalf_of.empty() || filter.on_behalf_of == task.on_behalf_of) &&
         (filter.agent.empty() || filter.agent == task.agent) &&
         (filter.credential.empty() || lists(policy, filter.credential));
}

}  // namespace

std::vector<Closing> TaskHost::close_all(const TaskFilter& filter, bool kill) {
  std::vector<std::string> ids;
  for (const auto& [slot, task] : tasks_)
    if (is_meant(filter, *task->task, task->policy->plan.policy)) ids.push_back(task->task->id);
  std::vector<Closing> out;
  for (const std::string& id : ids) out.push_back({.id = id, .view = close(id, kill)});
  return out;
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
