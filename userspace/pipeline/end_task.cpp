// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/end_task.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "userspace/base/descriptor.h"
#include "userspace/base/pidfd.h"

namespace ambit::pipeline {

bool kill_members(const kernel::Sensor& sensor, std::uint32_t slot) {
  bool there = false;
  for (const std::uint32_t pid : sensor.members(slot)) {
    const Descriptor process = open_pidfd(static_cast<pid_t>(pid));
    if (!process.valid()) continue;
    auto owner = sensor.slot_of(process.get());
    if (!owner || *owner != slot) continue;
    if (::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) == 0) there = true;
  }
  return there;
}

void end_task(const kernel::Sensor& sensor, std::uint32_t slot) {
  // New processes cannot appear once every one has been signalled; a few turns see to the rest.
  constexpr int kTurns = 200;
  for (int turn = 0; turn < kTurns && kill_members(sensor, slot); ++turn)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

}  // namespace ambit::pipeline
