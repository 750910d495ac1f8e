// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/holder_marks.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/fanotify.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string>
#include <string_view>

namespace ambit::pipeline {

namespace {

// Nothing that the catalogue can mean lies on these, and opening a device for an event would act
// on it.
constexpr std::array<std::string_view, 14> kNoFiles{
    "proc", "sysfs",   "cgroup",  "cgroup2",    "devpts", "devtmpfs", "mqueue",
    "bpf",  "tracefs", "debugfs", "securityfs", "pstore", "configfs", "nsfs"};

std::string read_all(int directory, const char* name) {
  const Descriptor file(::openat(directory, name, O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 8192> block{};
  for (ssize_t size = 0; (size = ::read(file.get(), block.data(), block.size())) > 0;)
    text.append(block.data(), static_cast<std::size_t>(size));
  return text;
}

/// Spaces and such are octal escapes in mountinfo (proc(5)).
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i + 1, 3)), nullptr, 8)));
      i += 3;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

struct Mount {
  std::string point;
  std::string type;
};

std::vector<Mount> mounts_of(const std::string& mountinfo) {
  std::vector<Mount> mounts;
  std::istringstream lines(mountinfo);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string skip;
    Mount mount;
    fields >> skip >> skip >> skip >> skip >> mount.point;
    while (fields >> skip && skip != "-") continue;
    fields >> mount.type;
    mount.point = unescape(mount.point);
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

void mark(const HolderContext& context, int group, unsigned how, std::uint64_t mask,
          const std::string& path) {
  ++context.shared
        ->beat[context.index];  // thousands of marks are work, and not a holder that hangs
  if (::fanotify_mark(group, FAN_MARK_ADD | how, mask, AT_FDCWD, path.c_str()) != 0 &&
      errno != ENOENT)
    ++context.shared->mark_failed;
}

}  // namespace

Descriptor make_group(const HolderContext& context) {
  const HolderSetup& setup = *context.setup;
  std::vector<Mount> mounts;
  if (setup.mount_namespace >= 0) {
    if (::setns(setup.mount_namespace, CLONE_NEWNS) != 0) return {};
    mounts = mounts_of(read_all(context.proc, "self/mountinfo"));
  }
  // O_NONBLOCK: the group opens each file for its event, and a FIFO must not hold it up.
  Descriptor group(::fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK |
                                       FAN_REPORT_PIDFD | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS,
                                   O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOATIME));
  if (!group.valid()) return group;
  for (const std::string& file : setup.marks.files)
    mark(context, group.get(), 0, kCredentialEvents, file);
  for (const std::string& directory : setup.marks.directories)
    mark(context, group.get(), FAN_MARK_ONLYDIR, kCredentialEvents | FAN_EVENT_ON_CHILD, directory);
  const std::uint64_t mask = (setup.ask_every_open ? FAN_OPEN_PERM : 0U) |
                             (setup.ask_every_exec ? FAN_OPEN_EXEC_PERM : 0U);
  if (mask != 0)
    for (const Mount& mount : mounts)
      if (std::ranges::find(kNoFiles, mount.type) == kNoFiles.end())
        mark(context, group.get(), FAN_MARK_MOUNT, mask, mount.point);
  return group;
}

}  // namespace ambit::pipeline
