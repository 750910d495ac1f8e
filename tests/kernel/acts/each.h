// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/kernel/acts/act.h"

namespace ambit::acts {

/// each PLAN: performs each act of a JSON file ([{"name": …, "argv": […]}, …]), each in a process
/// of its own, and prints one line of JSON for each: what it printed, how it ended. So one task
/// serves for many tries, and one that is killed takes none of the others with it.
int perform_each(const Words& words);

}  // namespace ambit::acts
