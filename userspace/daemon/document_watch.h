// SPDX-License-Identifier: Apache-2.0
// Whether the files that the daemon goes by are still what it has read. Looked at by stat(2) and
// not by inotify: a ConfigMap changes by a symbolic link two directories above the files, and an
// editor replaces them.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace ambit::daemon {

class DocumentWatch {
 public:
  /// Files, and directories of them.
  explicit DocumentWatch(std::vector<std::string> sources);

  /// What is there now is about to be read.
  void take();
  /// Others from now on. What was taken of those that stay counts on.
  void watch(std::vector<std::string> sources);
  /// True when something else is there than what was taken, and was at the last look: what is being
  /// written is waited for. It counts as taken then.
  [[nodiscard]] bool has_changed();

 private:
  using Stamps = std::map<std::string, std::string>;  ///< by path
  [[nodiscard]] Stamps look() const;

  std::vector<std::string> sources_;
  Stamps taken_;
  Stamps seen_;
};

}  // namespace ambit::daemon
