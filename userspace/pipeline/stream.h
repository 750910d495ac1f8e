// SPDX-License-Identifier: Apache-2.0
// The pipeline: decode, attribute, correlate, respond, write; one record after the other.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "userspace/attribution/attribute.h"
#include "userspace/attribution/process_source.h"
#include "userspace/attribution/task_registry.h"
#include "userspace/base/clock.h"
#include "userspace/base/ulid.h"
#include "userspace/correlation/correlator.h"
#include "userspace/kernel/sensor.h"
#include "userspace/model/event.h"
#include "userspace/response/plan.h"
#include "userspace/sink/ndjson_file.h"

namespace ambit::pipeline {

/// Kills what is left of a task, over the kernel's list of its processes.
class TaskKiller : public response::Signaller {
 public:
  explicit TaskKiller(kernel::Sensor& sensor) : sensor_(sensor) {}
  [[nodiscard]] Result<std::size_t> kill_task(std::uint32_t slot) override;

 private:
  kernel::Sensor& sensor_;
};

class Stream {
 public:
  /// Called with each event after it was written.
  using Watcher = std::function<void(const model::Event&)>;
  /// The same, with its line of the file.
  using LineWatcher = std::function<void(const model::Event&, std::string_view line)>;

  /// `catalogue` must outlive this; `file` may be empty (no --events).
  [[nodiscard]] static Result<std::unique_ptr<Stream>> create(kernel::Sensor& sensor,
                                                              const model::Catalogue& catalogue,
                                                              std::optional<sink::NdjsonFile> file,
                                                              Watcher watcher);

  void watch_lines(LineWatcher watcher) { line_watcher_ = std::move(watcher); }

  void open_task(const std::shared_ptr<const model::Task>& task, correlation::TaskTable table);
  /// The same task with another scope or deadline.
  void change_task(const std::shared_ptr<const model::Task>& task, correlation::TaskTable table);
  void close_task(std::uint32_t slot);
  /// Counts on where another process stopped; before the first event.
  void go_on(const kernel::Tally& tally);
  attribution::TaskRegistry& registry() { return registry_; }

  /// Keeps a record; deliver() puts what was kept into the order in which it happened, since an
  /// opening and the connection that it explains come over different rings.
  void keep(std::span<const std::byte> record);
  /// `between` is called every few events.
  void deliver(const std::function<void()>& between);
  /// Whether there is something to deliver.
  [[nodiscard]] bool waits() const { return !kept_.empty(); }
  /// The command was started, by this process: no record of the kernel tells that.
  void started(std::uint32_t pid);
  /// An event of user space's own, at once.
  void take(model::Event event);
  /// Losses that the kernel and the holders have counted since the last call, as events.
  void report_losses(const std::vector<std::uint64_t>& counters);
  void count_loss(model::Ring ring, model::LossCause cause, std::uint64_t total);

  [[nodiscard]] Result<void> flush();
  [[nodiscard]] Result<void> close();
  [[nodiscard]] std::uint64_t events() const { return seq_; }
  /// Of a task that is open, from the events so far.
  [[nodiscard]] correlation::Figures figures(std::uint32_t slot) const;
  [[nodiscard]] std::uint64_t findings() const { return findings_; }

 private:
  Stream(kernel::Sensor& sensor, const model::Catalogue& catalogue,
         std::optional<sink::NdjsonFile> file, Watcher watcher, UlidSource ulids);
  void finish(model::Event& event);
  void number(model::Event& event);
  void write(const model::Event& event);

  SystemClock clock_;
  attribution::ProcFilesystem processes_;
  attribution::TaskRegistry registry_;
  attribution::Attribution attribution_;
  correlation::Correlator correlator_;
  TaskKiller killer_;
  std::optional<sink::NdjsonFile> file_;
  Watcher watcher_;
  LineWatcher line_watcher_;
  UlidSource ulids_;
  std::string host_;
  kernel::Tally tally_;
  std::uint64_t seq_ = 0;
  std::uint64_t findings_ = 0;
  std::uint64_t malformed_ = 0;
  std::uint64_t unknown_ = 0;
  std::vector<model::Event> kept_;
  std::vector<model::Fork> forks_;  ///< many, small, and no events: not in one list with them
  struct Counted {
    std::uint64_t reported = 0;
    std::int64_t since_ns = 0;
  };
  std::map<std::pair<model::Ring, model::LossCause>, Counted> counted_;
};

}  // namespace ambit::pipeline
