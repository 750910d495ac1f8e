// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/version.h"

#include "ambit_version.h"
#include "userspace/kernel/version.h"

namespace ambit::cli {

Version version() {
  return {.version = AMBIT_VERSION, .commit = AMBIT_COMMIT, .abi = kernel::abi_version()};
}

std::string version_line() {
  const Version is = version();
  return "ambit " + is.version + " (commit " + is.commit + ", ABI " + std::to_string(is.abi) + ")";
}

}  // namespace ambit::cli
