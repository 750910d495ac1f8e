// SPDX-License-Identifier: Apache-2.0
// Bytes from outside as text (docs/EVENTS.md, "Bytes that are no text").
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ambit {

/// One code point at the front of `bytes`; size 0: no valid UTF-8 stands there (or nothing does).
struct CodePoint {
  char32_t value = 0;
  std::size_t size = 0;
};

[[nodiscard]] CodePoint first_code_point(std::string_view bytes);

/// True when a `\` at `at` stands before `x` and two hexadecimal digits.
[[nodiscard]] bool looks_like_escape(std::string_view bytes, std::size_t at);

/// Always valid UTF-8: a byte that is no UTF-8 becomes `\xHH`; a backslash that would read as such
/// an escape becomes `\x5c`; everything else, control characters too, stays.
[[nodiscard]] std::string to_utf8(std::string_view bytes);

/// The bytes that to_utf8 was given.
[[nodiscard]] std::string from_utf8(std::string_view text);

/// For a terminal: what could move the cursor, reorder or hide text is written out (`\x1b`, `\n`,
/// `\u{202e}`), and more than `limit` bytes are cut from the middle.
[[nodiscard]] std::string to_terminal(std::string_view bytes, std::size_t limit = 512);

}  // namespace ambit
