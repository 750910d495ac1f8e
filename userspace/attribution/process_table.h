// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "userspace/attribution/process_source.h"
#include "userspace/model/event.h"

namespace ambit::attribution {

/// A process for good: its pid may be used again, with another start (in ticks, base/clock.h).
using ProcessKey = std::pair<std::uint32_t, std::uint64_t>;

struct KnownProcess {
  std::uint64_t start_boot_ns = 0;
  std::optional<ProcessKey> parent;  ///< the one that started it, also after that one is gone
  std::string comm;
  std::string exe;
  std::vector<std::string> argv;  ///< without secrets, bounded
  std::optional<std::string> cwd;
  std::optional<std::string> container_id;
  std::uint32_t uid = 0;
  std::int64_t start_ns = 0;  ///< wall clock; said once, so that it is the same in every event
};

struct TableLimits {
  std::size_t processes = 8192;
  std::size_t bytes = std::size_t{8} << 20;
};

/// What is known of processes: what the kernel's records of forks and executions tell, and from
/// /proc what no record told. Bounded: processes that are dead and longest out of use are forgotten
/// first.
class ProcessTable {
 public:
  static constexpr std::size_t kMaxParents = 16;

  explicit ProcessTable(ProcessSource& source, TableLimits limits = {});

  /// A process was started: it is what its starter is.
  void learn_fork(const model::Fork& fork);

  /// The process of an event; learned now if it is not known. Nothing when it cannot be identified.
  /// `at_boot_ns` is when the event happened: without a start, the process that had the pid then.
  [[nodiscard]] KnownProcess* find_or_learn(const model::Process& process,
                                            std::uint64_t at_boot_ns);

  /// A new program runs in the process: `process.exe` and `process.argv` are its own.
  void learn_image(const model::Process& process, KnownProcess& known);

  /// Where `process.cwd` says that it is; else where it is now, if it still is.
  void learn_cwd(const model::Process& process, KnownProcess& known);

  /// Nearest first; ends where nothing is known.
  [[nodiscard]] std::vector<model::ParentProcess> parents_of(const KnownProcess& known);

  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Row {
    KnownProcess known;
    std::size_t bytes = 0;
    std::list<ProcessKey>::iterator use;
  };

  KnownProcess* touch(const ProcessKey& key);
  KnownProcess* learn(const ProcessKey& key, const model::Process& process);
  KnownProcess* learn_live(const ProcessKey& key);
  KnownProcess& remember(const ProcessKey& key, KnownProcess known);
  void read_live(const ProcessKey& key, KnownProcess& known);
  void inherit_from_parent(KnownProcess& known, const std::string& comm);
  [[nodiscard]] std::optional<ProcessKey> parent_key(std::uint32_t ppid, std::uint64_t child_tick);
  [[nodiscard]] std::optional<ProcessKey> latest_of(std::uint32_t pid, std::uint64_t tick) const;
  [[nodiscard]] bool is_live(const ProcessKey& key);
  void account(const ProcessKey& key);
  void make_room(const ProcessKey& keep);
  void forget(const ProcessKey& key);

  ProcessSource& source_;
  TableLimits limits_;
  std::map<ProcessKey, Row> rows_;
  std::list<ProcessKey> uses_;  ///< the longest unused last
  std::size_t bytes_ = 0;
};

}  // namespace ambit::attribution
