// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace ambit::kernel {

/// Of the contract between the BPF programs and user space.
[[nodiscard]] int abi_version();

}  // namespace ambit::kernel
