// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "userspace/kernel/sensor.h"

namespace ambit::pipeline {

/// Leaves it to a process of its own to detach the hooks once this one has ended. Detaching one
/// waits for the kernel until no processor can be in it any more: 0.1 to 0.4 s each for 50 hooks in
/// a 6.12 guest, for which whoever waits for `ambit run` should not have to wait as well. Where no
/// process can be made, the caller detaches and waits, as without this.
void leave_hooks(const kernel::Sensor& sensor);

}  // namespace ambit::pipeline
