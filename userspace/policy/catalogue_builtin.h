// SPDX-License-Identifier: Apache-2.0
// The files of rules/credentials/, embedded at build time (cmake/rules.cmake).
#pragma once

#include <span>
#include <string_view>

namespace ambit::policy {

struct BuiltinFile {
  std::string_view name;  ///< of the file, without .yaml
  bool opt_in = false;    ///< only loaded when named
  std::string_view text;
};

/// Sorted by name.
[[nodiscard]] std::span<const BuiltinFile> builtin_files();

}  // namespace ambit::policy
