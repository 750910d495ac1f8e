// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "userspace/cli/check.h"
#include "userspace/cli/command.h"
#include "userspace/cli/daemon.h"
#include "userspace/cli/doctor.h"
#include "userspace/cli/events.h"
#include "userspace/cli/release.h"
#include "userspace/cli/run.h"
#include "userspace/cli/task.h"

namespace ambit::cli {
namespace {

// One line for each command; help, suggestions and dispatch come from here.
constexpr std::array kCommands{
    Command{"run", "start a command bound to a task scope", run_command},
    Command{"check", "check scopes and credentials, and show every mistake with its place",
            check_command},
    Command{"daemon", "serve tasks of running processes on a Unix socket", daemon_command},
    Command{"task", "open, change, close, list and show tasks of the daemon", task_command},
    Command{"status", "say whether the daemon is ready", status_command},
    Command{"events", "show the daemon's events, those in memory and those to come",
            events_command},
    Command{"reload", "have the daemon read its catalogue and scopes anew", reload_command},
    Command{"release", "take the daemon, its tasks and all that it pinned away", release_command},
    Command{"doctor", "say what this machine can enforce, and how to get more", doctor_command},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace ambit::cli
