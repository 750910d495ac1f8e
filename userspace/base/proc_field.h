// SPDX-License-Identifier: Apache-2.0
// Fields of the files below /proc that have a word and a value on each line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ambit {

/// What stands behind `word` at the start of a line, without the blanks around it; nothing where
/// there is no such line, or no such file any more.
[[nodiscard]] std::optional<std::string> proc_field(const std::string& path, std::string_view word);

/// The first number there: `Uid:` of a status has four.
[[nodiscard]] std::optional<std::uint64_t> proc_number(const std::string& path,
                                                       std::string_view word, int base = 10);

}  // namespace ambit
