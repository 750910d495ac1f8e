// SPDX-License-Identifier: Apache-2.0
// A live task as the daemon that comes after this one has to know it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/model/policy.h"
#include "userspace/model/tables.h"
#include "userspace/policy/resolver.h"

namespace ambit::pipeline {

using TableKey = std::pair<model::Table, std::string>;

/// What one bit of a policy means: what is held by it means that on, whatever becomes of the scope
/// and of the catalogue (FormerPolicy).
struct PolicyBit {
  std::string credential;
  std::optional<std::uint16_t> number;  ///< in the catalogue; none: it has another bit by now
  bool listed = false;                  ///< by the scope, or by one before it
  model::Holding holding = model::Holding::tree;
  std::optional<std::vector<model::DestinationRule>> use;
};

struct PolicyRecord {
  std::uint32_t number = 0;
  std::uint32_t credential_space = 0;
  std::string scope;  ///< the document's text
  model::Mode mode = model::Mode::enforce;
  std::vector<std::string> credentials;  ///< those of the scope that a reload has left in it
  std::vector<PolicyBit> bits;
  std::vector<TableKey> keys;  ///< of its entries, as written; without destinations
};

/// What the kernel's tables do not tell of a task.
struct TaskRecord {
  std::string id;
  std::uint32_t slot = 0;
  std::uint32_t parent = 0;              ///< the slot of its parent; 0: none
  std::vector<std::string> family_bits;  ///< names of the bits that were given out in its family
  std::string declared_by;
  std::int64_t opened_ns = 0;
  std::int64_t expires_ns = 0;
  std::uint64_t expires_boot_ns = 0;  ///< the same instant
  bool expired = false;               ///< that was told
  std::vector<std::string> limits;
  std::map<std::string, policy::Resolved> names;
  /// The kernel's entry of the task says which of them is in force.
  std::vector<PolicyRecord> policies;
};

[[nodiscard]] std::string to_text(const TaskRecord& record);
[[nodiscard]] Result<TaskRecord> record_of(const std::string& text);

/// The catalogue that the numbers in the kernel's tables are of.
struct CatalogueNote {
  bool patterns = false;  ///< the hook for what is known by pattern alone is attached (portable)
  std::uint32_t space = 0;
  std::vector<std::uint32_t> others;  ///< spaces of catalogues that are to be removed
  std::string digest;                 ///< of what is in force
  std::vector<std::string> names;     ///< by number
};

[[nodiscard]] std::string to_text(const CatalogueNote& note);
[[nodiscard]] Result<CatalogueNote> note_of(const std::string& text);
/// Of all that a policy or a table depends on.
[[nodiscard]] Result<std::string> digest_of(const model::Catalogue& catalogue);

}  // namespace ambit::pipeline
