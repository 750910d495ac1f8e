// SPDX-License-Identifier: Apache-2.0
// What no process of a task may do, and what a scope may grant.
#pragma once

#include <string>
#include <vector>

#include "tests/kernel/fixture/plan.h"

namespace ambit::probe {

/// In words: `@` is a directory of the way's own, `%` the monitor (outside a task: a process that
/// nobody needs), `#` a holder, `&` the number of a process outside, `!` the file in which it says
/// where its secret is, `$` the event file, `^` its directory.
struct GuardedWay {
  std::string name;
  Words argv;
  std::string reason;
  std::string operation;
  std::string privilege{};       ///< that allows it; empty: nothing does
  bool may_be_silent = false;    ///< refused without a finding
  bool succeeds_anyway = false;  ///< the call does, and the effect is missing
  bool by_numbers = false;       ///< the system call's numbers say it all: portable is asked
};

void PrintTo(const GuardedWay& way, std::ostream* out);

[[nodiscard]] const std::vector<GuardedWay>& guarded_ways();

}  // namespace ambit::probe
