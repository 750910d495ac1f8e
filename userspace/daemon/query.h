// SPDX-License-Identifier: Apache-2.0
// What stands behind the `?` of a request.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "userspace/base/result.h"

namespace ambit::daemon {

using Query = std::map<std::string, std::string>;

/// `a=b&c=d` with %XX; the error is a sentence. `known` are the keys that may stand in it, with
/// spaces between. Each at most once, none without a value; a value is UTF-8.
[[nodiscard]] Result<Query> parse_query(std::string_view text, std::string_view known);

/// A value as it is written in a query.
[[nodiscard]] std::string in_query(std::string_view value);

}  // namespace ambit::daemon
