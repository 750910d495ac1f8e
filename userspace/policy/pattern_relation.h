// SPDX-License-Identifier: Apache-2.0
// How two patterns stand to each other, as names alone: absolute ones and `**/name`.
#pragma once

#include "userspace/policy/pattern_form.h"

namespace ambit::policy {

/// Whether every path that `inner` names is one that `outer` names.
[[nodiscard]] bool covers(const PatternForm& outer, const PatternForm& inner);

/// Whether there may be a path that both name.
[[nodiscard]] bool may_meet(const PatternForm& a, const PatternForm& b);

}  // namespace ambit::policy
