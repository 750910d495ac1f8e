// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/inotify.h>
#include <sys/stat.h>

#include <chrono>
#include <map>
#include <set>
#include <string>

#include "userspace/base/descriptor.h"
#include "userspace/pipeline/holder_known.h"
#include "userspace/pipeline/holder_shared.h"

namespace ambit::pipeline {

/// What comes to the directories of credentials while the task lives: a file that is one by its
/// name there is known by its inode from then on, so that a link or another name is still the
/// credential. inotify tells a few microseconds after the name is there; whoever renames it within
/// them wins.
class HolderWatch {
 public:
  /// `group` gets a mark for each credential that comes.
  HolderWatch(const HolderContext& context, int group, KnownInodes& known)
      : context_(context), group_(group), known_(known) {}

  /// Watches the directories of the setup. In the mount namespace that is asked about.
  void begin();
  [[nodiscard]] int descriptor() const { return inotify_.get(); }
  /// Learns all that has come.
  void take();
  /// To be called at least ten times a second.
  void tend();

 private:
  void follow(const policy::MarkPlan& plan);
  void watch(const std::string& directory);
  void look_at(const std::string& path);
  void look_at_all_in(const std::string& directory);
  void learn(const std::string& path, int file, const struct statx& status);
  void take_one(const inotify_event& event);
  [[nodiscard]] bool is_awaited(const std::string& path) const;

  HolderContext context_;
  int group_;
  KnownInodes& known_;
  Descriptor inotify_;
  std::map<int, std::string> directories_;  ///< by watch
  std::set<std::string> watched_;
  std::set<std::string> awaited_;
  std::set<std::string> came_;  ///< awaited directories that are there now
  std::chrono::steady_clock::time_point next_plan_;
};

}  // namespace ambit::pipeline
