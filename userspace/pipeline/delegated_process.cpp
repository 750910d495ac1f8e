// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/delegated_process.h"

#include <linux/capability.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>

#include "userspace/base/pidfd.h"
#include "userspace/pipeline/adopt.h"

namespace ambit::pipeline {

namespace {

std::optional<ProcessStatus> status_of(std::int32_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  return parse_status(std::string(std::istreambuf_iterator<char>(file), {}));
}

/// The number of a namespace of a process; 0: it is gone.
ino_t namespace_of(std::int32_t pid, const char* name) {
  struct stat facts{};
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/" + name;
  return ::stat(path.c_str(), &facts) == 0 ? facts.st_ino : 0;
}

/// The caller's number is one of his own PID namespace. Another namespace below it numbers the same
/// process otherwise, and is not looked into.
std::optional<std::int32_t> as_the_host_numbers(const kernel::Sensor& sensor,
                                                const Delegator& caller, std::int32_t pid,
                                                std::uint32_t slot) {
  const ino_t callers = namespace_of(caller.pid, "pid");
  if (callers == 0) return std::nullopt;
  if (callers == namespace_of(::getpid(), "pid")) return pid;
  for (const std::uint32_t member : sensor.members(slot)) {
    const auto number = static_cast<std::int32_t>(member);
    const auto status = status_of(number);
    if (status && !status->numbers.empty() && status->numbers.back() == pid &&
        namespace_of(number, "pid") == callers)
      return number;
  }
  return std::nullopt;
}

std::unexpected<Refusal> not_of_the_task(std::int32_t pid) {
  return refuse(RefusalCode::no_such_process,
                "there is no process " + std::to_string(pid) + " in the caller's task");
}

}  // namespace

std::optional<ProcessStatus> parse_status(std::string_view text) {
  ProcessStatus out;
  bool users = false;
  bool powers = false;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string key;
    words >> key;
    if (key == "Uid:") {
      users = static_cast<bool>(words >> out.real >> out.effective >> out.saved);
    } else if (key == "NSpid:") {
      for (std::int32_t number = 0; words >> number;) out.numbers.push_back(number);
    } else if (key == "CapEff:") {
      std::uint64_t mask = 0;
      powers = static_cast<bool>(words >> std::hex >> mask);
      out.may_kill = (mask >> CAP_KILL & 1U) != 0;
    }
  }
  if (!users || !powers) return std::nullopt;
  return out;
}

bool may_signal(const ProcessStatus& caller, const ProcessStatus& target,
                bool same_user_namespace) {
  for (const std::uint32_t own : {caller.real, caller.effective})
    if (own == target.real || own == target.saved) return true;
  return caller.may_kill && same_user_namespace;
}

Answer<DelegatedProcess> find_delegated(const kernel::Sensor& sensor, const Delegator& caller,
                                        std::int32_t pid, std::uint32_t slot) {
  const auto host = as_the_host_numbers(sensor, caller, pid, slot);
  if (!host) return not_of_the_task(pid);
  DelegatedProcess found{.pid = *host, .pidfd = open_pidfd(*host)};
  const auto own = found.pidfd.valid() && is_alive(found.pidfd.get())
                       ? sensor.slot_of(found.pidfd.get())
                       : Result<std::uint32_t>(0U);
  if (!own || *own != slot) return not_of_the_task(pid);
  const auto asks = status_of(caller.pid);
  const auto given = status_of(found.pid);
  const ino_t users = namespace_of(caller.pid, "user");
  const bool same = users != 0 && users == namespace_of(found.pid, "user");
  // What was read is the callers' as long as both are there.
  if (!asks || !is_alive(caller.pidfd))
    return refuse(RefusalCode::not_allowed, "the caller has ended");
  if (!given || !is_alive(found.pidfd.get())) return not_of_the_task(pid);
  if (asks->effective != caller.uid)
    return refuse(RefusalCode::not_allowed,
                  "the caller has become another user since it connected: connect again");
  if (!may_signal(*asks, *given, same))
    return refuse(RefusalCode::not_allowed, "process " + std::to_string(pid) +
                                                " is another user's, whom the caller may not "
                                                "signal");
  return found;
}

}  // namespace ambit::pipeline
