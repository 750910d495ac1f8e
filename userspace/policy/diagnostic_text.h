// SPDX-License-Identifier: Apache-2.0
// Bytes from files as text that is safe to show, and guesses at what was meant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ambit::policy {

/// Where the first byte stands that is not UTF-8 (RFC 3629: no surrogates, nothing overlong).
[[nodiscard]] std::optional<std::size_t> first_non_utf8(std::string_view bytes);

/// Whether a terminal would obey, reorder by or hide any character of it.
[[nodiscard]] bool has_invisible_characters(std::string_view text);

enum class Tabs : std::uint8_t { escape, keep };

/// As to_terminal(), whole, and with tabs kept where they are wanted.
[[nodiscard]] std::string printable(std::string_view bytes, Tabs tabs = Tabs::escape);

/// What stands before a caret below printable(line, keep): blanks, and tabs where the line has
/// them.
[[nodiscard]] std::string caret_indent(std::string_view line, std::size_t bytes_before);

/// In double quotes, shortened when long; for messages.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// The candidate nearest to `word` by edit distance, if near enough to be a slip.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      std::span<const std::string_view> candidates);

}  // namespace ambit::policy
