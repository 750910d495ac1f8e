// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/base/descriptor.h"
#include "userspace/pipeline/holder_shared.h"

namespace ambit::pipeline {

/// A permission group with all marks of the setup; invalid when it cannot be had. Enters the mount
/// namespace that is to be asked about.
[[nodiscard]] Descriptor make_group(const HolderContext& context);

}  // namespace ambit::pipeline
