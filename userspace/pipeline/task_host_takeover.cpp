// SPDX-License-Identifier: Apache-2.0
// How a daemon goes on where another one ended.
#include <algorithm>
#include <map>
#include <utility>

#include "userspace/correlation/correlator.h"
#include "userspace/kernel/pinned_members.h"
#include "userspace/pipeline/adopt.h"
#include "userspace/pipeline/guard.h"
#include "userspace/pipeline/live_task.h"
#include "userspace/pipeline/prove.h"
#include "userspace/policy/catalogue_renumber.h"

namespace ambit::pipeline {

namespace {

constexpr const char* kCatalogueNote = "catalogue";
constexpr const char* kJournal = "findings";
constexpr const char* kRelease = "`ambit release --all` lets its tasks go";

std::string described(const kernel::Contract& contract) {
  return "ABI " + std::to_string(contract.abi_version) + ", backend " +
         std::string(model::name_of(contract.backend));
}

Result<std::size_t> members_of(const std::string& pins) {
  const auto listed = kernel::PinnedMembers::open(pins);
  if (!listed) return std::unexpected(listed.error());
  return listed->list().size();
}

}  // namespace

/// Leaves `sensor_` empty where there is nothing to go on with.
Result<void> TaskHost::take_over_programs() {
  const std::string pins = estate_->pins();
  const auto found = kernel::Sensor::contract_of(pins);
  const auto start_anew = [&]() -> Result<void> {
    if (auto removed = estate_->remove_pins(); !removed) return std::unexpected(removed.error());
    return {};
  };
  if (!found && found.error().code == ENOENT) return start_anew();
  if (!found) return std::unexpected(found.error());
  const auto own = kernel::Sensor::own_contract(found->backend);
  if (!own) return std::unexpected(own.error());
  const auto members = members_of(pins);
  if (!members) return std::unexpected(members.error());
  if (own->abi_version != found->abi_version || own->layout != found->layout ||
      options_.backend.value_or(found->backend) != found->backend) {
    if (*members == 0) return start_anew();
    return fail("tasks run under programs that another version pinned in " + pins + " (" +
                described(*found) + "; this one: " +
                described({.abi_version = own->abi_version,
                           .backend = options_.backend.value_or(own->backend),
                           .layout = 0,
                           .generation = 0}) +
                "): start that version again, or " + kRelease);
  }
  const auto note =
      note_of(TaskStore(estate_->documents_of(found->generation)).note(kCatalogueNote));
  const bool hook_is_missing =
      note && found->backend == model::Backend::portable && plan_.pattern_alone && !note->patterns;
  if (!note || hook_is_missing) {
    if (*members == 0) return start_anew();
    return fail((note ? "the catalogue has credentials that are known by a pattern alone, for "
                        "which tasks that run have no hook: "
                      : "what the numbers of tasks that run mean is not known: " +
                            note.error().message + ": ") +
                std::string(kRelease));
  }
  auto sensor = kernel::Sensor::open_pinned(pins);
  if (!sensor) return std::unexpected(sensor.error());
  sensor_ = std::move(*sensor);
  if (auto taken = take_numbers(*note); !taken) return taken;
  return guard_own_process(*sensor_);
}

/// The catalogue as it is now, by the numbers of the one that is in force.
Result<void> TaskHost::take_numbers(const CatalogueNote& note) {
  note_ = note;
  credential_space_ = note.space;
  model::Catalogue before;
  for (const std::string& name : note.names) before.credentials.push_back({.name = name});
  auto numbered = policy::renumbered(before, std::move(catalogue_));
  if (!numbered) return std::unexpected(numbered.error());
  catalogue_ = std::move(*numbered);
  auto planned = plan_catalogue(catalogue_, {});
  if (!planned) return std::unexpected(planned.error());
  plan_ = std::move(*planned);
  return {};
}

/// Its digest and the hook are what they were when the tables were written.
Result<void> TaskHost::keep_note() {
  note_.space = credential_space_;
  note_.names.clear();
  for (const model::Credential& credential : catalogue_.credentials)
    note_.names.push_back(credential.name);
  return store_->put_note(kCatalogueNote, to_text(note_));
}

Result<void> TaskHost::enter_documents() {
  const auto contract = kernel::Sensor::contract_of(estate_->pins());
  if (!contract) return std::unexpected(contract.error());
  const auto directory = estate_->documents(contract->generation);
  if (!directory) return std::unexpected(directory.error());
  store_.emplace(*directory,
                 [this](const std::string& path) { return guard_own_files(*sensor_, {path}); });
  if (note_.digest.empty()) {
    auto digest = digest_of(catalogue_);
    if (!digest) return std::unexpected(digest.error());
    note_.digest = std::move(*digest);
    note_.patterns = plan_.pattern_alone;
  }
  if (auto kept = keep_note(); !kept) return kept;
  auto journal = Journal::open(store_->path(kJournal));
  if (!journal) return std::unexpected(journal.error());
  journal_.emplace(std::move(*journal));
  auto tally = sensor_->tally();
  if (!tally) return std::unexpected(tally.error());
  tally_ = *tally;
  last_number_ = static_cast<std::uint32_t>(*tally_.last_number);
  if (auto guarded = guard_own_files(*sensor_, {store_->path(kJournal)}); !guarded) return guarded;
  return guard_own_files(*sensor_, estate_->own_files());
}

Turn TaskHost::take() {
  drain_leaving();
  Turn turn = take_records(*sensor_, *holders_, *stream_, &*journal_);
  if (turn.written) forget_leaving();
  return turn;
}

void TaskHost::complain(const std::string& fault) const {
  if (options_.on_fault) options_.on_fault(fault);
}

Result<void> TaskHost::recover() {
  Left left;
  for (const model::TableEntry& entry : sensor_->entries(model::Table::tasks))
    if (const auto task = policy::task_of(entry)) left.tasks[task->slot] = *task;
  for (model::TableEntry& entry : sensor_->entries(model::Table::prefixes))
    left.prefixes[policy::policy_of_prefix(entry.key)].push_back(std::move(entry.key));
  std::uint32_t last_set = 0;
  const std::vector<model::TableEntry> ports = sensor_->entries(model::Table::ports);
  for (const model::TableEntry& port : ports)
    last_set = std::max(last_set, policy::set_of_port(port.key));
  sets_.start_behind(last_set);
  TaskStore::Found found = store_->all();
  for (const std::string& fault : found.faults) complain(fault);
  // A task's number is higher than its parent's.
  std::ranges::sort(found.records, {}, &TaskRecord::slot);
  for (const TaskRecord& record : found.records) {
    // Of two for one task, one is forged.
    if (const std::string path = store_->path_of(record.id); !is_own_file(*sensor_, path))
      complain(path + " was not made by Ambit and is not looked at");
    else if (tasks_.contains(record.slot))
      give_up(left, record.slot, "there are two records of it");
    else if (auto restored = restore(record, left); !restored)
      give_up(left, record.slot, restored.error().message);
  }
  revoke_unknown(left);
  // No prefix leads to them any more.
  for (const model::TableEntry& port : ports)
    static_cast<void>(sensor_->remove(model::Table::ports, port.key));
  left_ = LeftHolders::find(store_->path(""), *sensor_);
  journal_->read([this](std::span<const std::byte> record) { stream_->keep(record); });
  journal_->drop_rest();
  return {};
}

/// Where the kernel has no such task any more, its end is what is left to be told.
Result<void> TaskHost::restore(const TaskRecord& record, const Left& left) {
  const auto state = left.tasks.find(record.slot);
  const bool is_there = state != left.tasks.end();
  const std::uint32_t number = is_there ? state->second.policy : record.policies.front().number;
  const auto prefixes_of = [&](std::uint32_t policy) {
    const auto own = left.prefixes.find(policy);
    return own == left.prefixes.end() ? std::vector<std::string>() : own->second;
  };
  auto live = std::make_unique<LiveTask>();
  for (const PolicyRecord& known : record.policies) {
    last_number_ = std::max({last_number_, known.number, known.credential_space});
    if (known.number == number) {
      auto policy = restore_policy(known, catalogue_);
      if (!policy) return std::unexpected(policy.error());
      live->policy = std::move(*policy);
      continue;
    }
    for (const std::string& key : prefixes_of(known.number))
      static_cast<void>(sensor_->remove(model::Table::prefixes, key));
    remove_keys(*sensor_, known.keys);
  }
  if (live->policy == nullptr) return fail("its record does not tell of the policy in force");
  live->opened_ns = record.opened_ns;
  live->expires_boot_ns = is_there ? state->second.expires_boot_ns : record.expires_boot_ns;
  live->limits = record.limits;
  model::Task task =
      model::make_task(live->policy->scope, {.boot_ns = 0, .wall_ns = record.opened_ns},
                       {.slot = record.slot, .id = record.id, .declared_by = record.declared_by});
  // The same, unless another deadline was set and not yet recorded.
  task.expires_ns =
      record.expires_ns + static_cast<std::int64_t>(live->expires_boot_ns - record.expires_boot_ns);
  live->bits = std::make_shared<std::vector<std::string>>(record.family_bits);
  if (auto placed = restore_parent(*live, task, record.parent); !placed) return placed;
  note_bits(*live);
  live->task = std::make_shared<const model::Task>(std::move(task));
  if (record.expired) live->phase = TaskPhase::expired;
  if (is_there && state->second.revoked) live->phase = TaskPhase::closed;
  renew_limits(*live);
  PolicyInForce& policy = *live->policy;
  const LiveTask* const parent = parent_of(*live);
  policy.destinations = std::make_unique<Destinations>(
      policy.plan, number, sets_, parent == nullptr ? nullptr : parent->policy->destinations.get());
  policy.destinations->take_over(record.names, prefixes_of(number));
  constexpr std::chrono::milliseconds kNothingIsDue{1};
  if (auto refreshed = policy.destinations->refresh(*sensor_, kNothingIsDue); !refreshed)
    return refreshed;
  stream_->open_task(live->task, correlation::task_table(policy.plan.policy, policy.scope));
  stream_->registry().set_names(record.slot, policy.destinations->names());
  slots_[record.id] = record.slot;
  last_number_ = std::max(last_number_, record.slot);
  // Whoever lives of it is found in the first turn, when the records of its end have been read.
  ended_.insert(record.slot);
  tasks_[record.slot] = std::move(live);
  return {};
}

/// All of a family share the longest of their lists.
Result<void> TaskHost::restore_parent(LiveTask& task, model::Task& told, std::uint32_t parent) {
  if (parent == 0) return {};
  const auto found = tasks_.find(parent);
  if (found == tasks_.end()) return fail("its parent is not there");
  LiveTask& above = *found->second;
  const auto own = std::exchange(task.bits, above.bits);
  task.parent = parent;
  task.family = above.family == 0 ? parent : above.family;
  if (own->size() > task.bits->size()) give_bits(task, *own);
  hang_below(told, *above.task);
  return {};
}

/// Its processes stay bound, and may use nothing any more.
void TaskHost::give_up(const Left& left, std::uint32_t slot, const std::string& why) {
  ++given_up_;
  complain("task number " + std::to_string(slot) + " cannot be taken over and is revoked: " + why);
  if (!left.tasks.contains(slot)) return;
  if (auto revoked = sensor_->revoke(slot, false); !revoked) complain(revoked.error().message);
}

/// Tasks in the kernel without a record: their daemon was killed while it took them away, or
/// somebody took the record.
void TaskHost::revoke_unknown(const Left& left) {
  const std::vector<kernel::Sensor::Member> members = sensor_->members();
  for (const auto& [slot, task] : left.tasks) {
    if (is_proof_slot(slot) || tasks_.contains(slot)) continue;
    last_number_ = std::max(last_number_, slot);
    if (std::ranges::find(members, slot, &kernel::Sensor::Member::slot) == members.end())
      static_cast<void>(
          sensor_->remove(model::Table::tasks, policy::encode_task({.slot = slot}).key));
    else
      give_up(left, slot, "there is no record of it");
  }
}

/// A reload that the former daemon began, and what was changed in files while none ran.
void TaskHost::finish_reload() {
  const auto digest = digest_of(catalogue_);
  const auto space_of = [](const auto& task) {
    return task.second->policy->numbers.credential_space;
  };
  const bool unfinished = std::ranges::any_of(
      tasks_, [&](const auto& task) { return space_of(task) != credential_space_; });
  if (unfinished || !digest || *digest != note_.digest)
    if (auto done = reload(); !done)
      complain("the catalogue of the tasks that run is not brought up to date: " +
               done.error().message);
  for (const std::uint32_t space : note_.others) {
    const bool waits =
        std::ranges::find(former_catalogues_, space, &Former::space) != former_catalogues_.end();
    const bool is_used = std::ranges::find(tasks_, space, space_of) != tasks_.end();
    if (!waits && !is_used)
      former_catalogues_.push_back({.paths = plan_.catalogue_paths,
                                    .space = space,
                                    .since = std::chrono::steady_clock::now()});
  }
}

/// The new ones answer by now: no open was without one.
void TaskHost::end_left_holders() {
  const auto keep = [this](std::span<const std::byte> record) { stream_->keep(record); };
  for (const auto& left : left_) {
    left->end(keep);
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

/// Before anything of it stands in the kernel; of one that lives, `next` too, which may come to be
/// in force.
Result<void> TaskHost::remember(const LiveTask& task, const PolicyInForce* next) {
  TaskRecord record{.id = task.task->id,
                    .slot = task.task->slot,
                    .parent = task.parent,
                    .family_bits = *task.bits,
                    .declared_by = task.task->declared_by,
                    .opened_ns = task.opened_ns,
                    .expires_ns = task.task->expires_ns,
                    .expires_boot_ns = task.expires_boot_ns,
                    .expired = task.phase == TaskPhase::expired,
                    .limits = task.limits,
                    .names = {},
                    .policies = {}};
  if (task.policy->destinations) record.names = task.policy->destinations->answers();
  if (next != nullptr) record.policies.push_back(record_of(*next));
  record.policies.push_back(record_of(*task.policy));
  for (const Retired& retired : retired_)
    if (retired.slot == record.slot) record.policies.push_back(record_of(*retired.policy));
  return store_->put(record);
}

/// What has changed of a task that is remembered. What cannot be written stays as it was.
void TaskHost::amend(const LiveTask& task) {
  if (auto remembered = remember(task); !remembered)
    write_fault_ = "the record of task " + task.task->id +
                   " cannot be brought up to date: " + remembered.error().message;
}

}  // namespace ambit::pipeline
