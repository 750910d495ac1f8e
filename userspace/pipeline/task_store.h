// SPDX-License-Identifier: Apache-2.0
// The documents of live tasks, one file each, for the daemon that comes after this one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/model/tables.h"
#include "userspace/policy/resolver.h"

namespace ambit::pipeline {

/// What the kernel's tables do not tell of a task.
struct TaskRecord {
  std::string id;
  std::uint32_t slot = 0;
  std::string scope;  ///< the document's text
  std::string declared_by;
  std::int64_t opened_ns = 0;
  std::uint64_t expires_boot_ns = 0;
  bool expired = false;  ///< that was told
  std::vector<std::string> limits;
  std::vector<std::pair<model::Table, std::string>> keys;  ///< of its entries, as written
  std::map<std::string, policy::Resolved> names;
};

class TaskStore {
 public:
  explicit TaskStore(std::string directory) : directory_(std::move(directory)) {}

  /// Whole, or as before.
  [[nodiscard]] Result<void> put(const TaskRecord& record) const;
  [[nodiscard]] Result<TaskRecord> get(const std::string& id) const;
  void remove(const std::string& id) const;

  struct Found {
    std::vector<TaskRecord> records;
    std::vector<std::string> faults;  ///< files that are no record
  };
  [[nodiscard]] Found all() const;

  /// A note of the daemon's own beside them; empty: there is none.
  [[nodiscard]] std::string note(const std::string& name) const;
  [[nodiscard]] Result<void> put_note(const std::string& name, const std::string& text) const;
  [[nodiscard]] std::string path_of(const std::string& id) const;
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }

 private:
  std::string directory_;
};

/// Exposed for tests: the text of a record, and back.
[[nodiscard]] std::string to_text(const TaskRecord& record);
[[nodiscard]] Result<TaskRecord> record_of(const std::string& text);

}  // namespace ambit::pipeline
