// SPDX-License-Identifier: Apache-2.0
// Ways to run a program file.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

#include "tests/kernel/acts/act.h"

namespace ambit::acts {
namespace {

std::vector<char*> command_from(const Words& w, std::size_t first) {
  std::vector<char*> command;
  for (std::size_t i = first; i < w.size(); ++i) command.push_back(const_cast<char*>(w[i].c_str()));
  command.push_back(nullptr);
  return command;
}

int execute(const Words& w) {
  ::execv(w[1].c_str(), command_from(w, 1).data());
  return failed("execv");
}

int execute_in_thread(const Words& w) {
  int status = kFailed;
  std::thread([&] { status = execute(w); }).join();
  return status;
}

int execute_in_child(const Words& w) {
  const std::vector<char*> command = command_from(w, 1);
  const int pid = ::vfork();
  if (pid == 0) {
    ::execv(command[0], command.data());
    ::_exit(errno == EPERM || errno == EACCES ? kRefused : kFailed);
  }
  return pid < 0 ? failed("vfork") : status_of(pid);
}

bool copy(const std::string& from, int to) {
  const int source = ::open(from.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat known{};
  if (source < 0 || ::fstat(source, &known) != 0) return false;
  off_t done = 0;
  while (done < known.st_size) {
    if (::sendfile(to, source, &done, static_cast<std::size_t>(known.st_size - done)) <= 0)
      return false;
  }
  ::close(source);
  return true;
}

int execute_memory(const Words& w) {
  const int memory = ::memfd_create("program", 0);
  if (memory < 0) return failed("memfd_create");
  if (!copy(w[1], memory)) return failed("copy");
  ::fexecve(memory, command_from(w, 1).data(), environ);
  return failed("fexecve");
}

int execute_copy(const Words& w) {
  const int to = ::open(w[2].c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
  if (to < 0 || !copy(w[1], to)) return failed("copy");
  ::close(to);
  ::execv(w[2].c_str(), command_from(w, 2).data());
  return failed("execv");
}

int execute_deleted(const Words& w) {
  const int to = ::open(w[2].c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
  if (to < 0 || !copy(w[1], to)) return failed("copy");
  ::close(to);
  const int program = ::open(w[2].c_str(), O_PATH | O_CLOEXEC);
  if (program < 0 || ::unlink(w[2].c_str()) != 0) return failed("unlink");
  ::fexecve(program, command_from(w, 2).data(), environ);
  return failed("fexecve");
}

int execute_at(const Words& w) {
  const int program = ::open(w[1].c_str(), O_PATH | O_CLOEXEC);
  if (program < 0) return failed("open");
  ::syscall(SYS_execveat, program, "", command_from(w, 1).data(), environ, AT_EMPTY_PATH);
  return failed("execveat");
}

int execute_relative(const Words& w) {
  const int directory = ::open(w[1].c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return failed("open");
  ::syscall(SYS_execveat, directory, w[2].c_str(), command_from(w, 2).data(), environ, 0);
  return failed("execveat");
}

int execute_by_link(const Words& w) {
  const int program = ::open(w[1].c_str(), O_PATH);
  if (program < 0) return failed("open");
  const std::string link = "/proc/self/fd/" + std::to_string(program);
  ::execv(link.c_str(), command_from(w, 1).data());
  return failed("execv");
}

int execute_by_spawn(const Words& w) {
  int pid = 0;
  const int error =
      ::posix_spawn(&pid, w[1].c_str(), nullptr, nullptr, command_from(w, 1).data(), environ);
  return error != 0 ? failed("posix_spawn", error) : status_of(pid);
}

/// What a child that shares this process's memory executes.
struct Shared {
  const char* program;
  char* const* command;
  int error = 0;
};

int execute_shared(void* given) {
  auto* const shared = static_cast<Shared*>(given);
  ::execv(shared->program, shared->command);
  shared->error = errno;
  return kFailed;
}

int execute_with_shared_memory(const Words& w) {
  static std::array<char, 65536> stack;
  const std::vector<char*> command = command_from(w, 1);
  Shared shared{.program = command[0], .command = command.data()};
  const int pid = ::clone(execute_shared, stack.data() + stack.size(), CLONE_VM | SIGCHLD, &shared);
  if (pid < 0) return failed("clone");
  const int status = status_of(pid);
  return shared.error != 0 ? failed("execv", shared.error) : status;
}

int execute_as(const Words& w) {
  std::vector<char*> command = command_from(w, 2);
  command[0] = const_cast<char*>(w[1].c_str());
  ::execv(w[2].c_str(), command.data());
  return failed("execv");
}

// PROGRAM ARGUMENT: with two megabytes of arguments before the last.
int execute_with_much(const Words& w) {
  std::vector<std::string> parts(20, std::string(100'000, 'a'));
  std::vector<char*> command{const_cast<char*>(w[1].c_str())};
  for (std::string& part : parts) command.push_back(part.data());
  command.push_back(const_cast<char*>(w[2].c_str()));
  command.push_back(nullptr);
  ::execv(command[0], command.data());
  return failed("execv");
}

// PROGRAM ARGUMENT: with bytes before the last that are no text.
int execute_oddly(const Words& w) {
  std::string odd = "\xff\"\n\\\x01\x1b[31m";
  std::vector<char*> command{const_cast<char*>(w[1].c_str()), odd.data(),
                             const_cast<char*>(w[2].c_str()), nullptr};
  ::execv(command[0], command.data());
  return failed("execv");
}

// VARIABLE=VALUE PROGRAM ARGUMENT…
int execute_with_variable(const Words& w) {
  std::array<char*, 2> environment{const_cast<char*>(w[1].c_str()), nullptr};
  ::execve(w[2].c_str(), command_from(w, 2).data(), environment.data());
  return failed("execve");
}

// PROGRAM COPY ARGUMENT…: memory that a link in /proc names.
int execute_memory_by_link(const Words& w) {
  const int memory = ::memfd_create("program", 0);
  if (memory < 0) return failed("memfd_create");
  if (!copy(w[1], memory)) return failed("copy");
  const std::string link = "/proc/self/fd/" + std::to_string(memory);
  ::execv(link.c_str(), command_from(w, 1).data());
  return failed("execv");
}

constexpr std::array kActs{
    Act{"exec", "PROGRAM ARGUMENT…", 1, execute},
    Act{"exec-in-thread", "PROGRAM ARGUMENT…", 1, execute_in_thread},
    Act{"exec-by-vfork", "PROGRAM ARGUMENT…", 1, execute_in_child},
    Act{"exec-memory", "PROGRAM ARGUMENT…", 1, execute_memory},
    Act{"exec-copy", "PROGRAM COPY ARGUMENT…", 2, execute_copy},
    Act{"exec-at", "PROGRAM ARGUMENT…", 1, execute_at},
    Act{"exec-relative", "DIRECTORY NAME ARGUMENT…", 2, execute_relative},
    Act{"exec-by-link", "PROGRAM ARGUMENT…", 1, execute_by_link},
    Act{"exec-by-spawn", "PROGRAM ARGUMENT…", 1, execute_by_spawn},
    Act{"exec-with-shared-memory", "PROGRAM ARGUMENT…", 1, execute_with_shared_memory},
    Act{"exec-as", "NAME PROGRAM ARGUMENT…", 2, execute_as},
    Act{"exec-with-much", "PROGRAM ARGUMENT", 2, execute_with_much},
    Act{"exec-oddly", "PROGRAM ARGUMENT", 2, execute_oddly},
    Act{"exec-with", "VARIABLE=VALUE PROGRAM ARGUMENT…", 2, execute_with_variable},
    Act{"exec-memory-by-link", "PROGRAM ARGUMENT…", 1, execute_memory_by_link},
    Act{"exec-deleted", "PROGRAM COPY ARGUMENT…", 2, execute_deleted},
};

}  // namespace

std::span<const Act> exec_acts() { return kActs; }

}  // namespace ambit::acts
