// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/prove_child.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <utility>

#include "userspace/base/pidfd.h"
#include "userspace/pipeline/prove_steps.h"

namespace ambit::pipeline {
namespace {

/// Runs between fork() and _exit(): the process may have had threads, so it makes system calls
/// only.
[[noreturn]] void obey(const Props& props, int channel) {
  Belongings mine;
  std::uint8_t number = 0;
  // Steps wait for children, which is not possible where their end is ignored.
  ::signal(SIGCHLD, SIG_DFL);
  while (::recv(channel, &number, 1, 0) == 1) {
    StepAnswer answer;
    answer.result = proof_steps()[number].act(props, mine);
    answer.port = mine.port;
    if (::send(channel, &answer, sizeof(answer), MSG_NOSIGNAL) != sizeof(answer)) break;
  }
  ::_exit(0);
}

}  // namespace

Result<BoundChild> BoundChild::start(kernel::Sensor& sensor, const Props& props,
                                     std::uint32_t slot) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno("cannot make a pair of sockets to prove the backend with");
  Descriptor channel(ends[0]);
  const Descriptor other(ends[1]);
  const pid_t parent = ::getpid();
  BoundChild child;
  child.pid_ = ::_Fork();
  if (child.pid_ < 0) return fail_errno("cannot start a process to prove the backend with");
  if (child.pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);
    ::close(channel.get());
    obey(props, other.get());
  }
  child.channel_ = std::move(channel);
  const Descriptor pidfd = open_pidfd(child.pid_);
  if (!pidfd.valid()) return fail_errno("cannot open the process to prove the backend with");
  if (auto bound = sensor.bind(pidfd.get(), slot); !bound) return std::unexpected(bound.error());
  return child;
}

BoundChild::BoundChild(BoundChild&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), channel_(std::move(other.channel_)) {}

BoundChild::~BoundChild() { end(); }

void BoundChild::end() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

StepAnswer BoundChild::take(std::uint8_t step) {
  StepAnswer answer{.result = kCannotBeTried, .port = 0};
  if (!alive() || ::send(channel_.get(), &step, 1, MSG_NOSIGNAL) != 1) return answer;
  pollfd waiting{.fd = channel_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, kProofPatienceMs) == 1) {
    if (::recv(channel_.get(), &answer, sizeof(answer), 0) == sizeof(answer)) return answer;
    answer = {.result = kWasKilled, .port = 0};
  }
  end();
  return answer;
}

}  // namespace ambit::pipeline
