// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <map>
#include <string>

#include "userspace/kernel/sensor.h"
#include "userspace/model/policy.h"

namespace ambit::pipeline {

[[nodiscard]] model::FileId id_of(const struct statx& status);

/// Which file had an inode number when the number was taken for a credential's. Numbers are given
/// out again; a file handle has the inode's generation as well (name_to_handle_at(2)).
class KnownInodes {
 public:
  void note(int file, const model::FileId& id);
  /// The number is another file's now. False where it was never noted or cannot be asked.
  [[nodiscard]] bool is_another(int file, const model::FileId& id) const;
  void forget(const model::FileId& id) { handles_.erase(id); }
  /// What the file is; where its number was a credential's that is gone, what stands there counts.
  [[nodiscard]] Result<kernel::Sensor::FileIs> recognise(kernel::Sensor& sensor, int file,
                                                         const model::FileId& id,
                                                         std::uint32_t space);

 private:
  std::map<model::FileId, std::string> handles_;
};

}  // namespace ambit::pipeline
