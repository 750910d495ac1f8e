// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "userspace/base/result.h"

namespace ambit::policy {

/// The bytes of a small system file (resolv.conf, passwd); more than 4 MiB is an error, and so is
/// anything but a regular file. `code` of the error is the errno.
[[nodiscard]] Result<std::string> read_system_file(const std::string& path);

}  // namespace ambit::policy
