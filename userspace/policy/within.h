// SPDX-License-Identifier: Apache-2.0
// Delegation: whether a child's scope lies within that of its parent task.
#pragma once

#include <chrono>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/model/policy.h"
#include "userspace/policy/compile.h"
#include "userspace/policy/diagnostic.h"

namespace ambit::policy {

/// The parent as it is in force.
struct ParentTask {
  const model::Scope& scope;
  const model::CompiledPolicy& policy;  ///< as it was compiled: inodes and directories of that time
  std::chrono::nanoseconds left{};      ///< of its time
  /// What the process holds that becomes the child's first, together with what the whole parent
  /// task holds; bits of the parent's policy. They become bits of the child's, where it has some.
  model::CredentialMask held{};
};

/// All that the child's scope asks for beyond the parent's, in order of place; none: whatever the
/// child does goes on (`decide`) only where the parent's would, and is answered no more mildly.
/// What cannot be proved is beyond. No source lines: attach_source().
///
/// It rests on this, which is the caller's to see to:
/// - credential files are recognised in the same space for both (the child's environment must not
///   move them), and names are resolved to the same addresses for both;
/// - `files` is the view of the machine that the child is compiled with;
/// - `child` is expanded (`~`) as it will be compiled.
/// A program that the child names by its whole path is the file that stands there now, which the
/// parent may run under the name that it has now: where it is moved later, or loses that name and
/// keeps another, the child knows it by its inode. So it is with directories that are moved.
[[nodiscard]] Result<std::vector<Diagnostic>> beyond_parent(const ParentTask& parent,
                                                            const ExpandedScope& child,
                                                            const model::Catalogue& catalogue,
                                                            const FileSystem& files);

}  // namespace ambit::policy
