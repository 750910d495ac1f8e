// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/holder_answer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <string_view>

#include "userspace/base/pidfd.h"
#include "userspace/kernel/holder_record.h"
#include "userspace/pipeline/end_task.h"

namespace ambit::pipeline {

namespace {

std::uint64_t boot_now() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  constexpr std::uint64_t kSecond = 1'000'000'000;
  return static_cast<std::uint64_t>(now.tv_sec) * kSecond + static_cast<std::uint64_t>(now.tv_nsec);
}

/// AT_STATX_DONT_SYNC: a network or FUSE server of the task's own must not hold the holder up.
bool look_at(int directory, const char* path, int flags, struct statx& status) {
  return ::statx(directory, path, flags | AT_STATX_DONT_SYNC, STATX_INO | STATX_TYPE, &status) == 0;
}

struct ProcessFacts {
  std::uint32_t ppid = 0;
  std::uint32_t uid = 0;
  std::uint64_t start_boot_ns = 0;
  std::array<char, 16> comm{};
};

/// Field numbers of /proc/PID/stat behind the command's closing parenthesis (proc(5)).
ProcessFacts process_facts(int proc, std::int32_t pid) {
  ProcessFacts facts;
  std::array<char, 64> name{};
  std::array<char, 1024> text{};
  struct stat status{};
  // The directory tells the user also of a process that may not be dumped; the files in it are
  // root's then (proc(5)).
  std::snprintf(name.data(), name.size(), "%d", pid);
  if (::fstatat(proc, name.data(), &status, 0) == 0) facts.uid = status.st_uid;
  std::snprintf(name.data(), name.size(), "%d/stat", pid);
  const Descriptor file(::openat(proc, name.data(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return facts;
  const ssize_t size = ::read(file.get(), text.data(), text.size() - 1);
  std::string_view line(text.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  const std::size_t open = line.find('(');
  const std::size_t close = line.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos) return facts;
  const std::string_view comm = line.substr(open + 1, close - open - 1);
  std::copy_n(comm.begin(), std::min(comm.size(), facts.comm.size() - 1), facts.comm.begin());
  line.remove_prefix(std::min(close + 2, line.size()));
  constexpr int kParent = 1;
  constexpr int kStart = 19;
  for (int field = 0; field <= kStart && !line.empty(); ++field) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view value = line.substr(0, end);
    std::uint64_t number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    if (field == kParent) facts.ppid = static_cast<std::uint32_t>(number);
    if (field == kStart)
      facts.start_boot_ns =
          number * (1'000'000'000ULL / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return facts;
}

struct OpenedFor {
  bool read = false;
  bool write = false;
  bool truncate = false;
};

/// A permission event does not tell for what a file is opened; the waiting system call does
/// (/proc/PID/syscall: its number and arguments), where it is open or openat by the first thread.
OpenedFor opened_for(int proc, std::int32_t pid) {
  std::array<char, 64> name{};
  std::array<char, 256> text{};
  std::snprintf(name.data(), name.size(), "%d/syscall", pid);
  const Descriptor file(::openat(proc, name.data(), O_RDONLY | O_CLOEXEC));
  if (!file.valid() || ::read(file.get(), text.data(), text.size() - 1) <= 0) return {};
  long number = -1;
  std::array<unsigned long, 3> arguments{};
  if (std::sscanf(text.data(), "%ld %lx %lx %lx", &number, &arguments[0], &arguments[1],
                  &arguments[2]) != 4)
    return {};
  if (number != SYS_openat && number != SYS_open) return {};
  const auto flags = static_cast<int>(number == SYS_openat ? arguments[2] : arguments[1]);
  return {.read = (flags & O_ACCMODE) != O_WRONLY,
          .write = (flags & O_ACCMODE) != O_RDONLY,
          .truncate = (flags & O_TRUNC) != 0};
}

/// Whether the process holds more afterwards than before.
bool gains(const policy::Decision& decision) {
  for (std::size_t i = 0; i < decision.held.size(); ++i)
    if (((decision.gained[i] | decision.gained_by_task[i]) & ~decision.held[i]) != 0) return true;
  return false;
}

std::uint64_t opening_of(std::int32_t pid, const struct statx& file) {
  return static_cast<std::uint64_t>(pid) << 32 | static_cast<std::uint32_t>(file.stx_ino);
}

bool is_script(int file) {
  std::array<char, 2> start{};
  return ::pread(file, start.data(), start.size(), 0) == 2 && start[0] == '#' && start[1] == '!';
}

}  // namespace

struct HolderAnswer::Asked {
  int file = -1;
  int group = -1;
  int pidfd = -1;
  std::int32_t pid = 0;
  bool execution = false;
  bool reading = false;  ///< of a descriptor that is open already
  kernel::Sensor::ProcessState state;
  struct statx status{};
};

bool HolderAnswer::is_of_a_task(int pidfd) const {
  if (pidfd < 0) return true;
  const auto state = context_.setup->sensor->state_of(pidfd);
  // Who cannot be looked up has ended: nobody reads the answer.
  return state && state->slot != 0;
}

bool HolderAnswer::allows(const fanotify_event_metadata& event, int pidfd, int group) {
  Asked asked{.file = event.fd,
              .group = group,
              .pidfd = pidfd,
              .pid = event.pid,
              .execution = (event.mask & FAN_OPEN_EXEC_PERM) != 0,
              .reading = (event.mask & FAN_ACCESS_PERM) != 0};
  Descriptor own;
  if (pidfd < 0) {
    own = open_pidfd(event.pid);
    asked.pidfd = own.get();
  }
  auto state = context_.setup->sensor->state_of(asked.pidfd);
  // Who cannot be looked up has ended: nobody reads the answer.
  if (!state) return true;
  if (state->slot == 0) return true;
  asked.state = *state;
  if (!state->listed || !look_at(event.fd, "", AT_EMPTY_PATH, asked.status)) {
    ++context_.shared->undecided;
    return false;
  }
  return asked.execution ? allows_program(asked) : allows_file(asked);
}

/// For the report: as this process sees it, which is the opener's path where they share mounts.
void HolderAnswer::take_path(const Asked& asked) {
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), "self/fd/%d", asked.file);
  const ssize_t size = ::readlinkat(context_.proc, name.data(), path_.data(), path_.size());
  path_length_ = static_cast<std::size_t>(std::max<ssize_t>(size, 0));
}

void HolderAnswer::mark_too(const Asked& asked) {
  if (!asked.reading &&
      ::fanotify_mark(asked.group, FAN_MARK_ADD, kCredentialEvents, asked.file, nullptr) != 0)
    ++context_.shared->mark_failed;
}

/// The kernel drops the mark when the file is written to, and with the inode. Until then whoever
/// opens it gets nothing that the task could not have read when it was asked about, wherever the
/// file has been moved or linked to since.
void HolderAnswer::ask_no_more(const Asked& asked) {
  constexpr unsigned kHow = FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_EVICTABLE;
  if (asked.reading || !S_ISREG(asked.status.stx_mode)) return;
  // EEXIST: it has a credential's mark (an excluded file does), and goes on being asked about.
  if (::fanotify_mark(asked.group, kHow, FAN_OPEN_PERM, asked.file, nullptr) != 0 &&
      errno != EEXIST)
    ++context_.shared->mark_failed;
}

bool HolderAnswer::allows_file(const Asked& asked) {
  const kernel::Sensor& tables = *context_.setup->sensor;
  const policy::Spaces spaces = policy::spaces_of(tables, asked.state.slot);
  const kernel::Sensor::FileIs what =
      known_.recognise(*context_.setup->sensor, asked.file, id_of(asked.status), spaces.credentials)
          .value_or(kernel::Sensor::FileIs{.undecided = true});
  if (what.credentials.empty() && !what.undecided) {
    ask_no_more(asked);
    return true;
  }
  if (what.undecided)
    ++context_.shared->undecided;
  else
    mark_too(asked);
  const policy::Decision decision = policy::decide_file(tables,
                                                        {.slot = asked.state.slot,
                                                         .held = asked.state.held,
                                                         .readers = asked.state.readers,
                                                         .now_boot_ns = boot_now()},
                                                        what.credentials, what.undecided);
  if (reports(asked, decision)) report(asked, decision, what.credentials);
  return finish(asked, decision);
}

/// Scripts and what runs them are asked about one after the other; an ELF interpreter is opened for
/// every program, and one that is executed itself is decided at sched_process_exec.
bool HolderAnswer::allows_program(const Asked& asked) {
  const auto& loaders = context_.setup->loaders;
  if (std::ranges::find(loaders, id_of(asked.status)) != loaders.end()) return true;
  const kernel::Sensor& tables = *context_.setup->sensor;
  const policy::Spaces spaces = policy::spaces_of(tables, asked.state.slot);
  const auto what = tables.recognise(asked.file, spaces.programs, kernel::Sensor::Names::permit);
  if (!what || what->undecided) {
    ++context_.shared->undecided;
    return false;
  }
  const policy::Decision decision = policy::decide_exec(
      tables, {.slot = asked.state.slot, .now_boot_ns = boot_now()}, what->program);
  const bool refused =
      decision.effect != model::Effect::allowed && decision.effect != model::Effect::alerted;
  // What goes on is reported when it runs; only a script is not seen there.
  if (refused || (decision.effect == model::Effect::alerted && is_script(asked.file)))
    if (refused || reports(asked, decision)) report(asked, decision, {});
  return finish(asked, decision);
}

/// Both holders are asked about what goes on; the first one that lives reports it. What is refused
/// only one of them sees. A read is told when it is the first that the process has of the
/// credential: a descriptor that somebody else opened.
bool HolderAnswer::reports(const Asked& asked, const policy::Decision& decision) const {
  if (decision.effect != model::Effect::allowed && decision.effect != model::Effect::alerted)
    return true;
  if (context_.shared->quiet.load()) return false;
  // They are asked one after the other: the second one finds it held.
  if (asked.reading) return gains(decision);
  return context_.index == 0 || !context_.shared->ready[0].load();
}

void HolderAnswer::note_gain(const Asked& asked, const policy::Decision& decision) {
  GainNote& note =
      context_.shared->gains[context_.index][static_cast<std::uint32_t>(asked.pid) % kGainNotes];
  note.opening = 0;
  for (std::size_t i = 0; i < decision.held.size(); ++i)
    note.mask[i] = (decision.gained[i] | decision.gained_by_task[i]) & ~decision.held[i];
  note.opening = opening_of(asked.pid, asked.status);
}

model::CredentialMask HolderAnswer::held_before(const Asked& asked,
                                                const model::CredentialMask& held) {
  GainNote& note =
      context_.shared
          ->gains[1 - context_.index][static_cast<std::uint32_t>(asked.pid) % kGainNotes];
  model::CredentialMask before = held;
  if (note.opening.load() != opening_of(asked.pid, asked.status)) return before;
  for (std::size_t i = 0; i < before.size(); ++i) before[i] &= ~note.mask[i].load();
  note.opening = 0;
  return before;
}

/// The opener waits, so that it is still where it was.
std::size_t HolderAnswer::take_cwd(const Asked& asked) {
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), "%d/cwd", asked.pid);
  const ssize_t size = ::readlinkat(context_.proc, name.data(), cwd_.data(), cwd_.size());
  return size > 0 && static_cast<std::size_t>(size) < cwd_.size() ? static_cast<std::size_t>(size)
                                                                  : 0;
}

void HolderAnswer::report(const Asked& asked, const policy::Decision& decision,
                          std::span<const std::uint16_t> credentials) {
  take_path(asked);
  const ProcessFacts process = process_facts(context_.proc, asked.pid);
  const bool finding = decision.requested != model::Response::none;
  const std::size_t cwd = finding ? take_cwd(asked) : 0;
  const OpenedFor use =
      asked.reading ? OpenedFor{.read = true} : opened_for(context_.proc, asked.pid);
  const std::size_t size =
      kernel::encode({.kind = asked.execution ? model::Kind::exec : model::Kind::file_open,
                      .reason = decision.reason,
                      .requested = decision.requested,
                      .effective = decision.effect,
                      .shadow = decision.shadow,
                      .slot = asked.state.slot,
                      .boot_ns = boot_now(),
                      .start_boot_ns = process.start_boot_ns,
                      .pid = static_cast<std::uint32_t>(asked.pid),
                      .ppid = process.ppid,
                      .uid = process.uid,
                      .comm = process.comm.data(),
                      .held = held_before(asked, decision.held),
                      .file = id_of(asked.status),
                      .reads = use.read,
                      .writes = use.write,
                      .truncates = use.truncate,
                      .credentials = credentials,
                      .path = std::string_view(path_.data(), path_length_),
                      .cwd = std::string_view(cwd_.data(), cwd)},
                     record_);
  const int pipe = finding ? context_.finding_pipe : context_.record_pipe;
  if (::write(pipe, record_.data(), size) != static_cast<ssize_t>(size))
    ++(finding ? context_.shared->findings_lost : context_.shared->pipe_full);
}

bool HolderAnswer::finish(const Asked& asked, const policy::Decision& decision) {
  kernel::Sensor& sensor = *context_.setup->sensor;
  if (!decision.decided) {
    ++context_.shared->undecided;
    return false;
  }
  switch (decision.effect) {
    case model::Effect::allowed:
    case model::Effect::alerted:
      if (!gains(decision)) return true;
      note_gain(asked, decision);
      if (decision.gained != model::CredentialMask{} &&
          !sensor.add_held(asked.pidfd, decision.gained))
        return false;  // what it would hold must be known
      return decision.gained_by_task == model::CredentialMask{} ||
             sensor.add_held_by_task(asked.state.slot, decision.gained_by_task).has_value();
    case model::Effect::denied:
      return false;
    case model::Effect::task_killed:
      if (!sensor.revoke(asked.state.slot, true)) ++context_.shared->undecided;
      // Before the answer, so that nothing of the task runs on with it. Twice, for what was being
      // born; the supervisor sees to the rest.
      for (int turn = 0; turn < 2; ++turn) kill_members(sensor, asked.state.slot);
      [[fallthrough]];
    case model::Effect::killed:
      // Failing means that it is dead already, which is what was wanted.
      static_cast<void>(::syscall(SYS_pidfd_send_signal, asked.pidfd, SIGKILL, nullptr, 0));
      return false;
  }
  return false;
}

}  // namespace ambit::pipeline
