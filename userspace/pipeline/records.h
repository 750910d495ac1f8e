// SPDX-License-Identifier: Apache-2.0
// One turn of the five stages: from the rings and the holders' pipes into the stream.
#pragma once

#include "userspace/kernel/sensor.h"
#include "userspace/pipeline/holders.h"
#include "userspace/pipeline/stream.h"

namespace ambit::pipeline {

struct Turn {
  bool more = false;     ///< there may be more to take at once
  Result<void> written;  ///< an error: what was taken waits in the sink
};

/// Takes what waits and writes it. The sensor must deliver to the stream, and to the journal if
/// there is one.
[[nodiscard]] Turn take_records(kernel::Sensor& sensor, Holders& holders, Stream& stream,
                                Journal* journal = nullptr);

/// What was lost since the last call, as events.
void report_losses(const kernel::Sensor& sensor, const Holders& holders, Stream& stream);

}  // namespace ambit::pipeline
