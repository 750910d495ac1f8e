// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/run.h"

#include "userspace/pipeline/inherited.h"
#include "userspace/pipeline/run_session.h"

namespace ambit::pipeline {

RunOutcome run(const RunOptions& options) {
  RunSession session(options, inherited_descriptors());
  if (auto ready = session.set_up(); !ready) return {.error = ready.error().message};
  auto status = session.serve();
  const auto finished = session.finish();
  RunOutcome outcome{.exit_status = kOwnFailure, .error = {}, .findings = session.findings()};
  if (!status) {
    outcome.exit_status = status.error().exit_status;
    outcome.error = status.error().message;
    return outcome;
  }
  // Whoever relies on the events must not take the command's success for theirs.
  if (!finished) {
    outcome.error = finished.error().message;
    return outcome;
  }
  outcome.exit_status = *status;
  return outcome;
}

}  // namespace ambit::pipeline
