// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/holder_watch.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "userspace/policy/encode.h"

namespace ambit::pipeline {

namespace {

constexpr std::uint32_t kNewNames = IN_CREATE | IN_MOVED_TO | IN_ONLYDIR;

}  // namespace

void HolderWatch::begin() {
  inotify_ = Descriptor(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify_.valid()) {
    ++context_.shared->watch_failed;
    return;
  }
  const policy::MarkPlan& plan = context_.setup->marks;
  follow(plan);
  // What has come since they were listed, and which files have the numbers that are known.
  for (const std::string& directory : plan.directories) look_at_all_in(directory);
  for (const std::string& file : plan.files) look_at(file);
}

void HolderWatch::follow(const policy::MarkPlan& plan) {
  awaited_ = plan.awaited;
  for (const std::string& directory : plan.watched) watch(directory);
}

/// Planning takes milliseconds, during which nobody is answered, and a task can make and remove
/// such a directory without end: so not more often than this.
void HolderWatch::tend() {
  constexpr std::chrono::milliseconds kPause{200};
  const auto now = std::chrono::steady_clock::now();
  if (came_.empty() || now < next_plan_) return;
  const std::set<std::string> came = std::exchange(came_, {});
  follow(context_.setup->plan_again());
  next_plan_ = std::chrono::steady_clock::now() + kPause;
  for (const std::string& directory : came) look_at_all_in(directory);
}

void HolderWatch::watch(const std::string& directory) {
  ++context_.shared->beat[context_.index];
  if (!watched_.insert(directory).second) return;
  const int number = ::inotify_add_watch(inotify_.get(), directory.c_str(), kNewNames);
  if (number >= 0) {
    directories_[number] = directory;
  } else if (errno != ENOENT && errno != ENOTDIR) {
    ++context_.shared->watch_failed;
  }
}

bool HolderWatch::is_awaited(const std::string& path) const {
  return awaited_.contains(path) || awaited_.contains(path.substr(0, path.rfind('/')) + "/*");
}

void HolderWatch::look_at_all_in(const std::string& directory) {
  std::error_code gone;
  for (std::filesystem::directory_iterator entry(directory, gone), end; !gone && entry != end;
       entry.increment(gone))
    look_at(entry->path());
}

void HolderWatch::look_at(const std::string& path) {
  // O_PATH: nobody is asked about it, and a FIFO is no trap.
  const Descriptor file(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct statx status{};
  if (!file.valid() || ::statx(file.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
                               STATX_INO | STATX_TYPE, &status) != 0)
    return;
  if (!S_ISDIR(status.stx_mode)) return learn(path, file.get(), status);
  // What is in it is learned at once; what else it leads to, the next plan says.
  if (is_awaited(path) || came_.contains(path.substr(0, path.rfind('/')))) {
    came_.insert(path);
    watch(path);
    look_at_all_in(path);
    return;
  }
  // A directory below one that is a credential as a whole.
  const auto what = context_.setup->sensor->recognise(file.get(), context_.setup->credential_space);
  if (!what || what->credentials.empty()) return;
  watch(path);
  look_at_all_in(path);
}

void HolderWatch::learn(const std::string& path, int file, const struct statx& status) {
  kernel::Sensor& sensor = *context_.setup->sensor;
  const model::FileId id = id_of(status);
  const std::uint32_t space = context_.setup->credential_space;
  if (!S_ISREG(status.stx_mode)) return;
  const auto what = known_.recognise(sensor, file, id, space);
  if (!what || what->undecided) {
    ++context_.shared->watch_failed;
    return;
  }
  if (what->credentials.empty()) return;
  known_.note(file, id);
  if (::fanotify_mark(group_, FAN_MARK_ADD | FAN_MARK_DONT_FOLLOW, kCredentialEvents, AT_FDCWD,
                      path.c_str()) != 0 &&
      errno != ENOENT)
    ++context_.shared->mark_failed;
  if (!sensor.put(policy::encode_known_file(id, space, what->credentials, what->mask)))
    ++context_.shared->watch_failed;
}

void HolderWatch::take_one(const inotify_event& event) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) ++context_.shared->watch_failed;
  const auto directory = directories_.find(event.wd);
  if (directory == directories_.end()) return;
  if ((event.mask & IN_IGNORED) != 0) {
    watched_.erase(directory->second);
    directories_.erase(directory);
    return;
  }
  if (event.len > 0) look_at(directory->second + "/" + event.name);
}

void HolderWatch::take() {
  alignas(inotify_event) std::array<char, 16384> buffer{};
  const ssize_t size = ::read(inotify_.get(), buffer.data(), buffer.size());
  for (ssize_t at = 0; at < size;) {
    const auto* const event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
    ++context_.shared->beat[context_.index];
    take_one(*event);
    at += static_cast<ssize_t>(sizeof *event + event->len);
  }
}

}  // namespace ambit::pipeline
