// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/adopt.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <system_error>

#include "userspace/attribution/process_source.h"
#include "userspace/base/pidfd.h"

namespace ambit::pipeline {

namespace {

namespace fs = std::filesystem;

std::unexpected<Refusal> gone(std::int32_t pid) {
  return refuse(RefusalCode::no_such_process, "there is no process " + std::to_string(pid));
}

std::string proc_path(std::int32_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

std::vector<std::uint32_t> threads_of(std::int32_t pid) {
  std::vector<std::uint32_t> out;
  std::error_code error;
  for (fs::directory_iterator entry(proc_path(pid, "task"), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename();
    std::uint32_t tid = 0;
    std::from_chars(name.data(), name.data() + name.size(), tid);
    if (tid != 0) out.push_back(tid);
  }
  return out;
}

/// Nothing: the kernel does not list children (CONFIG_PROC_CHILDREN).
std::optional<std::vector<std::int32_t>> children_of(std::int32_t pid) {
  std::vector<std::int32_t> out;
  for (const std::uint32_t tid : threads_of(pid)) {
    const std::string thread = proc_path(pid, "task/") + std::to_string(tid);
    std::ifstream list(thread + "/children");
    std::error_code error;
    if (!list && fs::exists(thread, error)) return std::nullopt;
    for (std::int32_t child = 0; list >> child;) out.push_back(child);
  }
  return out;
}

/// This process, or one that it runs below: bound, Ambit would be in its own task.
bool is_above_ambit(std::int32_t pid) {
  attribution::ProcFilesystem processes;
  auto at = static_cast<std::uint32_t>(::getpid());
  for (int steps = 0; at != 0 && steps < 1024; ++steps) {
    if (at == static_cast<std::uint32_t>(pid)) return true;
    const auto stat = processes.stat(at);
    at = stat ? stat->ppid : 0;
  }
  return false;
}

std::unexpected<Refusal> no_children_listed() {
  return refuse(RefusalCode::unavailable, "this kernel does not list the children of a process");
}

bool is_child_of(std::int32_t pid, std::int32_t parent) {
  attribution::ProcFilesystem processes;
  const auto stat = processes.stat(static_cast<std::uint32_t>(pid));
  return stat && stat->ppid == static_cast<std::uint32_t>(parent);
}

/// From no task (0) or from another one into the task.
class Adoption {
 public:
  Adoption(kernel::Sensor& sensor, std::uint32_t from, std::uint32_t slot)
      : sensor_(sensor), from_(from), slot_(slot) {}

  /// Once every thread of a process is bound, all that it starts is; what it had started before
  /// follows.
  Answer<void> take_tree(std::int32_t pid, int pidfd) {
    if (depth_ > kDeepest)
      return refuse(RefusalCode::too_many,
                    "process " + std::to_string(pid) + " has too many generations above it");
    ++depth_;
    auto taken = take_all(pid, pidfd);
    --depth_;
    return taken;
  }

 private:
  static constexpr int kRounds = 1000;
  static constexpr int kDeepest = 1000;  ///< generations: each takes room on the stack

  Answer<void> take_all(std::int32_t pid, int pidfd) {
    if (auto taken = take_process(pid, pidfd); !taken) return taken;
    // One that ends while the list is read can hide its neighbour (proc(5)).
    for (int round = 0; round < kRounds; ++round) {
      bool found = false;
      const auto children = children_of(pid);
      if (!children) return no_children_listed();
      for (const std::int32_t child : *children) {
        const Descriptor process = open_pidfd(child);
        // The number may be another's by now.
        if (!process.valid() || !is_alive(process.get()) || !is_child_of(child, pid)) continue;
        const auto slot = sensor_.slot_of(process.get());
        if (!slot || (*slot != from_ && !is_being_born(*slot))) continue;
        found = true;
        if (auto taken = take_tree(child, process.get()); !taken) return taken;
      }
      if (!found) return {};
    }
    return too_fast(pid, "children");
  }

  static std::unexpected<Refusal> too_fast(std::int32_t pid, const std::string& what) {
    return refuse(RefusalCode::unavailable, "process " + std::to_string(pid) + " makes " + what +
                                                " faster than they can be bound");
  }

  /// Listed before it has inherited from its parent (portable), which is in one of the two tasks.
  [[nodiscard]] static bool is_being_born(std::uint32_t slot) { return slot == 0; }

  Answer<void> take_process(std::int32_t pid, int pidfd) {
    if (from_ != 0) return move_process(pid);
    std::set<std::uint32_t> done;
    for (int round = 0; round < kRounds; ++round) {
      bool found = false;
      for (const std::uint32_t tid : threads_of(pid)) {
        if (!done.insert(tid).second) continue;
        found = true;
        if (auto taken = take_thread(static_cast<std::uint32_t>(pid), tid, pidfd); !taken)
          return taken;
      }
      if (!found) return {};
    }
    return too_fast(pid, "threads");
  }

  /// Until a whole look finds every thread there: one that was being born as its starter was moved
  /// is seen by the look after.
  Answer<void> move_process(std::int32_t pid) {
    using Moved = kernel::Sensor::Moved;
    for (int round = 0; round < kRounds; ++round) {
      bool settled = true;
      for (const std::uint32_t tid : threads_of(pid)) {
        const auto moved = sensor_.move(
            {.pidfd = -1, .tid = tid, .pid = static_cast<std::uint32_t>(pid)}, from_, slot_);
        if (!moved) return refuse(RefusalCode::unavailable, moved.error().message);
        settled = settled && *moved != Moved::moved && *moved != Moved::blank;
      }
      if (settled) return {};
      ::sched_yield();
    }
    return too_fast(pid, "threads");
  }

  Answer<void> take_thread(std::uint32_t pid, std::uint32_t tid, int pidfd) {
    const Descriptor thread = tid == pid ? Descriptor() : open_thread(tid);
    if (tid != pid && !thread.valid()) {
      if (errno == ESRCH) return {};
      return refuse(RefusalCode::unavailable,
                    "process " + std::to_string(pid) +
                        " has several threads, and this kernel (before 6.9) binds none but the "
                        "first: open the task before it makes them");
    }
    const kernel::Sensor::Thread which{
        .pidfd = tid == pid ? pidfd : thread.get(), .tid = tid, .pid = pid};
    if (auto bound = sensor_.adopt(which, slot_); !bound) {
      sensor_.forget_member(tid);
      if (bound.error().code == ESRCH) return {};
      return refuse(RefusalCode::unavailable, bound.error().message);
    }
    return {};
  }

  kernel::Sensor& sensor_;
  std::uint32_t from_;
  std::uint32_t slot_;
  int depth_ = 0;
};

}  // namespace

Descriptor open_thread(std::uint32_t tid) {
  return Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, tid, O_EXCL)));
}

bool is_alive(int pidfd) {
  pollfd wait{.fd = pidfd, .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, 0) == 0;
}

Answer<Descriptor> find_process(const kernel::Sensor& sensor, std::int32_t pid) {
  Descriptor process = open_pidfd(pid);
  if (!process.valid() || !is_alive(process.get())) return gone(pid);
  const std::string name = "process " + std::to_string(pid);
  if (is_above_ambit(pid) || is_child_of(pid, ::getpid()))
    return refuse(RefusalCode::process_refused, name + " is Ambit's own, or Ambit runs below it");
  std::array<char, 8> program{};
  if (::readlink(proc_path(pid, "exe").c_str(), program.data(), program.size()) < 0)
    return is_alive(process.get())
               ? Answer<Descriptor>(refuse(RefusalCode::process_refused,
                                           name + " has no program: it is a kernel thread"))
               : Answer<Descriptor>(gone(pid));
  const auto slot = sensor.slot_of(process.get());
  if (!slot) return gone(pid);
  if (*slot != 0) return refuse(RefusalCode::process_in_task, name + " is in a task already");
  return process;
}

Answer<void> adopt(kernel::Sensor& sensor, std::int32_t pid, int pidfd, std::uint32_t slot) {
  if (auto taken = Adoption(sensor, 0, slot).take_tree(pid, pidfd); !taken) return taken;
  if (!is_alive(pidfd)) return gone(pid);
  return {};
}

Answer<std::set<std::uint32_t>> list_tree(std::int32_t pid, std::size_t most) {
  std::set<std::uint32_t> tree{static_cast<std::uint32_t>(pid)};
  std::vector<std::int32_t> left{pid};
  while (!left.empty()) {
    const auto children = children_of(left.back());
    left.pop_back();
    if (!children) return no_children_listed();
    for (const std::int32_t child : *children)
      if (tree.insert(static_cast<std::uint32_t>(child)).second) left.push_back(child);
    if (tree.size() > most)
      return refuse(RefusalCode::too_many, "more than " + std::to_string(most) +
                                               " processes are below process " +
                                               std::to_string(pid));
  }
  return tree;
}

Answer<void> move_tree(kernel::Sensor& sensor, std::int32_t pid, int pidfd, std::uint32_t from,
                       std::uint32_t to) {
  if (auto taken = Adoption(sensor, from, to).take_tree(pid, pidfd); !taken) return taken;
  if (!is_alive(pidfd)) return gone(pid);
  return {};
}

bool move_all(kernel::Sensor& sensor, std::uint32_t from, std::uint32_t to) {
  constexpr int kRounds = 100;
  for (int round = 0; round < kRounds; ++round) {
    bool found = false;
    for (const kernel::Sensor::Member& member : sensor.members()) {
      if (member.slot != from) continue;
      found = true;
      const auto moved = sensor.move({.pidfd = -1, .tid = member.tid, .pid = member.pid}, from, to);
      if (moved && *moved == kernel::Sensor::Moved::gone) sensor.forget_member(member.tid);
    }
    if (!found) return true;
  }
  return false;
}

void let_all_go(kernel::Sensor& sensor, std::uint32_t slot) {
  // Who is not let go yet may start others meanwhile.
  constexpr int kRounds = 100;
  for (int round = 0; round < kRounds; ++round) {
    bool found = false;
    for (const kernel::Sensor::Member& member : sensor.members()) {
      if (member.slot != slot) continue;
      found = true;
      const Descriptor thread = member.tid == member.pid ? open_pidfd(static_cast<int>(member.pid))
                                                         : open_thread(member.tid);
      const auto own = thread.valid() ? sensor.slot_of(thread.get()) : Result<std::uint32_t>(0U);
      if (!own || *own != slot ||
          !sensor.let_go({.pidfd = thread.get(), .tid = member.tid, .pid = member.pid}))
        sensor.forget_member(member.tid);
    }
    if (!found) return;
  }
}

Descriptor living_member(kernel::Sensor& sensor, const std::vector<kernel::Sensor::Member>& members,
                         std::uint32_t slot) {
  for (const kernel::Sensor::Member& member : members) {
    if (member.slot != slot) continue;
    Descriptor process = open_pidfd(static_cast<int>(member.pid));
    if (process.valid() && is_alive(process.get())) {
      const auto own = sensor.slot_of(process.get());
      if (own && *own == slot) return process;
    }
    sensor.forget_member(member.tid);
  }
  return {};
}

Result<void> check_pid_namespace() {
  constexpr ino_t kInitial = 0xeffffffc;  // PROC_PID_INIT_INO
  struct stat facts{};
  if (::stat("/proc/self/ns/pid", &facts) != 0) return fail_errno("/proc/self/ns/pid");
  if (facts.st_ino == kInitial) return {};
  return fail("the daemon needs the host's PID namespace (hostPID: true in Kubernetes)");
}

}  // namespace ambit::pipeline
