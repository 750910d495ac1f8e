// SPDX-License-Identifier: Apache-2.0
// The loop of `ambit run`, from the command's first instruction to its end.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>

#include "userspace/base/ignored_signal.h"
#include "userspace/model/make_event.h"
#include "userspace/pipeline/asked_answer.h"
#include "userspace/pipeline/guard.h"
#include "userspace/pipeline/records.h"
#include "userspace/pipeline/run_session.h"

namespace ambit::pipeline {

namespace {

constexpr int kTickMs = 100;
constexpr std::array kForwarded{SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM};

Descriptor catch_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : kForwarded) {
    // What the caller ignores (nohup) stays so, for the command as well.
    if (!ignores_signal(number)) ::sigaddset(&set, number);
  }
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int shell_status(int status) {
  constexpr int kSignalled = 128;
  return WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

std::expected<int, LaunchFailure> RunSession::serve() {
  signals_ = catch_signals();
  announce();
  if (auto released = launched_->release(plan_); !released)
    return std::unexpected(released.error());
  do {
    serve_once(launched_->pidfd());
  } while (!command_ended());
  take_records();
  return status_;
}

void RunSession::serve_once(int watched) {
  std::array<pollfd, 6> waits{{
      {.fd = sensor_->ring_descriptor(), .events = POLLIN, .revents = 0},
      {.fd = holders_->record_descriptor(), .events = POLLIN, .revents = 0},
      {.fd = signals_.get(), .events = POLLIN, .revents = 0},
      {.fd = watched, .events = POLLIN, .revents = 0},
      {.fd = launched_->listener(), .events = POLLIN, .revents = 0},
      {.fd = holders_->finding_descriptor(), .events = POLLIN, .revents = 0},
  }};
  ::poll(waits.data(), waits.size(), stream_->waits() ? 0 : kTickMs);
  if ((waits[2].revents & POLLIN) != 0) on_signals();
  if ((waits[4].revents & POLLIN) != 0)
    if (auto event = answer_asked_call(launched_->listener(), *sensor_, holders_->own_processes()))
      stream_->take(std::move(*event));
  take_records();
  on_tick();
}

/// A process of its own goes on with what `run` did, until the last process of the task has ended.
/// It has its own holders before those of `run` go, so that nothing passes in between.
Result<bool> RunSession::hand_over() {
  if (sensor_->members(kSlot).empty()) return false;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail_errno("cannot keep the task");
  const Descriptor ready(ends[0]);
  Descriptor tell(ends[1]);
  const int pid = ::fork();
  if (pid < 0) return fail_errno("cannot keep the task");
  if (pid == 0) {
    ::setsid();
    const Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null.valid()) ::_exit(kOwnFailure);
    for (int fd = 0; fd <= 2; ++fd) ::dup2(null.get(), fd);
    options_.watcher = nullptr;
    if (!guard_own_process(*sensor_) || !start_holders()) ::_exit(kOwnFailure);
    static_cast<void>(::write(tell.get(), "r", 1));
    tell.reset();
    while (!sensor_->members(kSlot).empty()) serve_once(-1);
    static_cast<void>(write_end());
    holders_.reset();
    ::_exit(0);
  }
  tell.reset();
  char answer = 0;
  if (::read(ready.get(), &answer, 1) != 1) return fail("cannot keep the task: it is ended");
  return true;
}

bool RunSession::command_ended() {
  int status = 0;
  if (::waitpid(launched_->pid(), &status, WNOHANG) != launched_->pid()) return false;
  status_ = shell_status(status);
  return true;
}

bool RunSession::take_records() {
  const Turn turn = pipeline::take_records(*sensor_, *holders_, *stream_);
  if (!turn.written && ticks_ % 50 == 0)
    std::fprintf(stderr, "ambit: events: %s\n", turn.written.error().message.c_str());
  return turn.more;
}

void RunSession::on_tick() {
  using Clock = std::chrono::steady_clock;
  holders_->tend();
  if (const auto next = destinations_->next(); next && *next <= Clock::now()) {
    constexpr std::chrono::milliseconds kLimit{300};
    if (auto refreshed = destinations_->refresh(*sensor_, kLimit); !refreshed)
      std::fprintf(stderr, "ambit: names: %s\n", refreshed.error().message.c_str());
    stream_->registry().set_names(kSlot, destinations_->names());
  }
  if (!expired_ && SystemClock().boot_ns() >= expires_boot_ns_) {
    expired_ = true;
    stream_->take(model::make_task_expire(
        {.boot_ns = SystemClock().boot_ns(), .wall_ns = SystemClock().wall_ns()}, task_));
  }
  constexpr unsigned kLossTurns = 8;
  if (++ticks_ % kLossTurns == 0) report_losses(*sensor_, *holders_, *stream_);
}

void RunSession::on_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
    // The terminal has sent its own to the command already: they share a process group.
    const bool from_terminal = info.ssi_code == SI_KERNEL;
    if (!from_terminal) ::kill(launched_->pid(), static_cast<int>(info.ssi_signo));
  }
}

}  // namespace ambit::pipeline
