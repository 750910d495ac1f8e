// SPDX-License-Identifier: Apache-2.0
#include "userspace/kernel/version.h"

#include "bpf/abi.h"

namespace ambit::kernel {

int abi_version() { return AMBIT_ABI_VERSION; }

}  // namespace ambit::kernel
