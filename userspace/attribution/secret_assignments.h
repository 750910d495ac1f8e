// SPDX-License-Identifier: Apache-2.0
// `password = "X"`, `GITHUB_PAT=X`, `&otp=X`, `token%3DX`: values behind a name, in any text.
#pragma once

#include <string>

namespace ambit::attribution {

void redact_assignments(std::string& text);

/// `DB_PASSWORD=…`: a variable given as an argument of its own; the secret is all that follows.
[[nodiscard]] bool redact_variable(std::string& argument);

}  // namespace ambit::attribution
