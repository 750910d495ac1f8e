// SPDX-License-Identifier: Apache-2.0
// Many tasks on one sensor: each with a slot, a policy number and a program space of its own, and
// one catalogue for all of them. No loop of its own: whoever has one waits for descriptor() and
// calls serve(), and tick() ten times a second.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"
#include "userspace/base/ulid.h"
#include "userspace/pipeline/estate.h"
#include "userspace/pipeline/holders.h"
#include "userspace/pipeline/journal.h"
#include "userspace/pipeline/left_holders.h"
#include "userspace/pipeline/prepare.h"
#include "userspace/pipeline/records.h"
#include "userspace/pipeline/stream.h"
#include "userspace/pipeline/task_service.h"
#include "userspace/pipeline/task_store.h"

namespace ambit::pipeline {

struct HostOptions {
  std::vector<std::string> catalogue;
  std::string events;  ///< a file, or "-"
  std::optional<model::Backend> backend;
  Stream::Watcher watcher;
  Places places;
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
  [[nodiscard]] Answer<TaskView> show(const std::string& id) const override;
  [[nodiscard]] std::vector<TaskView> list() const override;
  [[nodiscard]] ServiceStatus status() const override;
  [[nodiscard]] std::optional<bool> is_in_task(int pidfd) const override;

  /// Becomes readable when serve() has something to do.
  [[nodiscard]] int descriptor() const { return wait_.get(); }
  /// One turn; whether there may be more.
  bool serve();
  void tick();
  /// The last events. `keep`: the tasks stay bound, by the holders, until their processes have
  /// ended. Else they are let go.
  [[nodiscard]] Result<void> stop(model::OnStop how);

 private:
  struct LiveTask;
  explicit TaskHost(HostOptions options);
  [[nodiscard]] Result<void> load_catalogue();
  [[nodiscard]] Result<void> choose();
  [[nodiscard]] Result<void> take_over_programs();
  [[nodiscard]] Result<void> load_programs();
  [[nodiscard]] Result<void> enter_documents();
  [[nodiscard]] std::string catalogue_note() const;
  [[nodiscard]] Result<void> recover();
  [[nodiscard]] Result<void> restore(const TaskRecord& record, std::vector<std::string> prefixes);
  void give_up(std::uint32_t slot, const std::string& why);
  void revoke_unknown();
  void end_left_holders();
  [[nodiscard]] Turn take();
  [[nodiscard]] Result<void> switch_hooks_on();
  [[nodiscard]] Result<void> start_stream();
  [[nodiscard]] Result<void> start_holders();
  [[nodiscard]] Result<void> watch(int descriptor, std::uint64_t what);
  [[nodiscard]] Result<void> write_tables(LiveTask& task);
  void remove_tables(const LiveTask& task);
  [[nodiscard]] Result<void> remember(const LiveTask& task, const std::string& document);
  void amend(const LiveTask& task);
  void remove_recorded(const LiveTask& task);
  void announce(const LiveTask& task, std::int32_t pid, const policy::Environment& environment);
  [[nodiscard]] TaskView view_of(const LiveTask& task) const;
  [[nodiscard]] LiveTask* find_task(const std::string& id) const;
  void look_after_ends();
  void follow_member(LiveTask& task, Descriptor member);
  void end(std::uint32_t slot);
  void expire_tasks();
  void refresh_names();

  HostOptions options_;
  model::Catalogue catalogue_;
  CataloguePlan plan_;
  policy::SetNumbers sets_;
  std::unique_ptr<kernel::Sensor> sensor_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Holders> holders_;
  std::optional<UlidSource> ulids_;
  std::optional<Estate> estate_;
  std::optional<TaskStore> store_;
  std::optional<Journal> journal_;  ///< findings of the kernel's ring
  std::vector<std::unique_ptr<LeftHolders>> left_;
  kernel::Tally tally_;
  std::size_t given_up_ = 0;
  Descriptor wait_;  ///< an epoll of all that serve() is for
  std::map<std::uint32_t, std::unique_ptr<LiveTask>> tasks_;
  std::map<std::string, std::uint32_t> slots_;  ///< by id
  std::set<std::uint32_t> ended_;               ///< whose watched process has ended
  std::uint32_t last_slot_ = 0;
  std::string write_fault_;
  unsigned ticks_ = 0;
  bool kept_ = false;
  bool released_ = false;
};

}  // namespace ambit::pipeline
