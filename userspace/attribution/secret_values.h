// SPDX-License-Identifier: Apache-2.0
// The values of named members: `{"token": {"value": "X"}}`, also with the quotes of a shell string.
#pragma once

#include <string_view>
#include <vector>

#include "userspace/attribution/text_span.h"

namespace ambit::attribution {

/// Values that a secret's name stands before, in order, none within another. Reads text that is no
/// whole JSON too: a command line that holds some, a text cut short, a Python or Ruby literal. So
/// nothing but the values changes: JSON written anew would have other spaces, numbers and doubles.
[[nodiscard]] std::vector<Span> secret_values(std::string_view text);

}  // namespace ambit::attribution
