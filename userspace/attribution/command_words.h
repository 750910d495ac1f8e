// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/attribution/text_span.h"

namespace ambit::attribution {

/// The secrets among words that stand as values of flags; each word is rewritten in place.
void redact_words(std::vector<std::string>& words);

/// The words of a shell command line, quotes included; `;`, `|` and `&` end a word. Double quotes
/// stand behind as many backslashes as `escapes` says: within a string of a string there are some.
[[nodiscard]] std::vector<Span> shell_words(std::string_view text, std::size_t escapes);

/// `mysql` of `/usr/bin/mysql`
[[nodiscard]] std::string_view base_name(std::string_view word);

/// The quote that a word begins and ends with, with the backslashes before it; empty: it is not
/// quoted.
[[nodiscard]] std::string_view quote_around(std::string_view word);

}  // namespace ambit::attribution
