// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/model/event.h"

namespace ambit::response {

/// Something that the kernel cannot do by itself: it denies and kills the one process, the rest of
/// the task is ended from here.
struct Action {
  std::uint32_t slot = 0;
  std::string task_id;
  bool dry_run = false;  ///< shadow: only said
};

/// What is left to do about an event.
[[nodiscard]] std::vector<Action> plan(const model::Event& event);

/// Ends processes.
class Signaller {
 public:
  virtual ~Signaller() = default;
  /// Kills every process of the task, those that are being born too; says how many it found.
  [[nodiscard]] virtual Result<std::size_t> kill_task(std::uint32_t slot) = 0;
};

/// Carries out what plan() says and writes into the event what became of it. An error leaves
/// `effective` at what the kernel did, and stands in the event too.
[[nodiscard]] Result<void> respond(model::Event& event, Signaller& signaller);

}  // namespace ambit::response
