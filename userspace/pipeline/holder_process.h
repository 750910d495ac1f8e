// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/pipeline/holder_shared.h"

namespace ambit::pipeline {

/// Forks a holder that serves until it is told to stop or its supervisor ends. Its pid, or -1.
[[nodiscard]] int spawn_holder(const HolderContext& context);

}  // namespace ambit::pipeline
