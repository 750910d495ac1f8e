// SPDX-License-Identifier: Apache-2.0
// Ways to another process, which then acts.
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <thread>

#include "tests/kernel/acts/act.h"

namespace ambit::acts {
namespace {

Words rest_of(const Words& w, std::size_t first) {
  return {w.begin() + static_cast<std::ptrdiff_t>(first), w.end()};
}

int in_child(const Words& w) {
  const int pid = ::fork();
  if (pid == 0) ::_exit(perform_rest(w, 1));
  return pid < 0 ? failed("fork") : status_of(pid);
}

/// Reads the exit status that an orphan writes; none when it was killed.
int orphan_status(int fd) {
  unsigned char status = 0;
  return ::read(fd, &status, 1) == 1 ? status : 128 + SIGKILL;
}

int in_orphan(const Words& w) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return failed("pipe");
  const int pid = ::fork();
  if (pid == 0) {
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    ::close(ends[0]);
    while (::getppid() != 1 && ::getppid() == pid) ::usleep(1000);
    const auto status = static_cast<unsigned char>(perform_rest(w, 1));
    ::_exit(::write(ends[1], &status, 1) == 1 ? 0 : 1);
  }
  ::close(ends[1]);
  if (pid < 0 || status_of(pid) != 0) return failed("fork");
  return orphan_status(ends[0]);
}

int in_sibling(const Words& w) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return failed("pipe");
  const long pid = ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (pid == 0) {
    ::close(ends[0]);
    const auto status = static_cast<unsigned char>(perform_rest(w, 1));
    ::_exit(::write(ends[1], &status, 1) == 1 ? 0 : 1);
  }
  ::close(ends[1]);
  return pid < 0 ? failed("clone") : orphan_status(ends[0]);
}

int in_session(const Words& w) {
  const int pid = ::fork();
  if (pid == 0) {
    ::setsid();
    ::_exit(perform_rest(w, 1));
  }
  return pid < 0 ? failed("fork") : status_of(pid);
}

int by_vfork(const Words& w) {
  const Words rest = rest_of(w, 1);
  const std::vector<char*> command = own_command(rest);
  const int pid = ::vfork();
  if (pid == 0) {
    ::execv(command[0], command.data());
    ::_exit(kFailed);
  }
  return pid < 0 ? failed("vfork") : status_of(pid);
}

int by_spawn(const Words& w) {
  const Words rest = rest_of(w, 1);
  const std::vector<char*> command = own_command(rest);
  int pid = 0;
  const int error = ::posix_spawn(&pid, command[0], nullptr, nullptr, command.data(), environ);
  return error != 0 ? failed("posix_spawn", error) : status_of(pid);
}

int by_exec(const Words& w) {
  const Words rest = rest_of(w, 1);
  const std::vector<char*> command = own_command(rest);
  ::execv(command[0], command.data());
  return failed("execv");
}

// The thread takes the leader's place, number and all.
int by_exec_in_thread(const Words& w) {
  const Words rest = rest_of(w, 1);
  const std::vector<char*> command = own_command(rest);
  int status = kFailed;
  std::thread([&] {
    ::execv(command[0], command.data());
    status = failed("execv");
  }).join();
  return status;
}

int in_thread(const Words& w) {
  int status = kFailed;
  std::thread([&] { status = perform_rest(w, 1); }).join();
  return status;
}

// One thread opens and ends, then the process acts.
int after_open_in_thread(const Words& w) {
  int status = kFailed;
  std::thread([&] { status = perform({"open", w[1]}); }).join();
  return status == kDone ? perform_rest(w, 2) : status;
}

int in_cgroup(const Words& w) {
  std::ofstream procs(w[1] + "/cgroup.procs");
  procs << ::getpid() << std::endl;
  if (!procs) return failed("cgroup.procs");
  return perform_rest(w, 2);
}

int born_in_cgroup(const Words& w) {
  const int cgroup = ::open(w[1].c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (cgroup < 0) return failed("open cgroup");
  clone_args wanted{};
  wanted.flags = CLONE_INTO_CGROUP;
  wanted.exit_signal = SIGCHLD;
  wanted.cgroup = static_cast<std::uint64_t>(cgroup);
  const long pid = ::syscall(SYS_clone3, &wanted, sizeof wanted);
  if (pid == 0) ::_exit(perform_rest(w, 2));
  return pid < 0 ? failed("clone3") : status_of(static_cast<int>(pid));
}

// As a container starts its first process: new namespaces, then a child in them.
int in_namespaces(const Words& w) {
  if (::unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC) != 0)
    return failed("unshare");
  return in_child(w);
}

int in_user_namespace(const Words& w) {
  const std::string user = "0 " + std::to_string(::geteuid()) + " 1\n";
  const std::string group = "0 " + std::to_string(::getegid()) + " 1\n";
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return failed("unshare");
  std::ofstream("/proc/self/setgroups") << "deny\n";
  std::ofstream("/proc/self/uid_map") << user;
  std::ofstream("/proc/self/gid_map") << group;
  return perform_rest(w, 1);
}

// Makes a process with a number of its choice: how PID reuse is made certain.
int in_pid(const Words& w) {
  pid_t number = std::stoi(w[1]);
  clone_args wanted{};
  wanted.exit_signal = SIGCHLD;
  wanted.set_tid = reinterpret_cast<std::uintptr_t>(&number);
  wanted.set_tid_size = 1;
  const long pid = ::syscall(SYS_clone3, &wanted, sizeof wanted);
  if (pid == 0) ::_exit(perform_rest(w, 2));
  if (pid < 0) return errno == EINVAL || errno == ENOSYS ? kUnsupported : failed("clone3");
  return status_of(static_cast<int>(pid));
}

int named(const Words& w) {
  ::prctl(PR_SET_NAME, w[1].c_str());
  return perform_rest(w, 2);
}

// NAME ACT…: this program anew, under another argv[0].
int renamed(const Words& w) {
  const Words rest = rest_of(w, 2);
  std::vector<char*> command = own_command(rest);
  const std::string program = command[0];
  command[0] = const_cast<char*>(w[1].c_str());
  ::execv(program.c_str(), command.data());
  return failed("execv");
}

// Two megabytes of arguments that nobody reads stand behind the act's own.
int with_much(const Words& w) {
  Words rest = rest_of(w, 1);
  rest.insert(rest.end(), 20, std::string(100'000, 'a'));
  ::execv("/proc/self/exe", own_command(rest).data());
  return failed("execv");
}

// The process's arguments are overwritten where /proc and others read them.
int rewritten(const Words& w) {
  std::ifstream stat("/proc/self/stat");
  std::string word;
  unsigned long start = 0;
  constexpr int kStart = 48;  // arg_start; the name, field 2, has no blanks here
  for (int field = 1; field <= kStart && stat >> word; ++field) {
    if (field == kStart) start = std::stoul(word);
  }
  if (start == 0) return failed("arg_start", ENOSYS);
  constexpr char kFalse[] = "sshd\0-D";
  std::memcpy(reinterpret_cast<void*>(start), kFalse, sizeof kFalse);
  return perform_rest(w, 1);
}

constexpr std::array kActs{
    Act{"in-child", "ACT…", 1, in_child},
    Act{"in-orphan", "ACT…", 1, in_orphan},
    Act{"in-sibling", "ACT…", 1, in_sibling},
    Act{"in-session", "ACT…", 1, in_session},
    Act{"in-thread", "ACT…", 1, in_thread},
    Act{"by-vfork", "ACT…", 1, by_vfork},
    Act{"by-spawn", "ACT…", 1, by_spawn},
    Act{"by-exec", "ACT…", 1, by_exec},
    Act{"by-exec-in-thread", "ACT…", 1, by_exec_in_thread},
    Act{"open-in-thread-then", "PATH ACT…", 2, after_open_in_thread},
    Act{"in-cgroup", "DIRECTORY ACT…", 2, in_cgroup},
    Act{"born-in-cgroup", "DIRECTORY ACT…", 2, born_in_cgroup},
    Act{"in-namespaces", "ACT…", 1, in_namespaces},
    Act{"in-user-namespace", "ACT…", 1, in_user_namespace},
    Act{"in-pid", "PID ACT…", 2, in_pid},
    Act{"renamed", "NAME ACT…", 2, renamed},
    Act{"with-much", "ACT…", 1, with_much},
    Act{"rewritten", "ACT…", 1, rewritten},
    Act{"named", "COMM ACT…", 2, named},
};

}  // namespace

std::span<const Act> process_acts() { return kActs; }

}  // namespace ambit::acts
