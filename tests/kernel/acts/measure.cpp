// SPDX-License-Identifier: Apache-2.0
// How long each open, execution and connection of a command takes, from outside of it.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <map>

#include "tests/kernel/acts/act.h"

namespace ambit::acts {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::array<std::uint64_t, 7> kMeasured{SYS_open,   SYS_openat,   SYS_openat2, SYS_creat,
                                                 SYS_execve, SYS_execveat, SYS_connect};

class Tracer {
 public:
  void at_system_call(pid_t pid) {
    __ptrace_syscall_info info{};
    if (::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0) return;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
      if (std::ranges::find(kMeasured, info.entry.nr) != kMeasured.end())
        started_[pid] = Clock::now();
      return;
    }
    const auto start = started_.find(pid);
    if (info.op != PTRACE_SYSCALL_INFO_EXIT || start == started_.end()) return;
    ++calls_;
    longest_ = std::max(longest_, Clock::now() - start->second);
    if (info.exit.rval == -EPERM || info.exit.rval == -EACCES) ++refused_;
    started_.erase(start);
  }
  void say_result() const {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(longest_).count();
    say(std::to_string(refused_) + " " + std::to_string(micros) + " " + std::to_string(calls_) +
        "\n");
  }

 private:
  std::map<pid_t, Clock::time_point> started_;
  Clock::duration longest_{};
  long calls_ = 0;
  long refused_ = 0;
};

void resume(pid_t pid, int signal) {
  ::ptrace(PTRACE_SYSCALL, pid, nullptr, static_cast<unsigned long>(signal));
}

/// What a stop is for: a system call, or a signal that the process is to get.
void at_stop(Tracer& tracer, pid_t pid, int status) {
  const int signal = WSTOPSIG(status);
  if (signal == (SIGTRAP | 0x80)) {
    tracer.at_system_call(pid);
    return resume(pid, 0);
  }
  const bool of_tracing = signal == SIGTRAP || signal == SIGSTOP || status >> 16 != 0;
  resume(pid, of_tracing ? 0 : signal);
}

// COMMAND…: prints how many of its calls were refused, the longest in microseconds, and how many
// there were.
int measure(const Words& w) {
  const int command = ::fork();
  if (command == 0) {
    std::vector<char*> argv;
    for (std::size_t i = 1; i < w.size(); ++i) argv.push_back(const_cast<char*>(w[i].c_str()));
    argv.push_back(nullptr);
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    ::execvp(argv[0], argv.data());
    ::_exit(kFailed);
  }
  int status = 0;
  if (command < 0 || ::waitpid(command, &status, 0) != command) return failed("fork");
  ::ptrace(PTRACE_SETOPTIONS, command, nullptr,
           PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
               PTRACE_O_EXITKILL);
  resume(command, 0);
  Tracer tracer;
  int result = kFailed;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, __WALL)) > 0;) {
    if (WIFSTOPPED(status)) {
      at_stop(tracer, pid, status);
    } else if (pid == command) {
      result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
  }
  tracer.say_result();
  return result;
}

constexpr std::array kActs{Act{"measure", "COMMAND…", 1, measure}};

}  // namespace

std::span<const Act> measure_acts() { return kActs; }

}  // namespace ambit::acts
