// SPDX-License-Identifier: Apache-2.0
#include <linux/perf_event.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "userspace/base/pidfd.h"
#include "userspace/pipeline/asked_process.h"
#include "userspace/pipeline/asked_question.h"

namespace ambit::pipeline {

namespace {

using policy::Aim;

bool is_own(const Question& question, std::uint32_t pid) {
  return std::ranges::find(question.own, pid) != question.own.end();
}

std::optional<Aimed> at_process(const Question& question, std::uint32_t number,
                                bool monitor_alone) {
  const auto called = process_called(number, question.request.pid);
  if (!called) return std::nullopt;
  const std::uint32_t target = process_of_thread(*called);
  if (is_own(question, target)) return Aimed{.aim = Aim::monitor, .target = target};
  if (monitor_alone) return std::nullopt;
  const Descriptor pidfd = open_pidfd(static_cast<pid_t>(target));
  const auto state = question.sensor.state_of(pidfd.get());
  if (!state || state->slot == question.state.slot) return std::nullopt;
  return Aimed{.aim = Aim::process, .target = target};
}

std::optional<Aimed> perf_aim(const Question& question) {
  constexpr std::size_t kFlags = 4;
  const std::uint32_t pid = question.argument(1);
  if (static_cast<std::int32_t>(pid) < 0 || (question.argument(kFlags) & PERF_FLAG_PID_CGROUP) != 0)
    return Aimed{};
  return at_process(question, pid, false);
}

std::optional<Aimed> trace_aim(const Question& question) {
  if (question.argument(0) != PTRACE_TRACEME)
    return at_process(question, question.argument(1), false);
  const std::uint32_t parent = status_of(question.process, "PPid:").value_or(0);
  if (!is_own(question, parent)) return std::nullopt;
  return Aimed{.aim = Aim::monitor, .target = parent};
}

std::optional<Aimed> priority_aim(const Question& question) {
  // setpriority() counts from PRIO_PROCESS, ioprio_set() from IOPRIO_WHO_PROCESS.
  const std::uint32_t first = question.call.number == SYS_setpriority ? PRIO_PROCESS : 1;
  const std::uint32_t who = question.argument(1);
  switch (question.argument(0) - first) {
    case PRIO_PROCESS:
      return who == 0 ? std::nullopt : at_process(question, who, true);
    case PRIO_PGRP: {
      const pid_t group =
          who == 0 ? ::getpgid(static_cast<pid_t>(question.process))
                   : static_cast<pid_t>(process_called(who, question.request.pid).value_or(0));
      for (const std::uint32_t pid : question.own)
        if (::getpgid(static_cast<pid_t>(pid)) == group)
          return Aimed{.aim = Aim::monitor, .target = pid};
      return std::nullopt;
    }
    case PRIO_USER: {
      const std::uint32_t user = who == 0 ? status_of(question.process, "Uid:").value_or(0) : who;
      if (user != ::getuid()) return std::nullopt;
      return Aimed{.aim = Aim::monitor, .target = static_cast<std::uint32_t>(::getpid())};
    }
    default:
      return std::nullopt;  // the kernel knows no other
  }
}

}  // namespace

std::optional<Aimed> aim_of(const Question& question) {
  constexpr std::size_t kNewLimits = 2;
  switch (question.call.what) {
    case Asked::machine:
      return Aimed{.number = question.call.operation == model::Operation::load_module ||
                                     question.call.operation == model::Operation::load_kexec
                                 ? 0
                                 : question.argument(question.call.argument)};
    case Asked::perf:
      return perf_aim(question);
    case Asked::trace:
      return trace_aim(question);
    case Asked::memory:
      return at_process(question, question.argument(0), false);
    case Asked::monitor:
      return at_process(question, question.argument(0), true);
    case Asked::limit:
      if (question.request.data.args[kNewLimits] == 0) return std::nullopt;
      return at_process(question, question.argument(0), true);
    case Asked::priority:
      return priority_aim(question);
    case Asked::family:
    case Asked::family_in_memory:
      break;
  }
  return std::nullopt;
}

}  // namespace ambit::pipeline
