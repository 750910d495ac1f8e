// SPDX-License-Identifier: Apache-2.0
// bpf/core over tables of user space: the kernel's own decisions, for the portable holder, for
// compiling, for tests and replay.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "userspace/model/policy.h"
#include "userspace/model/tables.h"

namespace ambit::policy {

/// A file with the directories it stands in. Fixed memory, since the holder fills it while a
/// process waits.
struct PathFacts {
  static constexpr std::size_t kMaxComponents = 512;
  struct Component {
    std::string_view name;
    model::FileId directory;  ///< the one that the component stands in
  };
  std::array<Component, kMaxComponents> components;  ///< from the root down, the file last
  std::size_t count = 0;
  model::FileId file;
};

/// What a file is, in one space.
struct Recognised {
  std::array<std::uint16_t, 4> credentials{};
  std::size_t count = 0;
  bool undecided = false;  ///< it is more credentials than can be told apart
  bool program = false;
  bool unix_socket = false;
  model::CredentialMask mask{};
  /// By path: no pattern but `**/name` can say anything of any file of this directory.
  bool plain_directory = false;
};

/// By inode first, then by path; `by_inode` false leaves the inode out (compiling asks so).
[[nodiscard]] Recognised recognise(const model::TableReader& tables, std::uint32_t space,
                                   const PathFacts& facts, bool by_inode = true);

/// A process of a task as decisions see it.
struct Subject {
  std::uint32_t slot = 0;
  model::CredentialMask held{};
  model::CredentialMask readers{};
  std::uint64_t now_boot_ns = 0;
};

struct Decision {
  bool decided = false;  ///< false: the tables know no such task
  model::Reason reason = model::Reason::none;
  model::Response requested = model::Response::none;
  model::Effect effect = model::Effect::allowed;
  bool shadow = false;
  std::uint32_t credential_space = 0;
  model::CredentialMask held{};  ///< before, with what the whole task holds
  model::CredentialMask blocking{};
  model::CredentialMask gained{};  ///< when the operation goes on
  model::CredentialMask gained_by_task{};
};

/// What the task as a whole holds (holding: task); nothing of one that is not there.
[[nodiscard]] model::CredentialMask held_by_task(const model::TableReader& tables,
                                                 std::uint32_t slot);

/// The spaces in which a task's files and programs are recognised; 0 when there is no such task.
struct Spaces {
  std::uint32_t credentials = 0;
  std::uint32_t programs = 0;
};
[[nodiscard]] Spaces spaces_of(const model::TableReader& tables, std::uint32_t slot);

/// `undecided`: what the file is could not be told, or not all of it.
[[nodiscard]] Decision decide_file(const model::TableReader& tables, const Subject& subject,
                                   std::span<const std::uint16_t> credentials,
                                   bool undecided = false);
[[nodiscard]] Decision decide_exec(const model::TableReader& tables, const Subject& subject,
                                   bool program);

/// What an operation that the guard judges is aimed at (bpf/core/guard.h).
enum class Aim : std::uint8_t { own, process, machine, monitor, events };
[[nodiscard]] Decision decide_guard(const model::TableReader& tables, const Subject& subject,
                                    Aim aim, model::Privilege privilege);

struct DestinationFacts {
  std::array<std::uint8_t, 16> address{};  ///< IPv4 mapped
  std::uint16_t port = 0;
  std::uint8_t protocol = 0;
  bool own = false;    ///< the task itself listens there
  bool other = false;  ///< no inet address: no table says anything of it
};
[[nodiscard]] Decision decide_destination(const model::TableReader& tables, const Subject& subject,
                                          const DestinationFacts& destination);

}  // namespace ambit::policy
