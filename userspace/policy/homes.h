// SPDX-License-Identifier: Apache-2.0
// What `~` means: every home directory of the password file, and that of the started command.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/model/documents.h"
#include "userspace/policy/environment.h"

namespace ambit::policy {

/// Each once, in the file's order.
struct Homes {
  std::vector<std::string> directories;  ///< absolute, without a final slash: "/" is empty
  std::vector<std::uint32_t> users;
};

/// Lines that libc would skip are skipped: no seven fields, no number for the user.
[[nodiscard]] Homes home_directories(std::string_view passwd);

/// The same of a file; one that cannot be read is an error.
[[nodiscard]] Result<Homes> read_homes(const std::string& path = "/etc/passwd");

/// A pattern without `~` and variables: absolute or `**/name`, each once.
/// - `~/x`: in every home, and in $HOME;
/// - `~/.config/x`: besides, in $XDG_CONFIG_HOME;
/// - `$XDG_RUNTIME_DIR/x`: in /run/user/UID of every user, and there;
/// - `/run/user/*/x`: besides, in $XDG_RUNTIME_DIR.
/// Variables count when they are absolute paths. An error where a home has a `*`, or the pattern
/// begins with something else.
[[nodiscard]] Result<std::vector<model::Pattern>> expand_pattern(const model::Pattern& pattern,
                                                                 const Homes& homes,
                                                                 const Environment& environment);

}  // namespace ambit::policy
