// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/launch.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "userspace/base/pidfd.h"
#include "userspace/pipeline/launch_child.h"

namespace ambit::pipeline {

namespace {

struct StageWords {
  const char* words;
  const char* advice;
};

StageWords words_of(LaunchStage stage) {
  switch (stage) {
    case LaunchStage::prepared:
      return {"preparing the command", ""};
    case LaunchStage::mounts:
      return {"giving the command a mount namespace of its own",
              " (the portable backend needs it; run as root)"};
    case LaunchStage::filter:
      return {"installing the filter of system calls", ""};
    case LaunchStage::identity:
      return {"taking on the user", " (only root can start a command as another user)"};
    case LaunchStage::execution:
      return {"executing the command", ""};
  }
  return {"starting the command", ""};
}

constexpr int kNotExecutable = 126;
constexpr int kNotFound = 127;
constexpr int kOwnFailure = 125;

LaunchFailure failure_of(const LaunchReport& report, const LaunchPlan& plan) {
  if (report.stage == LaunchStage::execution) {
    const bool absent = report.value == ENOENT;
    return {.message = plan.command.front() + ": " +
                       (absent ? "command not found" : std::strerror(report.value)),
            .exit_status = absent ? kNotFound : kNotExecutable};
  }
  const StageWords words = words_of(report.stage);
  return {.message = std::string(words.words) + ": " + std::strerror(report.value) + words.advice,
          .exit_status = kOwnFailure};
}

}  // namespace

Result<Launched> Launched::prepare(const LaunchPlan& plan) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno("cannot prepare the command");
  Launched launched;
  launched.control_ = Descriptor(ends[0]);
  Descriptor theirs(ends[1]);
  launched.pid_ = ::fork();
  if (launched.pid_ < 0) return fail_errno("cannot start a process");
  if (launched.pid_ == 0) {
    launched.control_.reset();
    run_child(plan, theirs.release());
  }
  theirs.reset();
  launched.pidfd_ = open_pidfd(launched.pid_);
  if (!launched.pidfd_.valid()) return fail_errno("cannot watch the command");
  LaunchReport report;
  if (::read(launched.control_.get(), &report, sizeof(report)) != sizeof(report))
    return fail("the command's process ended before it started");
  if (report.stage != LaunchStage::prepared) return fail(failure_of(report, plan).message);
  if (plan.private_mounts) {
    const std::string path = "/proc/" + std::to_string(launched.pid_) + "/ns/mnt";
    launched.mounts_ = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!launched.mounts_.valid()) return fail_errno(path);
  }
  if (report.value >= 0 && plan.ask_calls) {
    launched.listener_ = Descriptor(
        static_cast<int>(::syscall(SYS_pidfd_getfd, launched.pidfd_.get(), report.value, 0)));
    if (!launched.listener_.valid()) return fail_errno("cannot take the filter's descriptor");
  }
  return launched;
}

std::expected<void, LaunchFailure> Launched::release(const LaunchPlan& plan) {
  const char leave = 1;
  if (::write(control_.get(), &leave, 1) != 1)
    return std::unexpected(
        LaunchFailure{.message = "the command's process ended before it started"});
  LaunchReport report;
  const ssize_t size = ::read(control_.get(), &report, sizeof(report));
  control_.reset();
  if (size == 0) return {};  // closed by execve
  static_cast<void>(::waitpid(pid_, nullptr, 0));
  if (size != sizeof(report))
    return std::unexpected(
        LaunchFailure{.message = "the command's process ended before it started"});
  return std::unexpected(failure_of(report, plan));
}

}  // namespace ambit::pipeline
