// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <vector>

#include "userspace/policy/compile.h"

namespace ambit::policy {

/// What the portable backend asks about: files, and directories that hold little but credentials.
struct MarkPlan {
  std::set<std::string> files;
  std::set<std::string> directories;
  std::set<std::string> unmarked;  ///< directories that would be too much to ask about
  /// Where a name can appear that is a credential, or a directory on the way to one.
  std::set<std::string> watched;
  /// Such directories that are not there yet; `directory/*`: any that comes into it.
  std::set<std::string> awaited;
};

/// `homes` are never marked themselves; neither are directories that all of the machine uses.
[[nodiscard]] MarkPlan plan_marks(const ExpandedCatalogue& catalogue,
                                  const std::vector<std::string>& homes, const FileSystem& files);

}  // namespace ambit::policy
