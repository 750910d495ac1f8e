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
#include "userspace/pipeline/holders.h"
#include "userspace/pipeline/named_scopes.h"
#include "userspace/pipeline/policy_in_force.h"
#include "userspace/pipeline/prepare.h"
#include "userspace/pipeline/stream.h"
#include "userspace/pipeline/task_service.h"

namespace ambit::pipeline {

/// The first one; a catalogue that is read anew gets another.
inline constexpr std::uint32_t kCredentialSpace = 1;

struct HostOptions {
  std::vector<std::string> catalogue;
  std::vector<std::string> scopes;
  std::string events;  ///< a file, or "-"
  std::optional<model::Backend> backend;
  Stream::LineWatcher watcher;
  bool shadow = false;                   ///< no task does more than report, whatever its scope says
  std::optional<model::FileId> program;  ///< Ambit's own, where it lies outside the root
  model::Config config = {};             ///< what all of it was read from
  /// The same as it is when it is called, for reload(); empty: it cannot be read anew.
  std::function<std::expected<model::Config, std::vector<policy::Diagnostic>>()> read_config = {};
  std::function<void(const Answer<ReloadView>&)> on_reload = {};
};

class TaskHost : public TaskService {
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
  explicit TaskHost(HostOptions options);
  [[nodiscard]] Result<void> load_catalogue();
  [[nodiscard]] Result<void> choose();
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
  [[nodiscard]] std::uint32_t next_number() { return ++last_number_; }
  struct Against {
    const model::Catalogue& catalogue;
    std::uint32_t space = 0;
  };
  [[nodiscard]] Against in_force() const { return {catalogue_, credential_space_}; }
  [[nodiscard]] Answer<std::unique_ptr<PolicyInForce>> make_policy(model::Scope scope,
                                                                   const PolicyInForce* former,
                                                                   const Against& against);
  [[nodiscard]] Result<void> write_tables(LiveTask& task);
  void remove_tables(const LiveTask& task);
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
  [[nodiscard]] Answer<void> switch_to(LiveTask& task, std::unique_ptr<PolicyInForce> next);
  void hold_by_all(const LiveTask& task, const PolicyInForce& former);
  [[nodiscard]] std::uint64_t latest_end(const LiveTask& task) const;
  void renew_limits(LiveTask& task) const;
  void tell_change(LiveTask& task, model::Task changed);
  void remove_retired();
  void announce(const LiveTask& task, std::int32_t pid, const policy::Environment& environment);
  [[nodiscard]] TaskView view_of(const LiveTask& task) const;
  [[nodiscard]] TaskUse use_of(const LiveTask& task) const;
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
  Descriptor wait_;  ///< an epoll of all that serve() is for
  std::map<std::uint32_t, std::unique_ptr<LiveTask>> tasks_;
  std::map<std::string, std::uint32_t> slots_;  ///< by id
  std::set<std::uint32_t> ended_;               ///< whose watched process has ended
  std::uint32_t last_number_ = 0;               ///< of a slot, or of a policy
  /// No longer any task's; some decision that began before may still go by one.
  struct Retired {
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
};

}  // namespace ambit::pipeline
