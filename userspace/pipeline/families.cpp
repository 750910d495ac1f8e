// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/families.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>

#include "userspace/base/clock.h"
#include "userspace/base/pidfd.h"
#include "userspace/policy/decide.h"

namespace ambit::pipeline {

namespace {

constexpr std::array kSeenFamilies{AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_ALG};

bool is_seen(int family) { return std::ranges::find(kSeenFamilies, family) != kSeenFamilies.end(); }

/// The family of a socketcall(SYS_SOCKET, args) of a 32-bit process: the first of its words.
std::optional<int> family_in_memory(std::uint32_t pid, std::uint64_t address) {
  const std::string path = "/proc/" + std::to_string(pid) + "/mem";
  const Descriptor memory(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::uint32_t family = 0;
  if (::pread(memory.get(), &family, sizeof(family), static_cast<off_t>(address)) != sizeof(family))
    return std::nullopt;
  return static_cast<int>(family);
}

/// Nothing: the call makes no socket.
std::optional<int> asked_family(const seccomp_notif& request) {
  constexpr int kSocketcall32 = 102;
  constexpr std::uint64_t kMakesSocket = 1;
  if (request.data.arch == AUDIT_ARCH_X86_64 || request.data.nr != kSocketcall32)
    return static_cast<int>(request.data.args[0]);
  if (static_cast<std::uint32_t>(request.data.args[0]) != kMakesSocket) return std::nullopt;
  return family_in_memory(request.pid, static_cast<std::uint32_t>(request.data.args[1]))
      .value_or(-1);
}

std::uint32_t process_of_thread(std::uint32_t tid) {
  std::ifstream status("/proc/" + std::to_string(tid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("Tgid:")) return static_cast<std::uint32_t>(std::stoul(line.substr(5)));
  return tid;
}

model::Event event_of(const policy::Decision& decision, std::uint32_t slot, int family,
                      std::uint32_t tid) {
  model::Event event;
  event.kind = model::Kind::connect;
  event.finding = decision.requested != model::Response::none;
  event.slot = slot;
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
  process.pid = process_of_thread(tid);
  process.tid = tid;
  event.process = process;
  model::Destination destination;
  destination.family = static_cast<std::uint16_t>(family);
  destination.protocol = "family-" + std::to_string(family);
  event.destination = destination;
  event.held_mask = decision.held;
  event.blocking_mask = decision.blocking;
  return event;
}

}  // namespace

std::optional<model::Event> answer_family_request(int listener, const kernel::Sensor& sensor) {
  seccomp_notif request{};
  if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) return std::nullopt;
  seccomp_notif_resp answer{};
  answer.id = request.id;
  std::optional<model::Event> event;
  const std::optional<int> family = asked_family(request);
  const std::uint32_t process = process_of_thread(request.pid);
  const Descriptor pidfd = open_pidfd(static_cast<pid_t>(process));
  auto state = sensor.state_of(pidfd.get());
  bool refused = false;
  if (family && state && state->slot != 0 && (*family < 0 || !is_seen(*family))) {
    const policy::Decision decision = policy::decide_destination(
        sensor,
        {.slot = state->slot,
         .held = state->held,
         .readers = {},
         .now_boot_ns = SystemClock().boot_ns()},
        {.address = {}, .port = 0, .protocol = 0, .own = false, .other = true});
    event = event_of(decision, state->slot, std::max(*family, 0), request.pid);
    refused =
        decision.effect != model::Effect::allowed && decision.effect != model::Effect::alerted;
    if (decision.effect == model::Effect::killed || decision.effect == model::Effect::task_killed)
      static_cast<void>(::syscall(SYS_pidfd_send_signal, pidfd.get(), 9, nullptr, 0));
  }
  if (refused)
    answer.error = -EPERM;
  else
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  static_cast<void>(::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
  return event;
}

}  // namespace ambit::pipeline
