// SPDX-License-Identifier: Apache-2.0
// Whether what one list of destinations reaches is reached by another as well. Unix sockets are not
// judged here: the tables of paths hold them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/model/documents.h"

namespace ambit::policy {

/// What of `rule` may lie outside `allowed`, as "example.com port 443 (tcp)"; nothing where all of
/// it surely lies within. A name is compared as a name: what it means is looked up, for both lists
/// alike. Ports may come from several rules of `allowed`, the place must lie in each of them.
[[nodiscard]] std::optional<std::string> outside_of(
    const std::vector<model::DestinationRule>& allowed, const model::DestinationRule& rule);

}  // namespace ambit::policy
