// SPDX-License-Identifier: Apache-2.0
// Path patterns -> anchors, names and inodes: how the kernel recognises files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/model/policy.h"
#include "userspace/policy/filesystem.h"
#include "userspace/policy/pattern_form.h"

namespace ambit::policy {

/// One pattern (already expanded: absolute or `**/name`) and what a file that matches it is.
struct PathPattern {
  std::string text;
  model::CompiledRule meaning;  ///< rank is set by compiling
};

/// A directory tree with more files than this is not listed to its end; what is not listed is
/// recognised by its directory all the same, only its hard links elsewhere are not.
inline constexpr std::size_t kMaxListed = 20000;

/// A directory that exists, from which a pattern goes on: its inode is an anchor.
struct AnchorPlace {
  FileFacts directory;
  std::size_t done = 0;  ///< components of the pattern that lead to it
};

/// The deepest first; empty where the root cannot be looked at, and for `**/name`.
[[nodiscard]] std::vector<AnchorPlace> anchor_places(const PatternForm& form,
                                                     const FileSystem& files);

/// The pattern as it reads from each of its anchors on, without symlinks on the way there.
[[nodiscard]] std::vector<std::string> names_without_symlinks(const std::string& pattern,
                                                              const FileSystem& files);

/// Where the symlinks lead that a pattern of programs or sockets names now: those names count too,
/// since /usr/bin/python3 is a symlink.
[[nodiscard]] std::vector<std::string> targets_of(const std::string& pattern,
                                                  const FileSystem& files);

/// The file that a pattern without `*` and `**` names now, when it is a regular one: as a program
/// it is known by its inode, not by its name.
[[nodiscard]] std::optional<FileFacts> one_program(const std::string& pattern,
                                                   const FileSystem& files);

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
