// SPDX-License-Identifier: Apache-2.0
// Who is in a task of pinned programs, whatever version pinned them: the sizes of these two maps'
// keys and of the list's values stay as they are for good.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "userspace/base/descriptor.h"
#include "userspace/base/result.h"

namespace ambit::kernel {

class PinnedMembers {
 public:
  [[nodiscard]] static Result<PinnedMembers> open(const std::string& directory);

  struct Thread {
    std::uint32_t tid = 0;
    std::uint32_t pid = 0;
  };
  /// Without Ambit's own processes.
  [[nodiscard]] std::vector<Thread> list() const;
  /// Takes a thread out of its task; -1: its end was not seen.
  void let_go(std::uint32_t tid, int pidfd) const;

 private:
  PinnedMembers(Descriptor members, Descriptor processes)
      : members_(std::move(members)), processes_(std::move(processes)) {}
  Descriptor members_;
  Descriptor processes_;
};

}  // namespace ambit::kernel
