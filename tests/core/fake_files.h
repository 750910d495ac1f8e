// SPDX-License-Identifier: Apache-2.0
// A file system in memory, with symlinks, hard links and renames, for what is compiled from paths.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "userspace/policy/decide.h"
#include "userspace/policy/filesystem.h"

namespace ambit::policy {

class FakeFiles final : public FileSystem {
 public:
  FakeFiles() { entries_[""] = {.id = next_id(), .directory = true, .target = {}}; }

  /// Makes the directories above `path` too.
  void directory(const std::string& path) {
    make(path, {.id = {}, .directory = true, .target = {}});
  }
  void file(const std::string& path) { make(path, {.id = {}, .directory = false, .target = {}}); }
  void device(const std::string& path) {
    file(path);
    entries_[path].device = true;
  }
  void socket(const std::string& path) {
    file(path);
    entries_[path].socket = true;
  }
  void symlink(const std::string& path, const std::string& target) {
    make(path, {.id = {}, .directory = false, .target = target});
  }
  void hard_link(const std::string& path, const std::string& old) {
    file(path);
    entries_[path].id = entries_.at(old).id;
  }
  /// With everything below it.
  void remove(const std::string& path) {
    std::erase_if(entries_, [&](const auto& entry) { return is_in(entry.first, path); });
  }
  void rename(const std::string& from, const std::string& to) {
    remove(to);
    std::map<std::string, Entry> moved;
    for (const auto& [path, entry] : entries_)
      if (is_in(path, from)) moved[to + path.substr(from.size())] = entry;
    remove(from);
    entries_.merge(moved);
  }

  [[nodiscard]] std::optional<FileFacts> look(const std::string& path) const override {
    const auto real = resolve(path, 0);
    if (!real) return std::nullopt;
    const Entry& entry = entries_.at(*real);
    return FileFacts{.id = entry.id,
                     .directory = entry.directory,
                     .regular = !entry.directory && !entry.device && !entry.socket,
                     .device = entry.device,
                     .canonical = real->empty() ? "/" : *real};
  }

  [[nodiscard]] std::vector<std::string> list(const std::string& path) const override {
    std::vector<std::string> names;
    const auto real = resolve(path, 0);
    if (!real) return names;
    for (const auto& [other, entry] : entries_)
      if (other.size() > real->size() && is_in(other, *real) &&
          other.find('/', real->size() + 1) == std::string::npos)
        names.push_back(other.substr(real->size() + 1));
    return names;
  }

  /// Every name of the file.
  [[nodiscard]] std::vector<std::string> names_of(const model::FileId& id) const {
    std::vector<std::string> names;
    for (const auto& [other, entry] : entries_)
      if (entry.id == id && entry.target.empty()) names.push_back(other);
    return names;
  }

  /// What a hook or a holder sees of an open of `path`.
  [[nodiscard]] PathFacts facts(const std::string& path) const {
    PathFacts out;
    const auto real = resolve(path, 0);
    if (!real) return out;
    const auto known = entries_.find(*real);
    const std::string_view text = known->first;
    for (std::size_t start = 1; start <= text.size();) {
      const std::size_t end = std::min(text.find('/', start), text.size());
      out.components[out.count++] = {
          .name = text.substr(start, end - start),
          .directory = entries_.at(std::string(text.substr(0, start - 1))).id};
      start = end + 1;
    }
    out.file = known->second.id;
    return out;
  }

 private:
  struct Entry {
    model::FileId id;
    bool directory = false;
    std::string target;  ///< not empty: a symlink
    bool device = false;
    bool socket = false;
  };

  static bool is_in(const std::string& path, const std::string& directory) {
    return path.starts_with(directory) &&
           (path.size() == directory.size() || path[directory.size()] == '/');
  }

  model::FileId next_id() { return {.dev = 0x800001, .ino = ++last_ino_}; }

  void make(const std::string& path, Entry entry) {
    const std::string above = path.substr(0, path.rfind('/'));
    if (!entries_.contains(above)) directory(above);
    if (entry.directory && entries_.contains(path)) return;
    entry.id = next_id();
    entries_[path] = entry;
  }

  /// Without symlinks; "" is the root.
  [[nodiscard]] std::optional<std::string> resolve(const std::string& path, int depth) const {
    constexpr int kMaxSymlinks = 40;
    if (depth > kMaxSymlinks) return std::nullopt;
    std::string at;
    for (std::size_t start = 1; start < path.size();) {
      const std::size_t end = std::min(path.find('/', start), path.size());
      const std::string next = at + "/" + path.substr(start, end - start);
      const auto found = entries_.find(next);
      if (found == entries_.end() || !entries_.at(at).directory) return std::nullopt;
      if (const std::string& target = found->second.target; !target.empty()) {
        const std::string whole = target.starts_with('/') ? target : at + "/" + target;
        return resolve(whole + path.substr(end), depth + 1);
      }
      at = next;
      start = end + 1;
    }
    return at;
  }

  std::map<std::string, Entry> entries_;  ///< by path; the root is ""
  std::uint64_t last_ino_ = 100;
};

}  // namespace ambit::policy
