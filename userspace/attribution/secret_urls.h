// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace ambit::attribution {

/// `https://TOKEN@host/`: a user without a password, where that is a token and no name. The name
/// stays where it can be told: `git`, and whoever logs in by SSH. With a password only a user that
/// is as long as a token, or beside what stands for none: `https://TOKEN:x-oauth-basic@host/`.
void redact_url_users(std::string& text);

}  // namespace ambit::attribution
