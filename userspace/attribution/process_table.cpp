// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/process_table.h"

#include <algorithm>

#include "userspace/attribution/container.h"
#include "userspace/attribution/redact.h"
#include "userspace/base/clock.h"

namespace ambit::attribution {
namespace {

constexpr std::size_t kMostAsked = 256;  // live processes passed over before one of them has to go

std::size_t size_of(const KnownProcess& known) {
  constexpr std::size_t kRowBytes =
      512;  // nodes of the map and the list, and the structs themselves
  std::size_t size = kRowBytes + known.comm.size() + known.exe.size();
  size += known.cwd.value_or("").size() + known.container_id.value_or("").size();
  for (const std::string& argument : known.argv) {
    size += argument.size() + sizeof(std::string);
  }
  return size;
}

}  // namespace

ProcessTable::ProcessTable(ProcessSource& source, TableLimits limits)
    : source_(source), limits_(limits) {}

void ProcessTable::learn_fork(const model::Fork& fork) {
  const ProcessKey parent_key{fork.parent_pid, start_tick(fork.parent_start_boot_ns)};
  const KnownProcess* parent = touch(parent_key);
  if (parent == nullptr) {
    parent = learn_live(parent_key);
  }
  KnownProcess known = parent == nullptr ? KnownProcess() : *parent;
  known.start_boot_ns = fork.start_boot_ns;
  known.start_ns = 0;
  known.parent = parent_key;
  known.uid = fork.uid;
  const ProcessKey key{fork.pid, start_tick(fork.start_boot_ns)};
  if (rows_.contains(key)) {
    forget(key);
  }
  remember(key, std::move(known));
}

KnownProcess* ProcessTable::find_or_learn(const model::Process& process, std::uint64_t at_boot_ns) {
  std::uint64_t start = process.start_boot_ns;
  if (start == 0) {
    const auto told = latest_of(process.pid, start_tick(at_boot_ns));
    if (told) {
      return touch(*told);
    }
    const auto stat = source_.stat(process.pid);
    start = stat ? stat->start_boot_ns : 0;
  }
  if (process.pid == 0 || start == 0) {
    return nullptr;
  }
  const ProcessKey key{process.pid, start_tick(start)};
  if (KnownProcess* known = touch(key)) {
    return known;
  }
  model::Process asked = process;
  asked.start_boot_ns = start;
  return learn(key, asked);
}

void ProcessTable::learn_image(const model::Process& process, KnownProcess& known) {
  const ProcessKey key{process.pid, start_tick(known.start_boot_ns)};
  known.comm = process.comm;
  known.exe = process.exe;
  const auto argv = process.argv.empty() ? source_.argv(process.pid) : std::nullopt;
  auto cwd = source_.cwd(process.pid);
  auto cgroup = source_.cgroup(process.pid);
  const bool live = is_live(key);
  known.argv = presentable(argv && live ? *argv : process.argv);
  if (live) {
    known.cwd = cwd ? std::move(cwd) : known.cwd;
    known.container_id = cgroup ? container_of(*cgroup) : known.container_id;
  }
  account(key);
}

void ProcessTable::learn_cwd(const model::Process& process, KnownProcess& known) {
  const ProcessKey key{process.pid, start_tick(known.start_boot_ns)};
  auto cwd = process.cwd ? process.cwd : source_.cwd(process.pid);
  if (cwd && (process.cwd || is_live(key))) {
    known.cwd = std::move(cwd);
    account(key);
  }
}

std::vector<model::ParentProcess> ProcessTable::parents_of(const KnownProcess& known) {
  std::vector<model::ParentProcess> parents;
  std::optional<ProcessKey> next = known.parent;
  while (next && parents.size() < kMaxParents) {
    const ProcessKey key = *next;
    const KnownProcess* parent = touch(key);
    if (parent == nullptr) {
      parent = learn_live(key);
    }
    if (parent == nullptr) {
      break;
    }
    parents.push_back(
        {.pid = key.first, .exe = parent->exe, .start_boot_ns = parent->start_boot_ns});
    next = parent->parent;
  }
  return parents;
}

KnownProcess* ProcessTable::touch(const ProcessKey& key) {
  const auto found = rows_.find(key);
  if (found == rows_.end()) {
    return nullptr;
  }
  uses_.splice(uses_.begin(), uses_, found->second.use);
  return &found->second.known;
}

/// Of a process that is gone already, what the kernel said of it stays: its start and its parent.
KnownProcess* ProcessTable::learn(const ProcessKey& key, const model::Process& process) {
  const auto stat = source_.stat(key.first);
  const bool live = stat && start_tick(stat->start_boot_ns) == key.second;
  const std::uint32_t ppid = process.ppid == 0 && live ? stat->ppid : process.ppid;
  KnownProcess known;
  known.start_boot_ns = process.start_boot_ns;
  known.uid = process.uid;
  known.parent = parent_key(ppid, key.second);
  if (live) {
    known.comm = stat->comm;
    read_live(key, known);
  }
  if (known.exe.empty()) {
    inherit_from_parent(known, process.comm);
  }
  return &remember(key, std::move(known));
}

/// Of one that is only named as a parent, nothing is known unless it lives.
KnownProcess* ProcessTable::learn_live(const ProcessKey& key) {
  if (!is_live(key)) {
    return nullptr;
  }
  model::Process asked;
  asked.pid = key.first;
  asked.start_boot_ns = key.second * kStartTickNs;
  return learn(key, asked);
}

KnownProcess& ProcessTable::remember(const ProcessKey& key, KnownProcess known) {
  const auto use = uses_.insert(uses_.begin(), key);
  Row& row =
      rows_.emplace(key, Row{.known = std::move(known), .bytes = 0, .use = use}).first->second;
  account(key);
  return row.known;
}

void ProcessTable::read_live(const ProcessKey& key, KnownProcess& known) {
  auto exe = source_.exe(key.first);
  auto argv = source_.argv(key.first);
  auto cwd = source_.cwd(key.first);
  const auto cgroup = source_.cgroup(key.first);
  if (!is_live(key)) {
    return;  // what was read may be of another process by now
  }
  known.exe = std::move(exe).value_or("");
  known.argv = presentable(argv.value_or(std::vector<std::string>()));
  known.cwd = std::move(cwd);
  known.container_id = cgroup ? container_of(*cgroup) : std::nullopt;
}

/// A process that is gone and never told of a new program still ran the one of its parent. The name
/// that processes give themselves decides nothing but whether that is plausible.
void ProcessTable::inherit_from_parent(KnownProcess& known, const std::string& comm) {
  const KnownProcess* parent = known.parent ? touch(*known.parent) : nullptr;
  if (parent == nullptr) {
    return;
  }
  known.container_id = known.container_id ? known.container_id : parent->container_id;
  if (!comm.empty() && comm == parent->comm) {
    known.comm = comm;
    known.exe = parent->exe;
    known.argv = parent->argv;
    known.cwd = parent->cwd;
  }
}

std::optional<ProcessKey> ProcessTable::parent_key(std::uint32_t ppid, std::uint64_t child_tick) {
  if (ppid == 0) {
    return std::nullopt;
  }
  const auto stat = source_.stat(ppid);
  if (stat && start_tick(stat->start_boot_ns) <= child_tick) {
    return ProcessKey{ppid, start_tick(stat->start_boot_ns)};
  }
  return latest_of(ppid, child_tick);
}

/// Who had the number then, of those that are known.
std::optional<ProcessKey> ProcessTable::latest_of(std::uint32_t pid, std::uint64_t tick) const {
  const auto after = rows_.upper_bound(ProcessKey{pid, tick});
  if (after == rows_.begin()) {
    return std::nullopt;
  }
  const ProcessKey& latest = std::prev(after)->first;
  return latest.first == pid ? std::optional(latest) : std::nullopt;
}

bool ProcessTable::is_live(const ProcessKey& key) {
  const auto stat = source_.stat(key.first);
  return stat && start_tick(stat->start_boot_ns) == key.second;
}

void ProcessTable::account(const ProcessKey& key) {
  const auto found = rows_.find(key);
  if (found == rows_.end()) {
    return;
  }
  const std::size_t size = size_of(found->second.known);
  bytes_ += size - found->second.bytes;
  found->second.bytes = size;
  if (rows_.size() > limits_.processes || bytes_ > limits_.bytes) {
    make_room(key);
  }
}

/// Down to seven eighths, so that the search is not made for each new process.
void ProcessTable::make_room(const ProcessKey& keep) {
  const auto crowded = [this] {
    return rows_.size() > limits_.processes / 8 * 7 || bytes_ > limits_.bytes / 8 * 7;
  };
  for (std::size_t spared = 0; crowded() && rows_.size() > 1;) {
    const ProcessKey last = uses_.back();
    const bool spare = last == keep || (spared < kMostAsked && is_live(last));
    if (spare) {
      uses_.splice(uses_.begin(), uses_, std::prev(uses_.end()));
      ++spared;
    } else {
      forget(last);
    }
  }
}

void ProcessTable::forget(const ProcessKey& key) {
  const auto found = rows_.find(key);
  bytes_ -= found->second.bytes;
  uses_.erase(found->second.use);
  rows_.erase(found);
}

}  // namespace ambit::attribution
