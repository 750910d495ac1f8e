// SPDX-License-Identifier: Apache-2.0
// Path patterns -> anchors, names and inodes: how the kernel recognises files.
#pragma once

#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/model/policy.h"
#include "userspace/policy/filesystem.h"

namespace ambit::policy {

/// One pattern (already expanded: absolute or `**/name`) and what a file that matches it is.
struct PathPattern {
  std::string text;
  model::CompiledRule meaning;  ///< rank is set by compiling
};

/// A directory tree with more files than this is not listed to its end; what is not listed is
/// recognised by its directory all the same, only its hard links elsewhere are not.
inline constexpr std::size_t kMaxListed = 20000;

/// Fails when a directory needs more wildcard shapes, or a pattern more names, than the kernel's
/// tables have room for.
[[nodiscard]] Result<model::CompiledPaths> compile_paths(const std::vector<PathPattern>& patterns,
                                                         const FileSystem& files);

/// The files that exist now and that the patterns may mean (for learning their inodes).
[[nodiscard]] std::vector<std::string> existing_files(const std::vector<PathPattern>& patterns,
                                                      const FileSystem& files);

/// The same without symlinks to what all of the machine uses: whoever can make a symlink in a
/// credential directory must not thereby make a credential of libc or /dev/null.
[[nodiscard]] std::vector<std::string> existing_secrets(const std::vector<PathPattern>& patterns,
                                                        const FileSystem& files);

}  // namespace ambit::policy
