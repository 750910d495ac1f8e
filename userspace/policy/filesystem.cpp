// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/filesystem.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <climits>
#include <cstdlib>
#include <filesystem>
#include <memory>

namespace ambit::policy {

std::uint64_t kernel_device(unsigned major, unsigned minor) {
  constexpr unsigned kMinorBits = 20;
  return (static_cast<std::uint64_t>(major) << kMinorBits) | minor;
}

std::optional<FileFacts> RealFileSystem::look(const std::string& path) const {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  if (!real) return std::nullopt;
  return FileFacts{.id = {.dev = kernel_device(major(status.st_dev), minor(status.st_dev)),
                          .ino = status.st_ino},
                   .directory = S_ISDIR(status.st_mode),
                   .regular = S_ISREG(status.st_mode),
                   .device = S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode),
                   .canonical = real.get()};
}

std::vector<std::string> RealFileSystem::list(const std::string& directory) const {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error))
    names.push_back(entry->path().filename().string());
  return names;
}

std::optional<FileFacts> RememberedFileSystem::look(const std::string& path) const {
  const auto known = looked_.find(path);
  if (known != looked_.end()) return known->second;
  return looked_.emplace(path, files_.look(path)).first->second;
}

std::vector<std::string> RememberedFileSystem::list(const std::string& directory) const {
  const auto known = listed_.find(directory);
  if (known != listed_.end()) return known->second;
  return listed_.emplace(directory, files_.list(directory)).first->second;
}

}  // namespace ambit::policy
