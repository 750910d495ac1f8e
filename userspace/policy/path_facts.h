// SPDX-License-Identifier: Apache-2.0
// A path of the file system as decisions see it.
#pragma once

#include <string>

#include "userspace/policy/decide.h"
#include "userspace/policy/filesystem.h"

namespace ambit::policy {

/// Each component of `path` with the directory that it stands in; false when it is not there any
/// more. `facts` keeps views of `path`.
[[nodiscard]] bool take_facts(const FileSystem& files, const std::string& path, PathFacts& facts);

}  // namespace ambit::policy
