// SPDX-License-Identifier: Apache-2.0
// What of Ambit itself no process of a task may touch: its processes, its program, its event file.
// On `portable` no hook would look at it, and nothing is written down.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/kernel/sensor.h"

namespace ambit::pipeline {

/// This process. Each process of Ambit's calls it for itself.
[[nodiscard]] Result<void> guard_own_process(kernel::Sensor& sensor);

/// The program file that runs now, as the kernel keeps it. To be asked before chroot(): behind it
/// /proc says no more on which device a file outside lies.
[[nodiscard]] Result<model::FileId> own_program();
[[nodiscard]] Result<void> guard_own_program(kernel::Sensor& sensor,
                                             std::optional<model::FileId> known = {});

/// A file to which events are written, with the directories on its way; what is no file or named
/// pipe (a terminal, standard output) has nothing that could be replaced.
[[nodiscard]] Result<void> guard_event_file(kernel::Sensor& sensor, const std::string& path);

/// Files and directories that are Ambit's alone.
[[nodiscard]] Result<void> guard_own_files(kernel::Sensor& sensor,
                                           const std::vector<std::string>& paths);
/// Whether that was called for the file: what a task may have put beside Ambit's own was not made
/// by Ambit. Nothing is written down on `portable`, where no task is kept from them.
[[nodiscard]] bool is_own_file(const kernel::Sensor& sensor, const std::string& path);

}  // namespace ambit::pipeline
