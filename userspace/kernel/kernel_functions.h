// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <unordered_set>

#include "userspace/base/result.h"

namespace ambit::kernel {

using FunctionNames = std::unordered_set<std::string_view>;

/// Those of `wanted` that the running kernel's type information (BTF) has as functions, so that
/// programs can be attached to them. Fails where the kernel has no such information.
[[nodiscard]] Result<FunctionNames> functions_of_kernel(const FunctionNames& wanted);

}  // namespace ambit::kernel
