// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/asked_answer.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "userspace/base/clock.h"
#include "userspace/base/pidfd.h"
#include "userspace/pipeline/asked_calls.h"
#include "userspace/pipeline/asked_process.h"
#include "userspace/pipeline/asked_question.h"
#include "userspace/policy/decide.h"

namespace ambit::pipeline {

namespace {

struct Judged {
  policy::Decision decision;
  model::Event event;
};

model::Event event_of(const policy::Decision& decision, const Question& question) {
  model::Event event;
  event.kind = model::Kind::connect;
  event.finding = decision.requested != model::Response::none;
  event.slot = question.state.slot;
  event.boot_ns = SystemClock().boot_ns();
  model::Verdict verdict;
  verdict.scope = event.finding ? model::ScopeSide::outside : model::ScopeSide::inside;
  verdict.reason = decision.reason;
  verdict.requested = decision.requested;
  verdict.effective = decision.effect;
  verdict.mode = decision.shadow ? model::Mode::shadow : model::Mode::enforce;
  verdict.backend = model::Backend::portable;
  event.verdict = verdict;
  model::Process process;
  process.pid = question.process;
  process.tid = question.request.pid;
  event.process = process;
  event.held_mask = decision.held;
  event.blocking_mask = decision.blocking;
  return event;
}

std::optional<Judged> judge_guard(const Question& question) {
  const auto aimed = aim_of(question);
  if (!aimed) return std::nullopt;
  const auto privilege = aimed->aim == policy::Aim::monitor   ? model::Privilege::none
                         : aimed->aim == policy::Aim::process ? model::Privilege::ptrace
                                                              : question.call.privilege;
  const policy::Decision decision =
      policy::decide_guard(question.sensor, question.subject(), aimed->aim, privilege);
  if (decision.requested == model::Response::none) return std::nullopt;
  Judged judged{.decision = decision, .event = event_of(decision, question)};
  judged.event.kind = model::Kind::guard;
  auto& details = judged.event.details;
  details["operation"] = model::name_of(question.call.operation);
  if (privilege != model::Privilege::none) details["privilege"] = model::name_of(privilege);
  if (aimed->target != 0) details["target_pid"] = std::to_string(aimed->target);
  if (aimed->number != 0) details["number"] = std::to_string(aimed->number);
  return judged;
}

/// The first word of what socketcall(SYS_SOCKET, args) of a 32-bit process points to. Nothing: it
/// makes no socket; -1: it cannot be read.
std::optional<int> family_in_memory(const Question& question) {
  constexpr std::uint32_t kMakesSocket = 1;
  if (question.argument(0) != kMakesSocket) return std::nullopt;
  const std::string path = "/proc/" + std::to_string(question.request.pid) + "/mem";
  const Descriptor memory(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::uint32_t family = 0;
  if (::pread(memory.get(), &family, sizeof(family), static_cast<off_t>(question.argument(1))) !=
      sizeof(family))
    return -1;
  return static_cast<int>(family);
}

std::optional<Judged> judge_family(const Question& question) {
  const std::optional<int> family = question.call.what == Asked::family
                                        ? static_cast<int>(question.argument(0))
                                        : family_in_memory(question);
  if (!family) return std::nullopt;
  if (*family >= 0 &&
      std::ranges::find(kSeenFamilies, static_cast<std::uint32_t>(*family)) != kSeenFamilies.end())
    return std::nullopt;
  const policy::Decision decision = policy::decide_destination(
      question.sensor, question.subject(),
      {.address = {}, .port = 0, .protocol = 0, .own = false, .other = true});
  Judged judged{.decision = decision, .event = event_of(decision, question)};
  model::Destination destination;
  const auto number = static_cast<std::uint16_t>(std::max(*family, 0));
  destination.family = number;
  destination.protocol = "family-" + std::to_string(number);
  judged.event.destination = destination;
  return judged;
}

const AskedCall* call_of(const seccomp_notif& request) {
  const bool native = request.data.arch == AUDIT_ARCH_X86_64;
  const std::uint32_t number = static_cast<std::uint32_t>(request.data.nr) & (native ? ~kX32 : ~0U);
  const auto is_it = [&](const AskedCall& call) {
    return native ? number == call.number || (call.x32 != 0 && number == call.x32)
                  : number == call.number32;
  };
  for (const std::span<const AskedCall> calls :
       {std::span<const AskedCall>(kFamilyCalls), std::span<const AskedCall>(kGuardedCalls)})
    if (const auto found = std::ranges::find_if(calls, is_it); found != calls.end()) return &*found;
  return nullptr;
}

std::optional<Judged> judge(const seccomp_notif& request, const kernel::Sensor& sensor,
                            std::span<const std::uint32_t> own) {
  const AskedCall* const call = call_of(request);
  if (call == nullptr) return std::nullopt;
  const std::uint32_t process = process_of_thread(request.pid);
  const Descriptor pidfd = open_pidfd(static_cast<pid_t>(process));
  const auto state = sensor.state_of(pidfd.get());
  if (!state || state->slot == 0) return std::nullopt;
  const Question question{.request = request,
                          .call = *call,
                          .sensor = sensor,
                          .own = own,
                          .process = process,
                          .state = *state};
  const bool of_family = call->what == Asked::family || call->what == Asked::family_in_memory;
  auto judged = of_family ? judge_family(question) : judge_guard(question);
  if (judged && (judged->decision.effect == model::Effect::killed ||
                 judged->decision.effect == model::Effect::task_killed))
    static_cast<void>(::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0));
  return judged;
}

}  // namespace

std::optional<model::Event> answer_asked_call(int listener, const kernel::Sensor& sensor,
                                              std::span<const std::uint32_t> own) {
  seccomp_notif request{};
  if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) return std::nullopt;
  auto judged = judge(request, sensor, own);
  seccomp_notif_resp answer{};
  answer.id = request.id;
  if (judged && judged->decision.effect != model::Effect::allowed &&
      judged->decision.effect != model::Effect::alerted)
    answer.error = -EPERM;
  else
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  static_cast<void>(::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
  if (!judged) return std::nullopt;
  return std::move(judged->event);
}

}  // namespace ambit::pipeline
