// SPDX-License-Identifier: Apache-2.0
// The catalogue and the named scopes are read anew while tasks live. What is new is written beside
// what is in force, under numbers of its own; then each task gets its new policy by one write.
#include <sys/epoll.h>

#include <algorithm>
#include <functional>
#include <ranges>
#include <utility>

#include "userspace/pipeline/live_task.h"
#include "userspace/pipeline/prove.h"
#include "userspace/pipeline/records.h"
#include "userspace/policy/catalogue.h"
#include "userspace/policy/catalogue_renumber.h"

namespace ambit::pipeline {

namespace {

// They look for `stop` twenty times a second.
constexpr std::chrono::seconds kLeave{2};

std::unexpected<Refusal> mistakes(std::vector<policy::Diagnostic> diagnostics) {
  return std::unexpected(Refusal{.code = RefusalCode::config_refused,
                                 .message = "nothing is changed: there are mistakes",
                                 .diagnostics = std::move(diagnostics)});
}

std::size_t live_ones(const model::Catalogue& catalogue) {
  return static_cast<std::size_t>(
      std::ranges::count_if(catalogue.credentials, std::not_fn(policy::is_gone)));
}

bool same_patterns(const model::Credential& one, const model::Credential& other) {
  const auto alike = [](const std::vector<model::Pattern>& a,
                        const std::vector<model::Pattern>& b) {
    return std::ranges::equal(a, b, [](const model::Pattern& x, const model::Pattern& y) {
      return x.text == y.text && x.exclude == y.exclude;
    });
  };
  return alike(one.files, other.files) && alike(one.sockets, other.sockets);
}

/// Of what is read when the daemon starts, and then no more.
std::vector<std::string> keys_for_restart(const model::Config& running,
                                          const model::Config& fresh) {
  std::vector<std::string> out;
  if (running.socket != fresh.socket) out.emplace_back("socket");
  if (running.events != fresh.events) out.emplace_back("events");
  if (running.delegate_socket != fresh.delegate_socket) out.emplace_back("delegateSocket");
  if (running.backend != fresh.backend) out.emplace_back("backend");
  return out;
}

}  // namespace

/// What takes the place of what is in force.
struct TaskHost::Fresh {
  model::Config config;
  model::Catalogue catalogue;
  NamedScopes scopes;
  CataloguePlan plan;
  std::uint32_t space = 0;
  std::string digest;
  std::vector<std::pair<std::uint32_t, std::unique_ptr<PolicyInForce>>> policies;  ///< by slot
  std::vector<std::uint32_t> beyond;  ///< slots of tasks that go beyond their parents by it
  ReloadView view;
};

Answer<TaskHost::Fresh> TaskHost::read_fresh() const {
  Fresh fresh;
  fresh.config = options_.config;
  if (options_.read_config) {
    auto config = options_.read_config();
    if (!config) return mistakes(std::move(config.error()));
    fresh.config = std::move(*config);
  }
  auto catalogue = policy::load_catalogue(fresh.config.catalogue);
  if (!catalogue) return mistakes(std::move(catalogue.error()));
  auto scopes = load_scopes(fresh.config.scopes, *catalogue);
  if (!scopes) return mistakes(std::move(scopes.error()));
  fresh.scopes = std::move(*scopes);
  auto numbered = policy::renumbered(catalogue_, std::move(*catalogue));
  if (!numbered) return refuse(RefusalCode::unavailable, numbered.error().message);
  fresh.catalogue = std::move(*numbered);
  auto digest = digest_of(fresh.catalogue);
  if (!digest) return refuse(RefusalCode::unavailable, digest.error().message);
  fresh.digest = std::move(*digest);
  return fresh;
}

/// Where a task or somebody else has moved a credential to is known by its inode alone.
void TaskHost::carry_learned(const Fresh& fresh) {
  const auto same = [&](std::uint16_t number) {
    return number < catalogue_.credentials.size() &&
           same_patterns(catalogue_.credentials[number], fresh.catalogue.credentials[number]);
  };
  const auto lives = [&](std::uint16_t number) {
    return number < fresh.catalogue.credentials.size() &&
           !policy::is_gone(fresh.catalogue.credentials[number]);
  };
  for (const model::TableEntry& entry : sensor_->entries(model::Table::inodes)) {
    const model::FileId id = policy::inode_of(entry);
    if (fresh.plan.catalogue_paths.inodes.contains(id)) continue;
    // One that a pattern named: where the pattern has changed, it is for the new one to say.
    const bool named = plan_.catalogue_paths.inodes.contains(id);
    const auto carried = policy::learned_in(
        entry, credential_space_, fresh.space,
        [&](std::uint16_t number) { return lives(number) && (!named || same(number)); });
    if (carried)
      if (auto put = sensor_->put(*carried); !put) write_fault_ = put.error().message;
  }
}

Answer<void> TaskHost::write_fresh(Fresh& fresh) {
  auto plan = plan_catalogue(fresh.catalogue, {});
  if (!plan) return refuse(RefusalCode::config_refused, plan.error().message);
  fresh.plan = std::move(*plan);
  const bool hook_is_missing = sensor_->backend() == model::Backend::portable &&
                               fresh.plan.pattern_alone && !plan_.pattern_alone;
  if (hook_is_missing)
    return refuse(
        RefusalCode::unavailable,
        "nothing is changed: credentials that are known by a pattern alone need a hook on "
        "this backend that is attached when the daemon starts; start it anew");
  if (last_number_ + 2 + tasks_.size() >= kFirstProofNumber)
    return refuse(RefusalCode::unavailable, "no number is left for another catalogue");
  fresh.space = kCredentialSpace + next_number();
  note_.others.push_back(fresh.space);
  if (auto kept = keep_note(); !kept) return refuse(RefusalCode::unavailable, kept.error().message);
  if (auto put =
          policy::put_all(*sensor_, policy::encode_paths(fresh.plan.catalogue_paths, fresh.space));
      !put)
    return refuse(RefusalCode::unavailable, put.error().message);
  carry_learned(fresh);
  return prepare_tasks(fresh);
}

/// Each task's scope as it is, against the new catalogue. A credential that is not there any more
/// leaves it: no file is that any more, and what is held of it stays bound as it was.
Answer<void> TaskHost::prepare_tasks(Fresh& fresh) {
  const model::Catalogue& catalogue = fresh.catalogue;
  const auto is_there = [&](const model::ScopeCredential& listed) {
    return std::ranges::find(catalogue.credentials, listed.name, &model::Credential::name) !=
           catalogue.credentials.end();
  };
  std::map<std::uint32_t, const PolicyInForce*> by_slot;
  std::map<const void*, std::vector<std::string>> bits;  // of each family
  for (const auto& [slot, task] : tasks_) {
    model::Scope scope = task->policy->scope;
    for (const model::ScopeCredential& listed : scope.credentials)
      if (!is_there(listed))
        fresh.view.notes.push_back("task " + task->task->id + ": credential " + listed.name +
                                   " is no longer in the catalogue and leaves its scope");
    std::erase_if(scope.credentials, std::not_fn(is_there));
    std::vector<std::string>& given = bits.emplace(task->bits.get(), *task->bits).first->second;
    auto next = make_policy(std::move(scope), task->policy.get(), {catalogue, fresh.space, given});
    if (!next)
      return refuse(next.error().code, "task " + task->task->id + ": " + next.error().message);
    PolicyInForce& policy = **next;
    policy.text = task->policy->text;
    fresh.policies.emplace_back(slot, std::move(*next));
    given = policy.plan.policy.credential_of_bit;
    by_slot[slot] = &policy;
    // A task stands behind its parent.
    const auto above = by_slot.find(task->parent);
    const KnownNames known{.former = task->policy.get(),
                           .above = above == by_slot.end() ? nullptr : above->second};
    if (auto written = write_policy(*sensor_, policy, sets_, known); !written)
      return refuse(RefusalCode::unavailable,
                    "task " + task->task->id + ": " + written.error().message);
    if (known.above == nullptr || task->phase == TaskPhase::closed) continue;
    const auto beyond = beyond_in_force(*known.above, policy, catalogue);
    if (beyond && beyond->empty()) continue;
    fresh.beyond.push_back(slot);
    fresh.view.notes.push_back("task " + task->task->id +
                               ": goes beyond its parent by the new catalogue, and is closed");
  }
  return {};
}

void TaskHost::remove_paths(const model::CompiledPaths& paths, std::uint32_t space) {
  for (const model::TableEntry& entry : std::views::reverse(policy::encode_paths(paths, space)))
    static_cast<void>(sensor_->remove(entry.table, entry.key));
  // Those that were learned.
  for (const model::TableEntry& entry : sensor_->entries(model::Table::inodes))
    if (entry.key == policy::encode_inode_key(policy::inode_of(entry), space))
      static_cast<void>(sensor_->remove(entry.table, entry.key));
}

void TaskHost::undo(Fresh& fresh) {
  for (const auto& [slot, policy] : fresh.policies) remove_policy(*sensor_, *policy);
  if (fresh.space == 0) return;
  remove_paths(fresh.plan.catalogue_paths, fresh.space);
  std::erase(note_.others, fresh.space);
  if (auto kept = keep_note(); !kept) write_fault_ = kept.error().message;
}

/// New ones with the new marks, beside the old ones until every task has its new policy.
Answer<void> TaskHost::renew_holders() {
  auto started = Holders::start(holder_setup());
  if (!started) return refuse(RefusalCode::unavailable, started.error().message);
  (*started)->count_on(holders_->shared());
  (*started)->report(false);
  if (auto watched = watch_holders(**started); !watched)
    return refuse(RefusalCode::unavailable, watched.error().message);
  for (const int records : {holders_->record_descriptor(), holders_->finding_descriptor()})
    ::epoll_ctl(wait_.get(), EPOLL_CTL_DEL, records, nullptr);
  std::swap(holders_, *started);
  leaving_.push_back({.holders = std::move(*started), .since = std::chrono::steady_clock::now()});
  return {};
}

void TaskHost::drain_leaving() {
  const auto keep = [this](std::span<const std::byte> record) { stream_->keep(record); };
  for (const Leaving& leaving : leaving_) {
    leaving.holders->drain(keep);
    leaving.holders->mark();
  }
}

/// What was drained is written.
void TaskHost::forget_leaving() {
  const auto before = std::chrono::steady_clock::now() - kLeave;
  std::erase_if(leaving_, [&](const Leaving& leaving) {
    leaving.holders->written();
    if (leaving.since > before) return false;
    leaving.holders->forget();
    return true;
  });
}

/// All that asks for credentials goes by the new catalogue from then on, but for the tasks.
Answer<void> TaskHost::take_catalogue(Fresh& fresh) {
  const auto exchange = [&] {
    std::swap(catalogue_, fresh.catalogue);
    std::swap(plan_, fresh.plan);
    std::swap(credential_space_, fresh.space);
    std::swap(note_.digest, fresh.digest);
    std::ranges::replace(note_.others, credential_space_, fresh.space);
    plan_.catalogue.catalogue = &catalogue_;
  };
  exchange();
  Answer<void> taken;
  if (auto kept = keep_note(); !kept)
    taken = refuse(RefusalCode::unavailable, kept.error().message);
  else if (sensor_->backend() == model::Backend::portable)
    taken = renew_holders();
  if (!taken) exchange();
  return taken;
}

void TaskHost::switch_tasks(Fresh& fresh) {
  for (auto& [slot, policy] : fresh.policies) {
    LiveTask& task = *tasks_.at(slot);
    if (auto remembered = remember(task, policy.get()); !remembered)
      write_fault_ = remembered.error().message;
    if (auto changed = sensor_->change_policy(slot, policy->numbers.policy); !changed) {
      write_fault_ = changed.error().message;
      continue;
    }
    take_in_force(task, std::move(policy));
    renew_limits(task);
    tell_change(task, *task.task);
    ++fresh.view.tasks;
  }
  for (const std::uint32_t slot : fresh.beyond)
    if (auto ended = end_delegated(*tasks_.at(slot), "beyond_parent", false); !ended)
      write_fault_ = ended.error().message;
  if (sensor_->backend() == model::Backend::portable) {
    holders_->report(true);
    leaving_.back().holders->end();
  }
  // A task that goes by the former one still needs it.
  if (fresh.view.tasks == fresh.policies.size())
    former_catalogues_.push_back({.paths = std::move(fresh.plan.catalogue_paths),
                                  .space = fresh.space,
                                  .since = std::chrono::steady_clock::now()});
}

Answer<ReloadView> TaskHost::reload() {
  auto done = reload_all();
  if (options_.on_reload) options_.on_reload(done);
  return done;
}

Answer<ReloadView> TaskHost::reload_all() {
  auto fresh = read_fresh();
  if (!fresh) return std::unexpected(fresh.error());
  if (auto written = write_fresh(*fresh); !written) {
    undo(*fresh);
    return std::unexpected(written.error());
  }
  // What was decided by the old numbers is told with the old names.
  static_cast<void>(take());
  if (auto taken = take_catalogue(*fresh); !taken) {
    undo(*fresh);
    return std::unexpected(taken.error());
  }
  switch_tasks(*fresh);
  scopes_ = std::move(fresh->scopes);
  ReloadView view = std::move(fresh->view);
  view.credentials = live_ones(catalogue_);
  view.scopes = scopes_.size();
  view.restart = keys_for_restart(options_.config, fresh->config);
  // What cannot change stays as it was read at the start.
  options_.config.on_stop = fresh->config.on_stop;
  stream_->take(model::make_reload(now(), {{"credentials", std::to_string(view.credentials)},
                                           {"scopes", std::to_string(view.scopes)},
                                           {"tasks", std::to_string(view.tasks)}}));
  return view;
}

}  // namespace ambit::pipeline
