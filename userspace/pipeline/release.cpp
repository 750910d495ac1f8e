// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/release.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "userspace/base/pidfd.h"
#include "userspace/kernel/pinned_members.h"
#include "userspace/pipeline/adopt.h"

namespace ambit::pipeline {

namespace {

/// It would take its tasks back, or open others.
Result<int> end_daemon(const std::string& state) {
  const int pid = owner_of(state);
  if (pid <= 0) return 0;
  const Descriptor process = open_pidfd(pid);
  if (!process.valid() || owner_of(state) != pid) return 0;
  constexpr int kPatienceMs = 10000;
  pollfd wait{.fd = process.get(), .events = POLLIN, .revents = 0};
  if (::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) != 0 ||
      ::poll(&wait, 1, kPatienceMs) != 1)
    return fail_errno("cannot end the daemon, process " + std::to_string(pid));
  return pid;
}

/// Whoever is not let go yet may start others meanwhile.
Result<std::vector<std::uint32_t>> let_members_go(const std::string& pins) {
  std::set<std::uint32_t> gone;
  const auto members = kernel::PinnedMembers::open(pins);
  if (!members && members.error().code == ENOENT) return std::vector<std::uint32_t>();
  if (!members) return std::unexpected(members.error());
  constexpr int kRounds = 1000;
  for (int round = 0; round < kRounds; ++round) {
    const auto threads = members->list();
    if (threads.empty()) return std::vector<std::uint32_t>(gone.begin(), gone.end());
    for (const auto& thread : threads) {
      const Descriptor handle = thread.tid == thread.pid ? open_pidfd(static_cast<int>(thread.pid))
                                                         : open_thread(thread.tid);
      if (handle.valid() && is_alive(handle.get())) gone.insert(thread.pid);
      members->let_go(thread.tid, handle.get());
    }
  }
  return fail("processes of tasks start others faster than they can be let go");
}

}  // namespace

Result<Released> release_all(const Places& places) {
  Released released;
  std::error_code error;
  if (!std::filesystem::exists(places.state, error) && !std::filesystem::exists(places.pins, error))
    return released;
  auto daemon = end_daemon(places.state);
  if (!daemon) return std::unexpected(daemon.error());
  released.daemon = *daemon;
  auto estate = Estate::enter(places);
  if (!estate) return std::unexpected(estate.error());
  auto processes = let_members_go(estate->pins());
  if (!processes) return std::unexpected(processes.error());
  released.processes = std::move(*processes);
  auto pins = estate->remove_pins();
  if (!pins) return std::unexpected(pins.error());
  released.pins = *pins;
  estate->remove_documents();
  // Holders see within a second that nobody is in a task, and end; their hooks go with them.
  std::filesystem::remove(places.pins, error);
  return released;
}

}  // namespace ambit::pipeline
