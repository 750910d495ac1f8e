// SPDX-License-Identifier: Apache-2.0
// Secrets that are known by how they look, wherever in a text they stand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ambit::attribution {

inline constexpr std::string_view kRedacted = "[redacted]";

/// Headers, URLs, elements, tokens with a known prefix and private keys in `text` are rewritten.
void redact_patterns(std::string& text);

/// What of a member's value is a secret, by the member's name: `"auth": true` is none.
enum class Secrecy : std::uint8_t { none, of_texts, of_all };
[[nodiscard]] Secrecy secrecy_of(std::string_view name);

/// `{"name": "DB_PASSWORD", "value": "X"}`
[[nodiscard]] bool is_name_name(std::string_view name);
[[nodiscard]] bool is_value_name(std::string_view name);

}  // namespace ambit::attribution
