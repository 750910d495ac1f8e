// SPDX-License-Identifier: Apache-2.0
// What stands behind the `?` of a request.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "userspace/base/result.h"

namespace ambit::daemon {

using Query = std::map<std::string, std::string>;

/// `a=b&c=d` as forms write it: %XX, and `+` for a space. `known` are the keys that may stand in
/// it, with spaces between: each at most once and none without a value, which is UTF-8 and has no
/// NUL. The error is a sentence.
[[nodiscard]] Result<Query> parse_query(std::string_view text, std::string_view known);

/// A value so that parse_query reads it.
[[nodiscard]] std::string percent_encoded(std::string_view value);

}  // namespace ambit::daemon
