// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace ambit::cli {

struct Version {
  std::string version;
  std::string commit;  ///< at build time; "unknown" where there was no git
  int abi = 0;         ///< of the contract with the BPF programs
};

[[nodiscard]] Version version();

/// "ambit 0.1.0 (commit 0123456789ab, ABI 1)"
[[nodiscard]] std::string version_line();

}  // namespace ambit::cli
