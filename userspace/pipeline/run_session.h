// SPDX-License-Identifier: Apache-2.0
// The parts of one `ambit run`, in the order in which they come to be.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"
#include "userspace/pipeline/holders.h"
#include "userspace/pipeline/launch.h"
#include "userspace/pipeline/prepare.h"
#include "userspace/pipeline/prove.h"
#include "userspace/pipeline/run.h"
#include "userspace/pipeline/stream.h"

namespace ambit::pipeline {

class RunSession {
 public:
  RunSession(RunOptions options, std::set<int> inherited)
      : options_(std::move(options)), inherited_(std::move(inherited)) {}
  RunSession(const RunSession&) = delete;
  RunSession& operator=(const RunSession&) = delete;
  ~RunSession();

  /// Everything up to a command that is bound and waits.
  [[nodiscard]] Result<void> set_up();
  /// Lets the command go and serves until it has ended; its status as a shell would give it.
  [[nodiscard]] std::expected<int, LaunchFailure> serve();
  /// Ends what is left of the task and writes the last events.
  [[nodiscard]] Result<void> finish();
  [[nodiscard]] std::uint64_t findings() const { return stream_ ? stream_->findings() : 0; }

 private:
  static constexpr std::uint32_t kSlot = 1;

  [[nodiscard]] Result<void> load();
  [[nodiscard]] Result<void> choose();
  [[nodiscard]] Result<void> declare();
  [[nodiscard]] Result<void> launch();
  [[nodiscard]] Result<void> start_holders();
  [[nodiscard]] Result<void> start_stream();
  void announce();
  /// Whether there may be more.
  bool take_records();
  void on_tick();
  void on_signals();
  [[nodiscard]] bool command_ended();
  void serve_once(int watched);
  [[nodiscard]] Result<bool> hand_over();
  [[nodiscard]] Result<void> write_end();

  RunOptions options_;
  std::set<int> inherited_;
  Identity identity_;
  std::unique_ptr<Prepared> prepared_;
  Proof proof_;
  std::unique_ptr<kernel::Sensor> sensor_;
  policy::SetNumbers sets_;
  std::unique_ptr<Destinations> destinations_;
  std::shared_ptr<const model::Task> task_;
  std::uint64_t expires_boot_ns_ = 0;
  bool expired_ = false;
  LaunchPlan plan_;
  std::vector<model::Event> inherited_events_;
  std::vector<Descriptor> pinned_;  ///< programs whose inode numbers must not be used again
  std::optional<Launched> launched_;
  std::unique_ptr<Holders> holders_;
  std::unique_ptr<Stream> stream_;
  Descriptor signals_;
  int status_ = 0;
  unsigned ticks_ = 0;
};

}  // namespace ambit::pipeline
