// SPDX-License-Identifier: Apache-2.0
// The processes that answer opens on the portable backend, and that end a task whose supervisor
// was killed. Two of them, each with a permission group of its own: either may be stopped or
// killed, and no opener outside tasks waits for more than half a second.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"
#include "userspace/pipeline/holder_shared.h"
#include "userspace/pipeline/journal.h"

namespace ambit::pipeline {

/// Records of holders on their way to the supervisor.
class RecordPipe {
 public:
  using Sink = std::function<void(std::span<const std::byte>)>;
  [[nodiscard]] Result<void> open();
  /// The end of somebody else's.
  void read_from(Descriptor reader) { reader_ = std::move(reader); }
  /// What is taken out stays there until it is written.
  void keep_in(Journal journal) { journal_.emplace(std::move(journal)); }
  void mark() {
    if (journal_) journal_->mark();
  }
  void written() {
    if (journal_) journal_->written();
  }
  [[nodiscard]] int reader() const { return reader_.get(); }
  [[nodiscard]] int writer() const { return writer_.get(); }
  void drain(const Sink& sink);

 private:
  Descriptor reader_;
  Descriptor writer_;
  std::string pending_;
  std::optional<Journal> journal_;
};

class Holders {
 public:
  /// Returns when every mark is set. Must be called before the process has threads.
  [[nodiscard]] static Result<std::unique_ptr<Holders>> start(HolderSetup setup);
  Holders(const Holders&) = delete;
  Holders& operator=(const Holders&) = delete;
  /// Stops them; the task is left as it is.
  ~Holders();

  /// Lets them end; what they have written can be drained on. Not waited for.
  void end();
  /// Whether they report what goes on; those that are asked beside others may be told not to.
  void report(bool yes) { shared_->quiet = !yes; }
  /// Counts on from what others have counted.
  void count_on(const HolderShared& others);
  /// Leaves them to themselves (HolderSetup::outlives): they see this process's end.
  void leave();

  [[nodiscard]] int record_descriptor() const { return records_.reader(); }
  [[nodiscard]] int finding_descriptor() const { return findings_.reader(); }
  /// Gives each record that waits to `sink`.
  void drain(const RecordPipe::Sink& sink);
  void drain_findings(const RecordPipe::Sink& sink) { findings_.drain(sink); }
  /// All that was drained before will be written next; it is.
  void mark();
  void written();
  /// Where they were left (HolderSetup::left_in): all that they told is written.
  void forget();
  /// To be called at least five times a second: makes anew what died, if both did.
  void tend();
  [[nodiscard]] const HolderShared& shared() const { return *shared_; }
  /// This process and the holders, as they are now.
  [[nodiscard]] std::vector<std::uint32_t> own_processes() const;

 private:
  explicit Holders(HolderSetup setup) : setup_(std::move(setup)) {}
  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] Result<void> share();
  [[nodiscard]] Result<void> wait_until_ready() const;
  [[nodiscard]] std::size_t count() const { return setup_.answers_opens ? kHolders : 1; }
  [[nodiscard]] HolderContext context(std::size_t index) const;

  HolderSetup setup_;
  HolderShared* shared_ = nullptr;
  RecordPipe findings_;
  RecordPipe records_;
  Descriptor self_;
  Descriptor proc_;
  Descriptor null_;
  std::vector<int> spawned_;  ///< children that are not waited for yet
  std::array<std::uint64_t, kHolders> last_beat_{};
  std::array<int, kHolders> still_{};
  std::chrono::steady_clock::time_point tended_;
};

}  // namespace ambit::pipeline
