// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/check_files.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

namespace ambit::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxEntries = 200'000;

bool is_document_name(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

/// What is listed of a directory, before it is known to be all.
class Listing {
 public:
  explicit Listing(const std::string& root) : root_(root) {}

  FoundFiles take() {
    walk();
    std::ranges::sort(found_.files);
    if (found_.files.empty() && found_.diagnostics.empty())
      complain(root_, "has no *.yaml, *.yml or *.json file in it");
    return std::move(found_);
  }

 private:
  void walk() {
    std::vector<fs::path> open{root_};
    while (!open.empty()) {
      const fs::path directory = std::move(open.back());
      open.pop_back();
      std::error_code error;
      fs::directory_iterator entry(directory, error);
      for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        if (++entries_ > kMaxEntries || found_.files.size() >= kMaxCheckedFiles)
          return complain(root_, "has too many files in it to be looked through: name fewer");
        look(*entry, open);
      }
      if (error) complain(directory.string(), "cannot be listed: " + error.message());
    }
  }

  void look(const fs::directory_entry& entry, std::vector<fs::path>& open) {
    std::error_code unknown;
    if (entry.path().filename().string().starts_with('.')) return;
    if (entry.is_directory(unknown)) {
      if (!entry.is_symlink(unknown)) open.push_back(entry.path());
    } else if (is_document_name(entry.path()) && !entry.is_other(unknown)) {
      found_.files.push_back(entry.path().string());
    }
  }

  void complain(std::string file, std::string message) {
    found_.diagnostics.push_back(about_file(std::move(file), std::move(message)));
  }

  const std::string& root_;
  FoundFiles found_;
  std::size_t entries_ = 0;
};

}  // namespace

policy::Diagnostic about_file(std::string file, std::string message) {
  policy::Diagnostic diagnostic;
  diagnostic.file = std::move(file);
  diagnostic.message = std::move(message);
  return diagnostic;
}

FoundFiles find_files(const std::vector<std::string>& paths) {
  FoundFiles all;
  std::set<fs::path> known;
  for (const std::string& path : paths) {
    std::error_code unknown;
    FoundFiles found;
    if (fs::is_directory(path, unknown)) {
      found = Listing(path).take();
    } else {
      found.files.push_back(path);
    }
    std::ranges::move(found.diagnostics, std::back_inserter(all.diagnostics));
    for (std::string& file : found.files) {
      const fs::path real = fs::weakly_canonical(file, unknown);
      if (known.insert(real.empty() ? fs::path(file) : real).second)
        all.files.push_back(std::move(file));
    }
  }
  return all;
}

}  // namespace ambit::cli
