// SPDX-License-Identifier: Apache-2.0
// The pieces of which scopes are drawn.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "tests/within/world.h"

namespace ambit::policy::within {

using Rules = std::vector<model::DestinationRule>;
using Patterns = std::vector<model::Pattern>;

inline constexpr std::array kStars{"*", "a*", "*b", "a*b", "aa*"};
inline constexpr std::array kHosts{"a.x", "b.x", "c.a.x", "a.y", "*.x", "*.a.x", "*.y"};
inline constexpr std::array kSockets{"/run/a",  "/run/ab", "/run/*", "/run/a*", "/run/agent",
                                     "/run/**", "/o/**",   "@a",     "@b",      "/b/a"};

[[nodiscard]] model::Pattern draw_pattern(Dice& dice);
/// What is left out last, if anything is.
[[nodiscard]] Patterns draw_patterns(Dice& dice);
[[nodiscard]] model::DestinationRule draw_rule(Dice& dice);
[[nodiscard]] Rules draw_rules(Dice& dice);
[[nodiscard]] model::ScopeCredential draw_credential(Dice& dice, std::string name);

}  // namespace ambit::policy::within
