// SPDX-License-Identifier: Apache-2.0
// What the portable backend has beside its programs: fanotify answers for files, a seccomp filter
// for the address families of commands that Ambit starts.
#pragma once

#include <string>
#include <vector>

#include "userspace/pipeline/prove.h"

namespace ambit::pipeline {

/// A child opens `path`, and reads what is open of it; a permission group of its own refuses both.
[[nodiscard]] std::vector<Attempt> try_fanotify(const std::string& path);

/// A child under a filter makes a socket of another family.
[[nodiscard]] Attempt try_seccomp();

}  // namespace ambit::pipeline
