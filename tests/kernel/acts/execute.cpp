// SPDX-License-Identifier: Apache-2.0
// Ways to run a program file.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
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

constexpr std::array kActs{
    Act{"exec", "PROGRAM ARGUMENT…", 1, execute},
    Act{"exec-in-thread", "PROGRAM ARGUMENT…", 1, execute_in_thread},
    Act{"exec-by-vfork", "PROGRAM ARGUMENT…", 1, execute_in_child},
    Act{"exec-memory", "PROGRAM ARGUMENT…", 1, execute_memory},
    Act{"exec-copy", "PROGRAM COPY ARGUMENT…", 2, execute_copy},
    Act{"exec-deleted", "PROGRAM COPY ARGUMENT…", 2, execute_deleted},
};

}  // namespace

std::span<const Act> exec_acts() { return kActs; }

}  // namespace ambit::acts
