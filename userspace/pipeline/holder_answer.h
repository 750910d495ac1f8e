// SPDX-License-Identifier: Apache-2.0
// One permission event: who asks, for what, and the answer.
#pragma once

#include <sys/fanotify.h>

#include <array>
#include <span>

#include "userspace/pipeline/holder_known.h"
#include "userspace/pipeline/holder_shared.h"
#include "userspace/policy/decide.h"

namespace ambit::pipeline {

class HolderAnswer {
 public:
  HolderAnswer(const HolderContext& context, KnownInodes& known)
      : context_(context), known_(known) {}

  /// Whether an answer has to be thought about. `pidfd` may be -1: then it has.
  [[nodiscard]] bool is_of_a_task(int pidfd) const;
  /// True: the open, or the read, goes on. `pidfd` may be -1; `group` is where the event comes
  /// from.
  [[nodiscard]] bool allows(const fanotify_event_metadata& event, int pidfd, int group);

 private:
  struct Asked;
  [[nodiscard]] bool allows_file(const Asked& asked);
  [[nodiscard]] bool allows_program(const Asked& asked);
  void take_path(const Asked& asked);
  /// A credential that only its path told: reads of what is open of it are asked about from now on.
  void mark_too(const Asked& asked);
  /// A file that is no credential.
  void ask_no_more(const Asked& asked);
  [[nodiscard]] std::size_t take_cwd(const Asked& asked);
  [[nodiscard]] bool reports(const Asked& asked, const policy::Decision& decision) const;
  /// What the process holds by this opening, for the other holder.
  void note_gain(const Asked& asked, const policy::Decision& decision);
  [[nodiscard]] model::CredentialMask held_before(const Asked& asked,
                                                  const model::CredentialMask& held);
  void report(const Asked& asked, const policy::Decision& decision,
              std::span<const std::uint16_t> credentials);
  /// Carries the decision out; true: the open goes on.
  [[nodiscard]] bool finish(const Asked& asked, const policy::Decision& decision);

  HolderContext context_;
  KnownInodes& known_;
  std::array<char, 4096> path_{};
  std::size_t path_length_ = 0;
  std::array<char, 4096> cwd_{};
  std::array<std::byte, 4096> record_{};
};

}  // namespace ambit::pipeline
