// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/stream.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "userspace/kernel/decode.h"
#include "userspace/model/make_event.h"
#include "userspace/pipeline/end_task.h"
#include "userspace/pipeline/prove.h"
#include "userspace/sink/native.h"

namespace ambit::pipeline {

namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

}  // namespace

Result<std::size_t> TaskKiller::kill_task(std::uint32_t slot) {
  const std::size_t found = sensor_.members(slot).size();
  if (auto revoked = sensor_.revoke(slot, true); !revoked) return std::unexpected(revoked.error());
  end_task(sensor_, slot);
  return found;
}

Result<std::unique_ptr<Stream>> Stream::create(kernel::Sensor& sensor,
                                               const model::Catalogue& catalogue,
                                               std::optional<sink::NdjsonFile> file,
                                               Watcher watcher) {
  auto ulids = UlidSource::create();
  if (!ulids) return std::unexpected(ulids.error());
  return std::unique_ptr<Stream>(
      new Stream(sensor, catalogue, std::move(file), std::move(watcher), std::move(*ulids)));
}

Stream::Stream(kernel::Sensor& sensor, const model::Catalogue& catalogue,
               std::optional<sink::NdjsonFile> file, Watcher watcher, UlidSource ulids)
    : attribution_(processes_, clock_, registry_),
      correlator_(catalogue),
      killer_(sensor),
      file_(std::move(file)),
      watcher_(std::move(watcher)),
      ulids_(std::move(ulids)),
      host_(host_name()) {}

void Stream::go_on(const kernel::Tally& tally) {
  tally_ = tally;
  seq_ = *tally.seq;
  findings_ = *tally.findings;
  for (std::size_t i = 0; i < tally.reported.size(); ++i)
    counted_[{static_cast<model::Ring>(i / model::kLossCauses.size()),
              static_cast<model::LossCause>(i % model::kLossCauses.size())}] = {
        .reported = tally.reported[i], .since_ns = static_cast<std::int64_t>(*tally.told_ns)};
  using model::LossCause;
  malformed_ = counted_[{model::Ring::observations, LossCause::record_malformed}].reported;
  unknown_ = counted_[{model::Ring::observations, LossCause::record_unknown}].reported;
}

void Stream::number(model::Event& event) {
  event.seq = ++seq_;
  event.id = ulids_.next(event.time_ns);
  // Before it is written: a number that was given and not used is a gap, and none comes twice.
  if (tally_.seq != nullptr) *tally_.seq = seq_;
}

void Stream::open_task(const std::shared_ptr<const model::Task>& task,
                       correlation::TaskTable table) {
  registry_.add(task);
  correlator_.open_task(task->slot, std::move(table));
}

void Stream::change_task(const std::shared_ptr<const model::Task>& task,
                         correlation::TaskTable table) {
  registry_.add(task);
  correlator_.change_task(task->slot, std::move(table));
}

void Stream::close_task(std::uint32_t slot) {
  registry_.remove(slot);
  correlator_.close_task(slot);
}

correlation::Figures Stream::figures(std::uint32_t slot) const {
  const correlation::Figures* const known = correlator_.figures(slot);
  return known == nullptr ? correlation::Figures() : *known;
}

void Stream::keep(std::span<const std::byte> record) {
  if (const auto fork = kernel::decode_fork(record)) {
    if (!is_proof_slot(fork->slot)) forks_.push_back(*fork);
    return;
  }
  auto event = kernel::decode(record);
  if (!event) {
    ++(event.error() == model::LossCause::record_unknown ? unknown_ : malformed_);
    return;
  }
  if (is_proof_slot(event->slot)) return;
  kept_.push_back(std::move(*event));
}

void Stream::deliver(const std::function<void()>& between) {
  constexpr std::size_t kBetween = 64;
  std::ranges::stable_sort(kept_, {}, &model::Event::boot_ns);
  std::ranges::stable_sort(forks_, {}, &model::Fork::boot_ns);
  std::vector<model::Event> batch;
  batch.swap(kept_);
  auto fork = forks_.begin();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    model::Event& event = batch[i];
    if (i % kBetween == kBetween - 1) between();
    for (; fork != forks_.end() && fork->boot_ns <= event.boot_ns; ++fork)
      attribution_.learn(*fork);
    finish(event);
  }
  for (; fork != forks_.end(); ++fork) attribution_.learn(*fork);
  forks_.clear();
  count_loss(model::Ring::observations, model::LossCause::record_malformed, malformed_);
  count_loss(model::Ring::observations, model::LossCause::record_unknown, unknown_);
}

void Stream::started(std::uint32_t pid) {
  const auto own = static_cast<std::uint32_t>(::getpid());
  const auto starter = processes_.stat(own);
  const auto command = processes_.stat(pid);
  if (!starter || !command) return;
  attribution_.learn({.boot_ns = clock_.boot_ns(),
                      .slot = 0,
                      .uid = ::getuid(),
                      .pid = pid,
                      .start_boot_ns = command->start_boot_ns,
                      .parent_pid = own,
                      .parent_start_boot_ns = starter->start_boot_ns});
}

void Stream::take(model::Event event) { finish(event); }

void Stream::finish(model::Event& event) {
  attribution_.attribute(event);
  number(event);
  std::vector<model::Event> joined = correlator_.observe(event);
  // What it could not do stands in the event itself.
  static_cast<void>(response::respond(event, killer_));
  write(event);
  for (model::Event& more : joined) {
    attribution_.attribute(more);
    number(more);
    static_cast<void>(response::respond(more, killer_));
    write(more);
  }
}

void Stream::write(const model::Event& event) {
  if (event.finding) ++findings_;
  if (tally_.findings != nullptr) *tally_.findings = findings_;
  if (file_ || line_watcher_) {
    const std::string line = sink::to_json(event, host_);
    if (file_) file_->append(line);
    if (line_watcher_) line_watcher_(event, line);
  }
  if (watcher_) watcher_(event);
}

void Stream::count_loss(model::Ring ring, model::LossCause cause, std::uint64_t total) {
  Counted& known = counted_[{ring, cause}];
  const std::int64_t now = clock_.wall_ns();
  if (total <= known.reported) {
    known.since_ns = now;
    return;
  }
  const std::uint64_t lost = total - known.reported;
  known.reported = total;
  const std::size_t index =
      static_cast<std::size_t>(ring) * model::kLossCauses.size() + static_cast<std::size_t>(cause);
  if (index < tally_.reported.size()) tally_.reported[index] = total;
  model::Loss loss{.ring = ring, .cause = cause, .count = lost, .since_ns = known.since_ns};
  known.since_ns = now;
  take(model::make_loss({.boot_ns = clock_.boot_ns(), .wall_ns = now}, loss));
}

void Stream::report_losses(const std::vector<std::uint64_t>& counters) {
  if (tally_.told_ns != nullptr) *tally_.told_ns = static_cast<std::uint64_t>(clock_.wall_ns());
  const std::size_t causes = model::kLossCauses.size();
  for (std::size_t i = 0; i < counters.size(); ++i)
    count_loss(static_cast<model::Ring>(i / causes), static_cast<model::LossCause>(i % causes),
               counters[i]);
}

Result<void> Stream::flush() {
  if (!file_) return {};
  auto flushed = file_->flush();
  if (flushed)
    if (auto lost = file_->take_loss()) {
      take(model::make_loss({.boot_ns = clock_.boot_ns(), .wall_ns = clock_.wall_ns()},
                            {.ring = model::Ring::observations,
                             .cause = model::LossCause::sink_failed,
                             .count = lost->count,
                             .since_ns = lost->since_ns}));
      return file_->flush();
    }
  return flushed;
}

Result<void> Stream::close() {
  if (auto flushed = flush(); !flushed) return flushed;
  if (!file_) return {};
  auto closed = file_->close();
  file_.reset();
  return closed;
}

}  // namespace ambit::pipeline
