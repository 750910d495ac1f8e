// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/marks.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "userspace/policy/paths.h"
#include "userspace/policy/pattern_form.h"

namespace ambit::policy {

namespace {

// Every opener of a file in a marked directory waits for the holder, outsiders too.
constexpr std::array<std::string_view, 14> kShared{"/",    "/etc",     "/tmp",     "/run",  "/var",
                                                   "/usr", "/var/run", "/var/tmp", "/home", "/root",
                                                   "/dev", "/dev/shm", "/srv",     "/opt"};

/// A directory beside whose credentials more than this lies holds more than little else.
constexpr std::size_t kMaxEntries = 64;

class Planner {
 public:
  Planner(const std::vector<std::string>& homes, const FileSystem& files) : files_(files) {
    shared_.insert(kShared.begin(), kShared.end());
    shared_.insert(homes.begin(), homes.end());
    // Under the names that they really have: a home can be a symlink.
    for (const std::string& directory : std::vector(shared_.begin(), shared_.end()))
      if (auto facts = files.look(directory)) shared_.insert(facts->canonical);
  }

  void add(const model::Pattern& pattern) {
    auto form = parse_pattern_form(pattern.text);
    if (!form || pattern.exclude || form->root != PatternRoot::absolute) return;
    for (const std::string& file : existing_secrets({{.text = pattern.text}}, files_)) {
      plan_.files.insert(file);
      if (form->subtree) add_directories_up_to(file, form->components.size());
      add_directory_of_target(file);
      watch_directory_of(file);
    }
    std::string directory;
    const std::size_t count = form->subtree ? form->components.size() : form->components.size() - 1;
    for (std::size_t i = 0; i < std::min(count, form->star.value_or(count)); ++i)
      directory += "/" + form->components[i];
    add_directory(directory, form->subtree);
    watch_way_to(directory, form->star && *form->star < count);
  }

  MarkPlan take() { return std::move(plan_); }

 private:
  void add_directories_up_to(const std::string& file, std::size_t components) {
    std::string directory = file.substr(0, file.rfind('/'));
    while (static_cast<std::size_t>(std::ranges::count(directory, '/')) > components) {
      plan_.directories.insert(directory);
      directory.resize(directory.rfind('/'));
    }
  }

  /// What a symlink leads to is replaced there, not here.
  void add_directory_of_target(const std::string& file) {
    const auto facts = files_.look(file);
    if (facts && facts->canonical != file)
      add_directory(facts->canonical.substr(0, facts->canonical.rfind('/')), false);
  }

  void watch_directory_of(const std::string& file) {
    if (const auto facts = files_.look(file.substr(0, std::max<std::size_t>(file.rfind('/'), 1))))
      plan_.watched.insert(facts->canonical);
  }

  /// The last directory that is there, and the one that is missing in it.
  void watch_way_to(std::string directory, bool goes_on) {
    std::string missing = goes_on ? "/*" : "";
    while (true) {
      const auto facts = files_.look(directory.empty() ? "/" : directory);
      if (facts && facts->directory) {
        const std::string at = facts->canonical == "/" ? "" : facts->canonical;
        plan_.watched.insert(facts->canonical);
        if (!missing.empty()) plan_.awaited.insert(at + missing);
        return;
      }
      if (directory.empty()) return;
      missing = directory.substr(directory.rfind('/'));
      directory.resize(directory.rfind('/'));
    }
  }

  void add_directory(const std::string& directory, bool subtree) {
    auto facts = files_.look(directory.empty() ? "/" : directory);
    if (!facts || !facts->directory) return;
    const bool little = subtree || files_.list(facts->canonical).size() <= kMaxEntries;
    if (is_shared(facts->canonical) || !little)
      plan_.unmarked.insert(facts->canonical);
    else
      plan_.directories.insert(facts->canonical);
  }

  [[nodiscard]] bool is_shared(const std::string& directory) const {
    return shared_.contains(directory) || directory.starts_with("/run/user/") ||
           directory.starts_with("/usr/") || directory.starts_with("/proc") ||
           directory.starts_with("/sys");
  }

  std::set<std::string> shared_;
  const FileSystem& files_;
  MarkPlan plan_;
};

}  // namespace

MarkPlan plan_marks(const ExpandedCatalogue& catalogue, const std::vector<std::string>& homes,
                    const FileSystem& files) {
  Planner planner(homes, files);
  for (const auto& patterns : catalogue.files)
    for (const model::Pattern& pattern : patterns) planner.add(pattern);
  return planner.take();
}

}  // namespace ambit::policy
