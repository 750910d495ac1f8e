// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/prove_child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <utility>

#include "userspace/pipeline/prove_steps.h"

namespace ambit::pipeline {
namespace {

constexpr int kPatienceMs = 500;

/// Runs between fork() and _exit(): the process may have had threads, so it makes system calls
/// only.
[[noreturn]] void obey(const Props& props, int commands, int answers) {
  Belongings mine;
  std::uint8_t number = 0;
  while (::read(commands, &number, 1) == 1) {
    StepAnswer answer;
    answer.result = proof_steps()[number].act(props, mine);
    answer.port = mine.port;
    if (::write(answers, &answer, sizeof(answer)) != sizeof(answer)) break;
  }
  ::_exit(0);
}

}  // namespace

Result<BoundChild> BoundChild::start(kernel::Sensor& sensor, const Props& props,
                                     std::uint32_t slot) {
  std::array<int, 2> commands{};
  std::array<int, 2> answers{};
  if (::pipe2(commands.data(), O_CLOEXEC) != 0) return fail_errno("cannot make a pipe");
  const Descriptor commands_out(commands[0]);
  Descriptor commands_in(commands[1]);
  if (::pipe2(answers.data(), O_CLOEXEC) != 0) return fail_errno("cannot make a pipe");
  Descriptor answers_out(answers[0]);
  Descriptor answers_in(answers[1]);
  const pid_t parent = ::getpid();
  BoundChild child;
  child.pid_ = ::_Fork();
  if (child.pid_ < 0) return fail_errno("cannot start a process to prove the backend with");
  if (child.pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);
    ::close(commands[1]);
    ::close(answers[0]);
    obey(props, commands[0], answers[1]);
  }
  child.commands_ = std::move(commands_in);
  child.answers_ = std::move(answers_out);
  const Descriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0)));
  if (!pidfd.valid()) return fail_errno("cannot open the process to prove the backend with");
  if (auto bound = sensor.bind(pidfd.get(), slot); !bound) return std::unexpected(bound.error());
  return child;
}

BoundChild::BoundChild(BoundChild&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      commands_(std::move(other.commands_)),
      answers_(std::move(other.answers_)) {}

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
  if (!alive() || ::write(commands_.get(), &step, 1) != 1) return answer;
  pollfd waiting{.fd = answers_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, kPatienceMs) == 1) {
    if (::read(answers_.get(), &answer, sizeof(answer)) == sizeof(answer)) return answer;
    answer = {.result = kWasKilled, .port = 0};
  }
  end();
  return answer;
}

}  // namespace ambit::pipeline
