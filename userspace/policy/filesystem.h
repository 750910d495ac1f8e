// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/model/policy.h"

namespace ambit::policy {

/// What stands at a path.
struct FileFacts {
  model::FileId id;
  bool directory = false;
  bool regular = true;
  bool device = false;
  std::string canonical;  ///< absolute, without symlinks
};

/// The file system as compiling sees it; a fake stands in for it in tests.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// Follows symlinks; nothing when nothing is there or it cannot be looked at.
  [[nodiscard]] virtual std::optional<FileFacts> look(const std::string& path) const = 0;
  /// Names in a directory; empty when it cannot be read.
  [[nodiscard]] virtual std::vector<std::string> list(const std::string& directory) const = 0;
};

class RealFileSystem : public FileSystem {
 public:
  [[nodiscard]] std::optional<FileFacts> look(const std::string& path) const override;
  [[nodiscard]] std::vector<std::string> list(const std::string& directory) const override;
};

/// The kernel's own encoding of a device number (super_block.s_dev).
/// Looks at each path once: what is compiled rests on one view of the machine, and 15 homes times
/// 46 places ask for the same directories again and again (5,200 looks, 1,000 paths).
class RememberedFileSystem : public FileSystem {
 public:
  explicit RememberedFileSystem(const FileSystem& files) : files_(files) {}
  [[nodiscard]] std::optional<FileFacts> look(const std::string& path) const override;
  [[nodiscard]] std::vector<std::string> list(const std::string& directory) const override;

 private:
  const FileSystem& files_;
  mutable std::unordered_map<std::string, std::optional<FileFacts>> looked_;
  mutable std::unordered_map<std::string, std::vector<std::string>> listed_;
};

[[nodiscard]] std::uint64_t kernel_device(unsigned major, unsigned minor);

}  // namespace ambit::policy
