// SPDX-License-Identifier: Apache-2.0
// Whether what a pattern names is permitted by a policy that is in force already: its own tables
// are asked, since they know programs by inode and directories as they were when it was compiled.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/model/policy.h"
#include "userspace/policy/decide.h"
#include "userspace/policy/filesystem.h"
#include "userspace/policy/memory_tables.h"
#include "userspace/policy/paths.h"
#include "userspace/policy/pattern_form.h"

namespace ambit::policy {

/// To be run, to be connected to, or, of a credential's bit, to read and to be reached with it:
/// readers and the Unix sockets of `destinations` are one mask in the tables.
struct Permission {
  enum class Kind : std::uint8_t { program, unix_socket, credential };
  Kind kind = Kind::program;
  std::uint8_t bit = 0;
};

class NamesInForce {
 public:
  /// `policy` and `files` must outlive it.
  [[nodiscard]] static Result<std::unique_ptr<NamesInForce>> of(const model::CompiledPolicy& policy,
                                                                const FileSystem& files);

  /// What the pattern may name that is not permitted, as part of a sentence ("that names …");
  /// nothing where there is none. What `list` excludes is taken out of the pattern.
  [[nodiscard]] std::optional<std::string> outside(const std::string& pattern,
                                                   const std::vector<model::Pattern>& list,
                                                   Permission permission) const;

 private:
  NamesInForce(const model::CompiledPolicy& policy, const FileSystem& files)
      : policy_(policy), files_(files) {}

  [[nodiscard]] bool permits_name(const std::string& text, Permission permission) const;
  [[nodiscard]] bool permits_anywhere(const PatternForm& form, Permission permission) const;
  [[nodiscard]] bool permits_below(const AnchorPlace& place, const PatternForm& form,
                                   Permission permission) const;
  [[nodiscard]] bool permits_file(const std::string& path, Permission permission) const;
  [[nodiscard]] bool permits_abstract(const std::string& name, Permission permission) const;
  [[nodiscard]] bool knows_inode(const model::FileId& id) const;
  [[nodiscard]] std::optional<std::string> outside_by_name(const std::string& pattern,
                                                           Permission permission) const;
  [[nodiscard]] std::optional<std::string> met_by_exclusion(const std::string& pattern,
                                                            const std::vector<model::Pattern>& list,
                                                            Permission permission) const;
  [[nodiscard]] bool is_taken_out(const PatternForm& taken,
                                  const std::vector<model::Pattern>& list) const;

  const model::CompiledPolicy& policy_;
  const FileSystem& files_;
  MemoryTables tables_;
};

}  // namespace ambit::policy
