// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "userspace/attribution/text_span.h"

namespace ambit::attribution {

/// The secrets among words that stand as values of flags; each word is rewritten in place.
void redact_words(std::vector<std::string>& words);

/// The words of a shell command line, quotes included; `;`, `|` and `&` end a word.
[[nodiscard]] std::vector<Span> shell_words(std::string_view text);

}  // namespace ambit::attribution
