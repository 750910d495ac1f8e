// SPDX-License-Identifier: Apache-2.0
// What every case came to on this kernel, for people (docs/CONTAINMENT.md): one line of JSON each.
#pragma once

#include <string>

#include "tests/kernel/evasion/runs.h"

namespace ambit::probe::evasion {

/// What a case came to in a phase.
struct Verdict {
  bool applicable = false;
  Result result = Result::missed;
  std::string cause;                ///< why it is not applicable, or what is wrong
  std::vector<std::string> faults;  ///< an event that lies, an act that did not end
};

/// The control decides first whether the case applies on this machine.
[[nodiscard]] Verdict verdict_of(const Case& way, Phase phase);

/// The least that the backend under test has to give, and the sentence where that is not the best.
[[nodiscard]] Result wanted_of(const Case& way);
[[nodiscard]] const Short* short_of(const Case& way);

[[nodiscard]] std::string kernel_release();

/// "D", "K", "A", "U" (denied, unreported) or "-".
[[nodiscard]] std::string letter_of(Result result);

/// Adds a line to $AMBIT_RESULTS/containment.jsonl, when that is set.
void write_result(const Json& line);
void write_result(const Case& way, Phase phase, const Verdict& verdict);

}  // namespace ambit::probe::evasion
