// SPDX-License-Identifier: Apache-2.0
// Many tasks on one sensor: each with a slot, a policy number and a program space of its own, and
// one catalogue for all of them. No loop of its own: whoever has one waits for descriptor() and
// calls serve(), and tick() ten times a second.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"
#include "userspace/base/ulid.h"
#include "userspace/model/make_event.h"
#include "userspace/pipeline/delegation_service.h"
#include "userspace/pipeline/estate.h"
#include "userspace/pipeline/holders.h"
#include "userspace/pipeline/journal.h"
#include "userspace/pipeline/left_holders.h"
#include "userspace/pipeline/named_scopes.h"
#include "userspace/pipeline/policy_in_force.h"
#include "userspace/pipeline/prepare.h"
#include "userspace/pipeline/records.h"
#include "userspace/pipeline/stream.h"
#include "userspace/pipeline/task_service.h"
#include "userspace/pipeline/task_store.h"

namespace ambit::pipeline {

struct HostOptions {
  std::vector<std::string> catalogue;
  std::vector<std::string> scopes;
  std::string events;           ///< a file, or "-"
  std::string delegate_socket;  ///< which every task may reach; empty: there is none
  std::optional<model::Backend> backend;
  Stream::LineWatcher watcher;
  bool shadow = false;                   ///< no task does more than report, whatever its scope says
  std::optional<model::FileId> program;  ///< Ambit's own, where it lies outside the root
  model::Config config = {};             ///< what all of it was read from
  /// The same as it is when it is called, for reload(); empty: it cannot be read anew.
  std::function<std::expected<model::Config, std::vector<policy::Diagnostic>>()> read_config = {};
  std::function<void(const Answer<ReloadView>&)> on_reload = {};
  Places places = {};  ///< what outlives this process
  std::function<void(const std::string&)> on_fault = {};
};

class TaskHost : public TaskService, public DelegationService {
 public:
  /// Proves a backend, loads the catalogue and starts the holders. Before there are threads.
  [[nodiscard]] static Result<std::unique_ptr<TaskHost>> start(const HostOptions& options);
  TaskHost(const TaskHost&) = delete;
  TaskHost& operator=(const TaskHost&) = delete;
  ~TaskHost() override;

  [[nodiscard]] Answer<TaskView> open(const OpenRequest& request) override;
  [[nodiscard]] Answer<TaskView> close(const std::string& id, bool kill) override;
  [[nodiscard]] std::vector<Closing> close_all(const TaskFilter& filter, bool kill) override;
  [[nodiscard]] Answer<TaskView> narrow(const NarrowRequest& request) override;
  [[nodiscard]] Answer<TaskView> extend(const std::string& id,
                                        std::chrono::nanoseconds ttl) override;
  [[nodiscard]] Answer<TaskView> show(const std::string& id) const override;
  [[nodiscard]] Answer<ReloadView> reload() override;
  [[nodiscard]] std::vector<TaskView> list() const override;
  [[nodiscard]] ServiceStatus status() const override;
  [[nodiscard]] std::optional<bool> is_in_task(int pidfd) const override;
  [[nodiscard]] Answer<TaskView> delegate(const DelegateRequest& request) override;
  [[nodiscard]] Answer<std::vector<TaskView>> family(const Delegator& caller) const override;
  [[nodiscard]] Answer<void> admit(const Delegator& caller) const override;

  /// Becomes readable when serve() has something to do.
  [[nodiscard]] int descriptor() const { return wait_.get(); }
  /// One turn; whether there may be more.
  bool serve();
  void tick();
  /// As the configuration says, that which is in force.
  [[nodiscard]] model::OnStop on_stop() const { return options_.config.on_stop; }
  /// The last events. `keep`: the tasks stay bound, by the holders, until their processes have
  /// ended. Else they are let go.
  [[nodiscard]] Result<void> stop(model::OnStop how);

 private:
  struct LiveTask;
  struct Opening;
  explicit TaskHost(HostOptions options);
  [[nodiscard]] Result<void> load_catalogue();
  [[nodiscard]] Result<void> choose();
  [[nodiscard]] Result<void> take_over_programs();
  [[nodiscard]] Result<void> load_programs();
  [[nodiscard]] Result<void> enter_documents();
  [[nodiscard]] Result<void> take_numbers(const CatalogueNote& note);
  [[nodiscard]] Result<void> keep_note();
  [[nodiscard]] Result<void> recover();
  struct Left {
    std::map<std::uint32_t, policy::TaskState> tasks;            ///< by slot
    std::map<std::uint32_t, std::vector<std::string>> prefixes;  ///< keys, by policy
  };
  [[nodiscard]] Result<void> restore(const TaskRecord& record, const Left& left);
  [[nodiscard]] Result<void> restore_parent(LiveTask& task, model::Task& told,
                                            std::uint32_t parent);
  void complain(const std::string& fault) const;
  void finish_reload();
  void give_up(const Left& left, std::uint32_t slot, const std::string& why);
  void revoke_unknown(const Left& left);
  void end_left_holders();
  [[nodiscard]] Turn take();
  [[nodiscard]] Result<void> switch_hooks_on();
  [[nodiscard]] Result<void> start_stream();
  [[nodiscard]] HolderSetup holder_setup();
  [[nodiscard]] Result<void> start_holders();
  [[nodiscard]] Result<void> watch_holders(const Holders& holders);
  [[nodiscard]] Result<void> watch(int descriptor, std::uint64_t what);
  struct GivenScope {
    model::Scope scope;
    std::string text;
  };
  [[nodiscard]] Answer<GivenScope> take_scope(const std::string& text,
                                              const std::string& name) const;
  [[nodiscard]] std::uint32_t next_number() {
    return static_cast<std::uint32_t>(*tally_.last_number = ++last_number_);
  }
  struct Against {
    const model::Catalogue& catalogue;
    std::uint32_t space = 0;
    std::vector<std::string> bits = {};  ///< given out in the task's family
  };
  /// `relative`: the task itself, or the one that delegates; null: it has no family.
  [[nodiscard]] Against in_force(const LiveTask* relative) const;
  [[nodiscard]] Answer<std::unique_ptr<PolicyInForce>> make_policy(model::Scope scope,
                                                                   const PolicyInForce* former,
                                                                   const Against& against);
  void note_bits(const LiveTask& task);
  void give_bits(const LiveTask& task, const std::vector<std::string>& bits);
  static void hang_below(model::Task& task, const model::Task& above);
  [[nodiscard]] Answer<TaskView> begin(Opening opening);
  void place_below(LiveTask& task, const LiveTask& parent) const;
  [[nodiscard]] Answer<void> check_below(const Opening& opening, const PolicyInForce& next) const;
  [[nodiscard]] model::Task task_of(const Opening& opening, const model::Scope& scope,
                                    std::uint32_t slot, const model::Moment& at);
  [[nodiscard]] Answer<void> bind(const Opening& opening, std::uint32_t slot);
  [[nodiscard]] Answer<const LiveTask*> task_of_caller(const Delegator& caller) const;
  [[nodiscard]] Answer<void> may_delegate(const LiveTask& parent) const;
  [[nodiscard]] Answer<TaskView> open_below(Opening opening);
  [[nodiscard]] Answer<const LiveTask*> parent_named(const model::Scope& scope,
                                                     const std::string& text) const;
  [[nodiscard]] Answer<void> check_parent(const LiveTask* parent, const model::Scope& scope,
                                          const std::string& text) const;
  [[nodiscard]] Answer<model::CredentialMask> held_by_tree(const Opening& opening) const;
  [[nodiscard]] const LiveTask* parent_of(const LiveTask& task) const;
  /// Ends all that was delegated by the task, as deep as it goes.
  [[nodiscard]] Result<void> end_below(std::uint32_t slot, const std::string& reason, bool kill);
  [[nodiscard]] Result<void> end_delegated(LiveTask& task, const std::string& reason, bool kill);
  /// What was delegated by a task that has become narrower ends with it, or at once.
  [[nodiscard]] Result<void> narrow_below(const LiveTask& task);
  [[nodiscard]] Result<void> cut_below(const LiveTask& task);
  [[nodiscard]] Result<void> write_tables(LiveTask& task);
  void remove_tables(const LiveTask& task);
  [[nodiscard]] Result<void> remember(const LiveTask& task, const PolicyInForce* next = nullptr);
  void amend(const LiveTask& task);
  [[nodiscard]] Answer<LiveTask*> find_live(const std::string& id);
  [[nodiscard]] Answer<void> check_within(const LiveTask& task, const PolicyInForce& next,
                                          const std::string& text) const;
  void take_in_force(LiveTask& task, std::unique_ptr<PolicyInForce> next);
  struct Fresh;
  [[nodiscard]] Answer<Fresh> read_fresh() const;
  [[nodiscard]] Answer<void> write_fresh(Fresh& fresh);
  [[nodiscard]] Answer<void> prepare_tasks(Fresh& fresh);
  [[nodiscard]] Answer<void> renew_holders();
  [[nodiscard]] Answer<ReloadView> reload_all();
  [[nodiscard]] Answer<void> take_catalogue(Fresh& fresh);
  void switch_tasks(Fresh& fresh);
  void carry_learned(const Fresh& fresh);
  void undo(Fresh& fresh);
  void remove_paths(const model::CompiledPaths& paths, std::uint32_t space);
  void drain_leaving();
  void forget_leaving();
  [[nodiscard]] Answer<void> switch_to(LiveTask& task, std::unique_ptr<PolicyInForce> next);
  void hold_by_all(const LiveTask& task, const PolicyInForce& former);
  [[nodiscard]] std::uint64_t latest_end(const LiveTask& task) const;
  void renew_limits(LiveTask& task) const;
  void tell_change(LiveTask& task, model::Task changed);
  void remove_retired();
  void announce(const LiveTask& task, std::int32_t pid, const policy::Environment& environment);
  [[nodiscard]] TaskView view_of(const LiveTask& task) const;
  [[nodiscard]] static TaskPhase phase_at(const LiveTask& task, std::uint64_t boot_ns);
  [[nodiscard]] TaskUse use_of(const LiveTask& task,
                               const std::vector<std::uint32_t>& processes) const;
  [[nodiscard]] model::CredentialMask held_by_processes(
      std::uint32_t slot, const std::vector<std::uint32_t>& processes) const;
  [[nodiscard]] LiveTask* find_task(const std::string& id) const;
  void look_after_ends();
  void follow_member(LiveTask& task, Descriptor member);
  void end(std::uint32_t slot);
  void expire_tasks();
  void refresh_names();

  HostOptions options_;
  model::Catalogue catalogue_;
  CataloguePlan plan_;
  NamedScopes scopes_;
  policy::SetNumbers sets_;
  std::unique_ptr<kernel::Sensor> sensor_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Holders> holders_;
  std::optional<UlidSource> ulids_;
  std::optional<Estate> estate_;
  std::optional<TaskStore> store_;
  CatalogueNote note_;
  std::optional<Journal> journal_;  ///< findings of the kernel's ring
  std::vector<std::unique_ptr<LeftHolders>> left_;
  kernel::Tally tally_;
  std::size_t given_up_ = 0;
  Descriptor wait_;  ///< an epoll of all that serve() is for
  std::map<std::uint32_t, std::unique_ptr<LiveTask>> tasks_;
  std::map<std::string, std::uint32_t> slots_;  ///< by id
  std::set<std::uint32_t> ended_;               ///< whose watched process has ended
  std::uint32_t last_number_ = 0;               ///< of a slot, or of a policy
  /// No longer any task's; some decision that began before may still go by one.
  struct Retired {
    std::uint32_t slot = 0;
    std::unique_ptr<PolicyInForce> policy;
    std::chrono::steady_clock::time_point since;
  };
  std::vector<Retired> retired_;
  std::uint32_t credential_space_ = kCredentialSpace;
  /// Of a catalogue that no task is bound by any more.
  struct Former {
    model::CompiledPaths paths;
    std::uint32_t space = 0;
    std::chrono::steady_clock::time_point since;
  };
  std::vector<Former> former_catalogues_;
  /// Told to end; what they have written is still taken.
  struct Leaving {
    std::unique_ptr<Holders> holders;
    std::chrono::steady_clock::time_point since;
  };
  std::vector<Leaving> leaving_;
  std::string write_fault_;
  unsigned ticks_ = 0;
  bool kept_ = false;
  bool released_ = false;
};

}  // namespace ambit::pipeline
