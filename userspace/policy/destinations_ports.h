// SPDX-License-Identifier: Apache-2.0
// The statements of one address set -> its port entries, where the longest match decides alone.
#pragma once

#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/model/policy.h"
#include "userspace/policy/destinations_statement.h"

namespace ambit::policy {

/// `chosen` are indices into `all`. Entries come sorted, with set 0. `work` counts down by what was
/// written, so that the caller bounds many calls together; at 0 this fails.
[[nodiscard]] Result<std::vector<model::CompiledPort>> compile_ports(
    const std::vector<Statement>& all, const std::vector<std::uint32_t>& chosen, std::size_t& work);

/// Equal bytes for equal entries, whatever their set.
[[nodiscard]] std::string content_of(const std::vector<model::CompiledPort>& ports);

}  // namespace ambit::policy
