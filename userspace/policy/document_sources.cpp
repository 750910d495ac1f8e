// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/document_sources.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace ambit::policy {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 10'000;

bool is_document_name(const fs::path& path) {
  const std::string extension = path.extension().string();
  const bool hidden = path.filename().string().starts_with('.');
  return !hidden && (extension == ".yaml" || extension == ".yml" || extension == ".json");
}

}  // namespace

Result<std::vector<std::string>> document_files(const std::string& source) {
  std::error_code unknown;
  if (!fs::is_directory(source, unknown)) return std::vector{source};
  std::vector<std::string> files;
  std::error_code error;
  fs::directory_iterator entry(source, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (!is_document_name(entry->path()) || entry->is_directory(unknown)) continue;
    files.push_back(entry->path().string());
    if (files.size() > kMaxFiles) return fail("has too many files");
  }
  if (error) return fail("cannot be listed: " + error.message());
  if (files.empty()) return fail("has no *.yaml, *.yml or *.json file in it");
  std::ranges::sort(files);
  return files;
}

}  // namespace ambit::policy
