// SPDX-License-Identifier: Apache-2.0
// What one process may try against another. WHOM is a process id, `self`, `monitor` (the `ambit
// run` above this process) or `holder`.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/kernel/acts/act.h"

namespace ambit::acts {
namespace {

constexpr std::size_t kSecretSize = 64;

std::string comm_of(const std::string& pid) {
  std::string name;
  std::getline(std::ifstream("/proc/" + pid + "/comm"), name);
  return name;
}

std::string parent_of(const std::string& pid) {
  std::ifstream status("/proc/" + pid + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("PPid:")) return line.substr(line.find_first_of("0123456789"));
  return "0";
}

int monitor() {
  for (std::string pid = std::to_string(::getpid()); pid != "0"; pid = parent_of(pid))
    if (comm_of(pid) == "ambit") return std::stoi(pid);
  return -1;
}

// One of this run's: those of the run before may not have ended yet.
int holder() {
  const std::string above = std::to_string(monitor());
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") == std::string::npos &&
        comm_of(name) == "ambit-holder" && parent_of(name) == above)
      return std::stoi(name);
  }
  return -1;
}

int whom(const std::string& word) {
  if (word == "monitor") return monitor();
  if (word == "holder") return holder();
  if (word == "self") return ::getpid();
  return std::stoi(word);
}

int outcome(std::string_view what, long returned) { return returned < 0 ? failed(what) : kDone; }

int send_signal(const Words& w) { return outcome("kill", ::kill(whom(w[1]), std::stoi(w[2]))); }

int send_signal_by_pidfd(const Words& w) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, whom(w[1]), 0));
  if (pidfd < 0) return failed("pidfd_open");
  return outcome("pidfd_send_signal",
                 ::syscall(SYS_pidfd_send_signal, pidfd, std::stoi(w[2]), nullptr, 0));
}

int send_signal_to_thread(const Words& w) {
  const int pid = whom(w[1]);
  return outcome("tgkill", ::syscall(SYS_tgkill, pid, pid, std::stoi(w[2])));
}

// A pipe that becomes readable sends the signal. Whether it came is seen by its effect.
int send_signal_by_pipe(const Words& w) {
  constexpr int kSetSignal = 10;
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return failed("pipe");
  if (::fcntl(ends[0], F_SETOWN, whom(w[1])) != 0 ||
      ::fcntl(ends[0], kSetSignal, std::stoi(w[2])) != 0 ||
      ::fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK) != 0)
    return failed("fcntl");
  if (::write(ends[1], "x", 1) != 1) return failed("write");
  ::usleep(50'000);
  return kDone;
}

int signal_own_group(const Words& w) {
  ::signal(std::stoi(w[1]), SIG_IGN);
  return outcome("kill", ::kill(0, std::stoi(w[1])));
}

int change_nice(const Words& w) {
  return outcome("setpriority", ::setpriority(PRIO_PROCESS, static_cast<id_t>(whom(w[1])), 19));
}

int change_affinity(const Words& w) {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  CPU_SET(0, &processors);
  return outcome("sched_setaffinity",
                 ::sched_setaffinity(whom(w[1]), sizeof processors, &processors));
}

int change_scheduler(const Words& w) {
  const sched_param none{};
  return outcome("sched_setscheduler", ::sched_setscheduler(whom(w[1]), SCHED_IDLE, &none));
}

int change_io_priority(const Words& w) {
  constexpr int kProcess = 1;
  constexpr int kIdle = 3 << 13;
  return outcome("ioprio_set", ::syscall(SYS_ioprio_set, kProcess, whom(w[1]), kIdle));
}

int change_limit(const Words& w) {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  return outcome("prlimit", ::prlimit(whom(w[1]), RLIMIT_CORE, &none, nullptr));
}

int write_proc(const Words& w) {
  const std::string path = "/proc/" + std::to_string(whom(w[1])) + "/" + w[2];
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return failed("open");
  return outcome("write", ::write(fd, w[3].data(), w[3].size()));
}

int read_environment(const Words& w) {
  const std::string path = "/proc/" + std::to_string(whom(w[1])) + "/environ";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  return fd < 0 ? failed("open") : print_content(fd);
}

// READY PATH: keeps what the file holds in memory, says where, and waits.
int keep_in_memory(const Words& w) {
  alignas(8) static std::array<char, kSecretSize> kept{};
  std::ifstream(w[2]).read(kept.data(), kept.size() - 1);
  std::ofstream(w[1] + ".new") << ::getpid() << ' ' << reinterpret_cast<unsigned long>(kept.data());
  std::filesystem::rename(w[1] + ".new", w[1]);
  ::sleep(60);
  return kDone;
}

struct Place {
  int pid = 0;
  unsigned long address = 0;

  explicit Place(const std::string& ready) { std::ifstream(ready) >> pid >> address; }
  [[nodiscard]] iovec there() const {
    return {.iov_base = reinterpret_cast<void*>(address), .iov_len = kSecretSize};
  }
};

int say_bytes(const std::array<char, kSecretSize>& bytes) {
  say(std::string(bytes.data(), strnlen(bytes.data(), bytes.size())));
  return kDone;
}

int read_memory(const Words& w) {
  const Place place(w[1]);
  std::array<char, kSecretSize> bytes{};
  const iovec here{.iov_base = bytes.data(), .iov_len = bytes.size()};
  const iovec there = place.there();
  if (::process_vm_readv(place.pid, &here, 1, &there, 1, 0) < 0) return failed("process_vm_readv");
  return say_bytes(bytes);
}

int write_memory(const Words& w) {
  const Place place(w[1]);
  std::array<char, 4> bytes{'o', 'w', 'n', 'd'};
  const iovec here{.iov_base = bytes.data(), .iov_len = bytes.size()};
  const iovec there = place.there();
  return outcome("process_vm_writev", ::process_vm_writev(place.pid, &here, 1, &there, 1, 0));
}

int read_memory_file(const Words& w) {
  const Place place(w[1]);
  std::array<char, kSecretSize> bytes{};
  const int fd = ::open(("/proc/" + std::to_string(place.pid) + "/mem").c_str(), O_RDONLY);
  if (fd < 0) return failed("open");
  if (::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(place.address)) < 0)
    return failed("read");
  return say_bytes(bytes);
}

int read_memory_by_ptrace(const Words& w) {
  const Place place(w[1]);
  std::array<char, kSecretSize> bytes{};
  if (::ptrace(PTRACE_ATTACH, place.pid, nullptr, nullptr) != 0) return failed("ptrace");
  ::waitpid(place.pid, nullptr, __WALL);
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(long)) {
    errno = 0;
    const long word =
        ::ptrace(PTRACE_PEEKDATA, place.pid, reinterpret_cast<void*>(place.address + at), nullptr);
    if (errno != 0) return failed("peek");
    __builtin_memcpy(bytes.data() + at, &word, sizeof word);
  }
  ::ptrace(PTRACE_DETACH, place.pid, nullptr, nullptr);
  return say_bytes(bytes);
}

// WHOM NUMBER: another process's descriptor.
int take_descriptor(const Words& w) {
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, whom(w[1]), 0));
  if (pidfd < 0) return failed("pidfd_open");
  return outcome("pidfd_getfd", ::syscall(SYS_pidfd_getfd, pidfd, std::stoi(w[2]), 0));
}

int be_traced(const Words&) {
  return outcome("ptrace", ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
}

// A debugger's work: a child of one's own, stopped, read and let go.
int debug_child(const Words&) {
  const int child = ::fork();
  if (child == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    ::_exit(kDone);
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child) return failed("waitpid");
  if (!WIFSTOPPED(status)) return kRefused;
  ::ptrace(PTRACE_CONT, child, nullptr, nullptr);
  return status_of(child);
}

constexpr std::array kActs{
    Act{"kill", "WHOM SIGNAL", 2, send_signal},
    Act{"kill-by-pidfd", "WHOM SIGNAL", 2, send_signal_by_pidfd},
    Act{"kill-thread", "WHOM SIGNAL", 2, send_signal_to_thread},
    Act{"kill-by-pipe", "WHOM SIGNAL", 2, send_signal_by_pipe},
    Act{"kill-own-group", "SIGNAL", 1, signal_own_group},
    Act{"nice", "WHOM", 1, change_nice},
    Act{"affinity", "WHOM", 1, change_affinity},
    Act{"scheduler", "WHOM", 1, change_scheduler},
    Act{"io-priority", "WHOM", 1, change_io_priority},
    Act{"limit", "WHOM", 1, change_limit},
    Act{"write-proc", "WHOM FILE TEXT", 3, write_proc},
    Act{"environ", "WHOM", 1, read_environment},
    Act{"keep-in-memory", "READY PATH", 2, keep_in_memory},
    Act{"memory", "READY", 1, read_memory},
    Act{"write-memory", "READY", 1, write_memory},
    Act{"memory-file", "READY", 1, read_memory_file},
    Act{"memory-by-ptrace", "READY", 1, read_memory_by_ptrace},
    Act{"getfd", "WHOM NUMBER", 2, take_descriptor},
    Act{"traceme", "", 0, be_traced},
    Act{"debug-child", "", 0, debug_child},
};

}  // namespace

std::span<const Act> guard_process_acts() { return kActs; }

}  // namespace ambit::acts
