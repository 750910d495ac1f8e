// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/document_watch.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "userspace/policy/document_sources.h"

namespace ambit::daemon {

namespace {

std::string stamp_of(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return "errno " + std::to_string(errno);
  std::string out;
  for (const auto number : std::array<std::int64_t, 7>{
           static_cast<std::int64_t>(found.st_dev), static_cast<std::int64_t>(found.st_ino),
           found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_ctim.tv_sec,
           found.st_ctim.tv_nsec})
    out += std::to_string(number) + " ";
  return out;
}

}  // namespace

DocumentWatch::DocumentWatch(std::vector<std::string> sources) : sources_(std::move(sources)) {
  take();
}

DocumentWatch::Stamps DocumentWatch::look() const {
  Stamps out;
  for (const std::string& source : sources_) {
    const auto files = policy::document_files(source);
    if (!files) out.emplace(source, files.error().message);
    for (const std::string& file : files.value_or(std::vector<std::string>{}))
      out.emplace(file, stamp_of(file));
  }
  return out;
}

void DocumentWatch::take() { taken_ = seen_ = look(); }

void DocumentWatch::watch(std::vector<std::string> sources) {
  if (sources == sources_) return;
  sources_ = std::move(sources);
  const Stamps before = std::exchange(taken_, look());
  for (auto& [path, stamp] : taken_)
    if (const auto known = before.find(path); known != before.end()) stamp = known->second;
  seen_ = taken_;
}

bool DocumentWatch::has_changed() {
  const Stamps before = std::exchange(seen_, look());
  if (seen_ != before || seen_ == taken_) return false;
  taken_ = seen_;
  return true;
}

}  // namespace ambit::daemon
