// SPDX-License-Identifier: Apache-2.0
// The forms that a path pattern may have (DESIGN §5). Every other form is refused by its name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/policy/document_form.h"

namespace ambit::policy {

enum class PatternRoot : std::uint8_t {
  absolute,  ///< `/…`
  home,      ///< `~/…`: below every home directory
  anywhere,  ///< `**/name`: components hold that one name
};

/// A pattern taken apart. At most one `*` stands in all components together, and none where
/// `subtree` is set.
struct PatternForm {
  PatternRoot root = PatternRoot::absolute;
  std::vector<std::string> components;  ///< without the final `**`
  bool subtree = false;                 ///< `dir/**`: everything below the components
  std::optional<std::size_t> star;      ///< which component has the `*`
};

/// `text` without a leading `!`. What globs write as `?`, `[a-z]`, `{a,b}` or `\x` is refused,
/// since taking it literally would silently leave a secret out; a lone `[` (as in /usr/bin/[) is a
/// letter.
[[nodiscard]] Formed<PatternForm> parse_pattern_form(std::string_view text);

/// Whether `moved` (a value of relocatedBy) names the pattern itself or a directory that it lies
/// in.
[[nodiscard]] bool is_moved_by(std::string_view pattern, std::string_view moved);

/// Where the pattern is when `moved` is at `to` instead: ("~/.codex/auth.json", "~/.codex", "/x")
/// is /x/auth.json. Nothing if `moved` does not move it.
[[nodiscard]] std::optional<std::string> relocated_pattern(std::string_view pattern,
                                                           std::string_view moved,
                                                           std::string_view to);

}  // namespace ambit::policy
