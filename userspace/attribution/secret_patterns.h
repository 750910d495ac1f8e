// SPDX-License-Identifier: Apache-2.0
// Secrets that are known by how they look, wherever in a text they stand.
#pragma once

#include <string>
#include <string_view>

namespace ambit::attribution {

inline constexpr std::string_view kRedacted = "[redacted]";

/// Headers, URLs, assignments, tokens with a known prefix and private keys in `text` are rewritten.
void redact_patterns(std::string& text);

/// `--password`, `--githubToken`, `-storepass`: the value that follows is a secret.
[[nodiscard]] bool is_secret_flag(std::string_view name);

/// `aws_secret_access_key`, `//host/:_authToken`: a setting's name, given as a word of its own.
[[nodiscard]] bool is_secret_setting(std::string_view word);

}  // namespace ambit::attribution
