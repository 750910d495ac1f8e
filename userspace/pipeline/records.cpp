// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/records.h"

#include <utility>

namespace ambit::pipeline {

Turn take_records(kernel::Sensor& sensor, Holders& holders, Stream& stream, Journal* journal) {
  const auto keep = [&stream](std::span<const std::byte> record) { stream.keep(record); };
  // What explains a record was written before it, over one of those that come after: a holder's
  // opening before the connection, the execution before whatever the new program does.
  const auto findings = sensor.drain_findings();
  holders.drain(keep);
  const auto observations = sensor.drain_observations();
  const bool taken = findings.value_or(0) + observations.value_or(0) > 0;
  // What comes while these are written belongs to the next turn.
  holders.mark();
  if (journal != nullptr) journal->mark();
  // Writing is slower than what a flood makes: findings are taken in meanwhile, or their ring is
  // full before the turn comes to them.
  stream.deliver([&] {
    static_cast<void>(sensor.drain_findings());
    holders.drain_findings(keep);
  });
  Turn turn{.more = stream.waits() || taken, .written = stream.flush()};
  if (turn.written) {
    holders.written();
    if (journal != nullptr) journal->written();
  }
  return turn;
}

void report_losses(const kernel::Sensor& sensor, const Holders& holders, Stream& stream) {
  using model::LossCause;
  stream.report_losses(sensor.losses());
  const HolderShared& shared = holders.shared();
  for (const auto& [cause, counter] : {std::pair{LossCause::pipe_full, &shared.pipe_full},
                                       std::pair{LossCause::holder_replaced, &shared.replaced},
                                       std::pair{LossCause::read_failed, &shared.undecided},
                                       std::pair{LossCause::mark_failed, &shared.mark_failed},
                                       std::pair{LossCause::watch_failed, &shared.watch_failed}})
    stream.count_loss(model::Ring::holder, cause, counter->load());
  stream.count_loss(model::Ring::findings, LossCause::pipe_full, shared.findings_lost.load());
  if (sensor.backend() == model::Backend::fmod_ret)
    stream.count_loss(model::Ring::findings, LossCause::program_skipped, sensor.skipped_programs());
}

}  // namespace ambit::pipeline
