// SPDX-License-Identifier: Apache-2.0
// How a daemon goes on where another one ended.
#include <fcntl.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <ranges>
#include <utility>

#include "userspace/correlation/correlator.h"
#include "userspace/kernel/pinned_members.h"
#include "userspace/pipeline/adopt.h"
#include "userspace/pipeline/guard.h"
#include "userspace/pipeline/live_task.h"
#include "userspace/pipeline/prove.h"

namespace ambit::pipeline {

namespace {

constexpr const char* kCatalogueNote = "catalogue";
constexpr const char* kRelease = "`ambit release --all` lets its tasks go";

std::string described(const kernel::Contract& contract) {
  return "ABI " + std::to_string(contract.abi_version) + ", backend " +
         std::string(model::name_of(contract.backend));
}

}  // namespace

/// Leaves `sensor_` empty where there is nothing to go on with.
Result<void> TaskHost::take_over_programs() {
  const std::string pins = estate_->pins();
  const auto found = kernel::Sensor::contract_of(pins);
  if (!found && found.error().code == ENOENT) {
    auto removed = estate_->remove_pins();
    return removed ? Result<void>() : std::unexpected(removed.error());
  }
  if (!found) return std::unexpected(found.error());
  const auto own = kernel::Sensor::own_contract(found->backend);
  if (!own) return std::unexpected(own.error());
  const bool same = own->abi_version == found->abi_version && own->layout == found->layout &&
                    options_.backend.value_or(found->backend) == found->backend;
  const auto listed = kernel::PinnedMembers::open(pins);
  if (!listed) return std::unexpected(listed.error());
  const std::size_t members = listed->list().size();
  const std::string note = TaskStore(estate_->documents_of(found->generation)).note(kCatalogueNote);
  const bool same_catalogue = note.empty() || note == catalogue_note();
  if (same && (members > 0 || same_catalogue)) {
    if (!same_catalogue)
      return fail("the catalogue is another one than that of the tasks that run: " +
                  std::string(kRelease));
    auto sensor = kernel::Sensor::open_pinned(pins);
    if (!sensor) return std::unexpected(sensor.error());
    sensor_ = std::move(*sensor);
    return guard_own_process(*sensor_);
  }
  if (members > 0)
    return fail("tasks run under programs that another version pinned in " + pins + " (" +
                described(*found) + "; this one: " +
                described({.abi_version = own->abi_version,
                           .backend = options_.backend.value_or(own->backend),
                           .layout = 0,
                           .generation = 0}) +
                "): start that version again, or " + kRelease);
  auto removed = estate_->remove_pins();
  return removed ? Result<void>() : std::unexpected(removed.error());
}

/// What the numbers in the tables depend on.
std::string TaskHost::catalogue_note() const {
  std::string note = plan_.pattern_alone ? "patterns\n" : "files\n";
  for (const model::Credential& credential : catalogue_.credentials) note += credential.name + "\n";
  return note;
}

Result<void> TaskHost::enter_documents() {
  const auto contract = kernel::Sensor::contract_of(estate_->pins());
  if (!contract) return std::unexpected(contract.error());
  const auto directory = estate_->documents(contract->generation);
  if (!directory) return std::unexpected(directory.error());
  store_.emplace(*directory);
  if (auto noted = store_->put_note(kCatalogueNote, catalogue_note()); !noted) return noted;
  auto journal = Journal::open(store_->path("findings"));
  if (!journal) return std::unexpected(journal.error());
  journal_.emplace(std::move(*journal));
  auto tally = sensor_->tally();
  if (!tally) return std::unexpected(tally.error());
  tally_ = *tally;
  last_slot_ = static_cast<std::uint32_t>(*tally_.last_slot);
  return guard_own_files(*sensor_, estate_->all_files());
}

Turn TaskHost::take() { return take_records(*sensor_, *holders_, *stream_, &*journal_); }

Result<void> TaskHost::recover() {
  std::map<std::uint32_t, std::vector<std::string>> prefixes;
  for (std::string& key : sensor_->keys(model::Table::prefixes))
    prefixes[policy::policy_of_prefix(key)].push_back(std::move(key));
  std::uint32_t last_set = 0;
  const std::vector<std::string> ports = sensor_->keys(model::Table::ports);
  for (const std::string& key : ports) last_set = std::max(last_set, policy::set_of_port(key));
  sets_.start_behind(last_set);
  const TaskStore::Found found = store_->all();
  for (const std::string& fault : found.faults)
    std::fprintf(stderr, "ambit daemon: %s\n", fault.c_str());
  for (const TaskRecord& record : found.records) {
    // Of two for one task, one is forged.
    if (tasks_.contains(record.slot)) {
      give_up(record.slot, "there are two records of it");
      continue;
    }
    if (auto restored = restore(record, std::move(prefixes[record.slot])); !restored)
      give_up(record.slot, restored.error().message);
  }
  revoke_unknown();
  // No prefix leads to them any more.
  for (const std::string& key : ports) static_cast<void>(sensor_->remove(model::Table::ports, key));
  left_ = LeftHolders::find(store_->path(""), *sensor_);
  journal_->read([this](std::span<const std::byte> record) { stream_->keep(record); });
  journal_->drop_rest();
  return {};
}

Result<void> TaskHost::restore(const TaskRecord& record, std::vector<std::string> prefixes) {
  auto scope = read_scope(record.scope, "scope", catalogue_);
  if (!scope) return fail("its scope has mistakes");
  auto live = std::make_unique<LiveTask>();
  live->scope = std::move(*scope);
  auto plan = plan_scope(live->scope, catalogue_, {});
  if (!plan) return std::unexpected(plan.error());
  live->plan = std::move(*plan);
  live->taken_over = true;
  live->numbers = {.policy = record.slot,
                   .credential_space = kCredentialSpace,
                   .program_space = kCredentialSpace + record.slot};
  live->opened_ns = record.opened_ns;
  live->expires_boot_ns = record.expires_boot_ns;
  live->limits = record.limits;
  live->task = std::make_shared<const model::Task>(
      model::make_task(live->scope, {.boot_ns = 0, .wall_ns = record.opened_ns},
                       {.slot = record.slot, .id = record.id, .declared_by = record.declared_by}));
  if (record.expired) live->phase = TaskPhase::expired;
  if (sensor_->revoked(record.slot).value_or(false)) live->phase = TaskPhase::closed;
  for (const std::string& program : live->plan.policy.pinned)
    live->pinned.emplace_back(::open(program.c_str(), O_PATH | O_CLOEXEC));
  live->destinations = std::make_unique<Destinations>(live->plan, live->numbers.policy, sets_);
  live->destinations->take_over(record.names, std::move(prefixes));
  constexpr std::chrono::milliseconds kNothingIsDue{1};
  if (auto refreshed = live->destinations->refresh(*sensor_, kNothingIsDue); !refreshed)
    return refreshed;
  stream_->open_task(live->task, correlation::task_table(live->plan.policy, live->scope));
  stream_->registry().set_names(record.slot, live->destinations->names());
  slots_[record.id] = record.slot;
  last_slot_ = std::max(last_slot_, record.slot);
  // Whoever lives of it is found in the first turn, when the records of its end have been read.
  ended_.insert(record.slot);
  tasks_[record.slot] = std::move(live);
  return {};
}

/// Its processes stay bound, and may use nothing any more.
void TaskHost::give_up(std::uint32_t slot, const std::string& why) {
  ++given_up_;
  std::fprintf(stderr, "ambit daemon: task number %u cannot be taken over and is revoked: %s\n",
               slot, why.c_str());
  if (sensor_->revoked(slot).has_value())
    if (auto revoked = sensor_->revoke(slot, false); !revoked)
      std::fprintf(stderr, "ambit daemon: %s\n", revoked.error().message.c_str());
}

/// Tasks in the kernel without a record: their daemon was killed while it took them away, or
/// somebody took the record.
void TaskHost::revoke_unknown() {
  const std::vector<kernel::Sensor::Member> members = sensor_->members();
  for (const std::string& key : sensor_->keys(model::Table::tasks)) {
    const std::uint32_t slot = policy::slot_of_task(key);
    if (is_proof_slot(slot) || tasks_.contains(slot)) continue;
    last_slot_ = std::max(last_slot_, slot);
    if (std::ranges::find(members, slot, &kernel::Sensor::Member::slot) == members.end())
      static_cast<void>(sensor_->remove(model::Table::tasks, key));
    else
      give_up(slot, "there is no record of it");
  }
}

/// The new ones answer by now: no open was without one.
void TaskHost::end_left_holders() {
  const auto keep = [this](std::span<const std::byte> record) { stream_->keep(record); };
  for (const auto& left : left_) {
    left->drain(keep);
    left->end();
    left->drain(keep);
    holders_->count_on(left->shared());
  }
  model::Details details{{"backend", std::string(model::name_of(sensor_->backend()))}};
  if (tasks_.size() + given_up_ > 0) {
    details["taken_over"] = std::to_string(tasks_.size());
    details["given_up"] = std::to_string(given_up_);
  }
  stream_->take(model::make_start(now(), std::move(details)));
  const Turn turn = take();
  if (!turn.written) return;
  for (const auto& left : std::exchange(left_, {})) left->forget();
}

/// Before anything of it stands in the kernel.
Result<void> TaskHost::remember(const LiveTask& task, const std::string& document) {
  TaskRecord record{.id = task.task->id,
                    .slot = task.task->slot,
                    .scope = document,
                    .declared_by = task.task->declared_by,
                    .opened_ns = task.opened_ns,
                    .expires_boot_ns = task.expires_boot_ns,
                    .expired = false,
                    .limits = task.limits,
                    .keys = {},
                    .names = {}};
  for (model::TableEntry& entry : policy::encode_policy(task.plan.policy, task.numbers))
    record.keys.emplace_back(entry.table, std::move(entry.key));
  if (auto put = store_->put(record); !put) return put;
  return guard_own_files(*sensor_, {store_->path_of(record.id)});
}

/// What has changed of a task that is remembered. What cannot be written stays as it was.
void TaskHost::amend(const LiveTask& task) {
  auto record = store_->get(task.task->id);
  if (record) {
    record->expired = task.phase == TaskPhase::expired;
    record->expires_boot_ns = task.expires_boot_ns;
    record->names = task.destinations->answers();
    if (auto put = store_->put(*record); put)
      if (auto guarded = guard_own_files(*sensor_, {store_->path_of(record->id)}); guarded) return;
  }
  write_fault_ = "the record of task " + task.task->id + " cannot be brought up to date";
}

void TaskHost::remove_recorded(const LiveTask& task) {
  const auto record = store_->get(task.task->id);
  if (!record) return;
  for (const model::TableEntry& entry :
       policy::encode_destinations(task.plan.policy.destinations, task.numbers.policy))
    if (entry.table == model::Table::prefixes)
      static_cast<void>(sensor_->remove(entry.table, entry.key));
  for (const auto& [table, key] : std::views::reverse(record->keys))
    if (table != model::Table::ports) static_cast<void>(sensor_->remove(table, key));
  static_cast<void>(
      sensor_->remove(model::Table::tasks, policy::encode_task({.slot = task.task->slot}).key));
}

}  // namespace ambit::pipeline
