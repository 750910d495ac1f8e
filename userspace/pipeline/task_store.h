// SPDX-License-Identifier: Apache-2.0
// The documents of live tasks, one file each, for the daemon that comes after this one.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/pipeline/task_record.h"

namespace ambit::pipeline {

class TaskStore {
 public:
  /// Called for each file before it has its name; where it fails nothing is written.
  using Guard = std::function<Result<void>(const std::string& path)>;
  explicit TaskStore(std::string directory, Guard guard = {})
      : directory_(std::move(directory)), guard_(std::move(guard)) {}

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
  [[nodiscard]] Result<void> write(const std::string& path, const std::string& text) const;
  std::string directory_;
  Guard guard_;
};

}  // namespace ambit::pipeline
