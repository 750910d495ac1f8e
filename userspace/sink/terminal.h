// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "userspace/model/event.h"

namespace ambit::sink {

/// A finding as two lines for a person, each ended: what was stopped, and which scope line would
/// allow it. A loss is one line. Empty for events that are neither.
[[nodiscard]] std::string render_for_terminal(const model::Event& event, bool colour);

}  // namespace ambit::sink
