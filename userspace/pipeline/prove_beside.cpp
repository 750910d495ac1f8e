// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/prove_beside.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/fanotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>

#include "userspace/base/descriptor.h"
#include "userspace/pipeline/prove_child.h"

namespace ambit::pipeline {
namespace {

void finish(Attempt& attempt, pid_t child, bool answered) {
  if (!answered) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!answered || !WIFEXITED(status)) {
    attempt.note = "no answer";
    return;
  }
  attempt.error = WEXITSTATUS(status);
  attempt.outcome = attempt.error == EPERM ? Outcome::refused : Outcome::passed;
}

/// Refuses the one open that is waited for.
bool deny_one(int group) {
  pollfd waiting{.fd = group, .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, kProofPatienceMs) != 1) return false;
  alignas(fanotify_event_metadata) std::array<char, 256> buffer{};
  const ssize_t size = ::read(group, buffer.data(), buffer.size());
  if (size < static_cast<ssize_t>(sizeof(fanotify_event_metadata))) return false;
  fanotify_event_metadata event{};
  std::memcpy(&event, buffer.data(), sizeof(event));
  const Descriptor opened(event.fd);
  const fanotify_response answer{.fd = event.fd, .response = FAN_DENY};
  return ::write(group, &answer, sizeof(answer)) == sizeof(answer);
}

}  // namespace

namespace {

int open_file(const char* name, int /*opened*/) {
  return ::open(name, O_RDONLY | O_CLOEXEC) < 0 ? errno : 0;
}

int read_file(const char* /*name*/, int opened) {
  char byte = 0;
  return ::pread(opened, &byte, 1, 0) < 0 ? errno : 0;
}

struct Asking {
  std::string_view operation;
  Class of;
  bool decisive;
  std::uint64_t mask;
  int (*act)(const char* name, int opened);
};

constexpr std::array kAskings{
    Asking{"open a credential file (fanotify)", Class::files, true, FAN_OPEN_PERM, open_file},
    Asking{"read a credential file that is open (fanotify)", Class::expiry, false, FAN_ACCESS_PERM,
           read_file},
};

Attempt try_one(const Asking& asking, const std::string& path) {
  Attempt attempt{
      .operation = std::string(asking.operation), .of = asking.of, .decisive = asking.decisive};
  const Descriptor group(
      ::fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC));
  if (!group.valid() ||
      ::fanotify_mark(group.get(), FAN_MARK_ADD, asking.mask, AT_FDCWD, path.c_str()) != 0) {
    attempt.note = std::string("fanotify permission events: ") + std::strerror(errno);
    return attempt;
  }
  const char* const name = path.c_str();
  const Descriptor opened((asking.mask & FAN_ACCESS_PERM) != 0 ? ::open(name, O_RDONLY | O_CLOEXEC)
                                                               : -1);
  const pid_t child = ::_Fork();
  if (child == 0) ::_exit(asking.act(name, opened.get()));
  if (child < 0) return attempt;
  finish(attempt, child, deny_one(group.get()));
  return attempt;
}

}  // namespace

std::vector<Attempt> try_fanotify(const std::string& path) {
  std::vector<Attempt> attempts;
  for (const Asking& asking : kAskings) attempts.push_back(try_one(asking, path));
  return attempts;
}

Attempt try_seccomp() {
  Attempt attempt{.operation = "make a vsock socket (seccomp, in commands that Ambit starts)",
                  .of = Class::families,
                  .decisive = true};
  std::array filter{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  const pid_t child = ::_Fork();
  if (child == 0) {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0) ::_exit(0);
    ::_exit(::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 ? errno : 0);
  }
  if (child < 0) return attempt;
  finish(attempt, child, true);
  return attempt;
}

}  // namespace ambit::pipeline
