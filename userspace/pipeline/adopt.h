// SPDX-License-Identifier: Apache-2.0
// Puts a process that runs already into a task.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "userspace/base/descriptor.h"
#include "userspace/kernel/sensor.h"
#include "userspace/pipeline/task_service.h"

namespace ambit::pipeline {

/// Whether the process behind the descriptor is there and no zombie.
[[nodiscard]] bool is_alive(int pidfd);

/// A thread that is not the first of its process: since 6.9 (PIDFD_THREAD, which is O_EXCL).
[[nodiscard]] Descriptor open_thread(std::uint32_t tid);

/// A process that may be adopted: alive, no kernel thread, nothing of Ambit's, in no task.
[[nodiscard]] Answer<Descriptor> find_process(const kernel::Sensor& sensor, std::int32_t pid);

/// Binds every thread of the process and of what it has started and is still below it, unless that
/// is in a task already. Whatever they start from then on inherits.
[[nodiscard]] Answer<void> adopt(kernel::Sensor& sensor, std::int32_t pid, int pidfd,
                                 std::uint32_t slot);

/// All processes of the tree, as they are now. More than `most` are refused: whoever made them may
/// want to keep the daemon busy.
[[nodiscard]] Answer<std::set<std::uint32_t>> list_tree(std::int32_t pid, std::size_t most);

/// Moves the process and what is below it from one task into another of the same family, with what
/// they hold. What of the tree is in no task or in a third one stays where it is, as does what is
/// below the process no more, because who started it has ended.
[[nodiscard]] Answer<void> move_tree(kernel::Sensor& sensor, std::int32_t pid, int pidfd,
                                     std::uint32_t from, std::uint32_t to);

/// All of a task into another one; whether none is left behind.
[[nodiscard]] bool move_all(kernel::Sensor& sensor, std::uint32_t from, std::uint32_t to);

/// Takes all of a task out again; its processes go on unbound.
void let_all_go(kernel::Sensor& sensor, std::uint32_t slot);

/// A live process of the task; empty where none is left. What is listed and gone is forgotten.
[[nodiscard]] Descriptor living_member(kernel::Sensor& sensor,
                                       const std::vector<kernel::Sensor::Member>& members,
                                       std::uint32_t slot);

/// Tasks of processes that Ambit did not start can be had only where Ambit sees the host's numbers.
[[nodiscard]] Result<void> check_pid_namespace();

}  // namespace ambit::pipeline
