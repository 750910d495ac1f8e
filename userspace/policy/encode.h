// SPDX-License-Identifier: Apache-2.0
// Compiled policies as the bytes of the tables (bpf/core/tables.h).
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "userspace/model/policy.h"
#include "userspace/model/tables.h"

namespace ambit::policy {

/// The numbers by which one policy stands in the tables.
struct PolicyNumbers {
  std::uint32_t policy = 1;
  std::uint32_t credential_space = 1;
  std::uint32_t program_space = 2;
};

[[nodiscard]] std::vector<model::TableEntry> encode_paths(const model::CompiledPaths& paths,
                                                          std::uint32_t space);
[[nodiscard]] std::vector<model::TableEntry> encode_policy(const model::CompiledPolicy& policy,
                                                           const PolicyNumbers& numbers);
[[nodiscard]] std::vector<model::TableEntry> encode_destinations(
    const model::CompiledDestinations& destinations, std::uint32_t policy);

struct TaskState {
  std::uint32_t slot = 0;
  std::uint32_t policy = 1;
  std::uint64_t expires_boot_ns = 0;
  bool revoked = false;
  std::uint32_t family = 0;  ///< of a task that was delegated: the slot of the first of its chain
};
[[nodiscard]] model::TableEntry encode_task(const TaskState& state);

/// From the keys of tables: whose entry it is.
[[nodiscard]] std::uint32_t policy_of_prefix(const std::string& key);
[[nodiscard]] std::uint32_t set_of_port(const std::string& key);
/// Nothing: it is no entry of `tasks`.
[[nodiscard]] std::optional<TaskState> task_of(const model::TableEntry& entry);

/// What the guard keeps tasks from, whatever their scope says.
enum class Guarded : std::uint8_t {
  events,   ///< the event file
  monitor,  ///< another file of Ambit's
  way,      ///< a directory above the event file: not renamed, not mounted over
};
[[nodiscard]] model::TableEntry encode_guarded(const model::FileId& id, Guarded as);

/// A file that is these credentials wherever it stands.
[[nodiscard]] model::TableEntry encode_known_file(const model::FileId& id, std::uint32_t space,
                                                  const std::vector<std::uint16_t>& credentials,
                                                  const model::CredentialMask& mask);

/// A file that was learned in one space, for another one in which it is the same; nothing where it
/// stands in another space, is no credential, or is one that `lives` does not say yes to.
[[nodiscard]] std::optional<model::TableEntry> learned_in(
    const model::TableEntry& inode, std::uint32_t from, std::uint32_t to,
    const std::function<bool(std::uint16_t)>& lives);
[[nodiscard]] model::FileId inode_of(const model::TableEntry& inode);

[[nodiscard]] std::string encode_inode_key(const model::FileId& id, std::uint32_t space);
[[nodiscard]] std::string encode_rule(const model::CompiledRule& rule);

/// Writes all of them; the first failure ends it.
[[nodiscard]] Result<void> put_all(model::TableWriter& tables,
                                   const std::vector<model::TableEntry>& entries);

}  // namespace ambit::policy
