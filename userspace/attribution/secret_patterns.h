// SPDX-License-Identifier: Apache-2.0
// Secrets that are known by how they look, wherever in a text they stand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ambit::attribution {

inline constexpr std::string_view kRedacted = "[redacted]";

/// Headers, URLs, assignments, tokens with a known prefix and private keys in `text` are rewritten.
void redact_patterns(std::string& text);

/// `DB_PASSWORD=…`: a variable given as an argument of its own; the secret is all that follows.
[[nodiscard]] bool redact_variable(std::string& argument);

/// What of a member's value is a secret, by the member's name: `"auth": true` is none.
enum class Secrecy : std::uint8_t { none, of_texts, of_all };
[[nodiscard]] Secrecy secrecy_of(std::string_view name);

/// `{"name": "DB_PASSWORD", "value": "X"}`
[[nodiscard]] bool is_name_name(std::string_view name);
[[nodiscard]] bool is_value_name(std::string_view name);

/// `--password`, `--githubToken`, `-storepass`: the value that follows is a secret.
[[nodiscard]] bool is_secret_flag(std::string_view name);

/// `aws_secret_access_key`, `//host/:_authToken`: a setting's name, given as a word of its own.
[[nodiscard]] bool is_secret_setting(std::string_view word);

}  // namespace ambit::attribution
