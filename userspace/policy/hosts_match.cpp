// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/hosts_match.h"

#include <algorithm>

namespace ambit::policy {
namespace {

constexpr std::string_view kWildcard = "*.";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// "api.example.com" -> "com.example.api."; each label keeps a dot behind it, so that
/// "com.example." is a prefix of what lies at or below it and of nothing else.
std::string reversed_labels(std::string_view name) {
  std::string result;
  result.reserve(name.size() + 1);
  while (!name.empty()) {
    const std::size_t dot = name.rfind('.');
    const std::size_t start = dot == std::string_view::npos ? 0 : dot + 1;
    result.append(name.substr(start)).push_back('.');
    name = name.substr(0, start == 0 ? 0 : dot);
  }
  return result;
}

}  // namespace

std::string plain_host(std::string_view name) {
  if (name.ends_with('.')) {
    name.remove_suffix(1);
  }
  std::string result(name);
  std::ranges::transform(result, result.begin(), lower);
  return result;
}

bool is_wildcard(std::string_view host) { return host.starts_with(kWildcard); }

NameIndex::NameIndex(const ResolvedNames& resolved) {
  for (const auto& [spelt, addresses] : resolved) {
    std::string name = plain_host(spelt);
    Entry& entry = by_reversed_labels_[reversed_labels(name)];
    entry.name = std::move(name);
    entry.addresses.insert(entry.addresses.end(), addresses.begin(), addresses.end());
  }
}

std::vector<const NameIndex::Entry*> NameIndex::find(std::string_view host) const {
  const std::string rule = plain_host(host);
  std::vector<const Entry*> found;
  if (!is_wildcard(rule)) {
    if (const auto at = by_reversed_labels_.find(reversed_labels(rule));
        at != by_reversed_labels_.end()) {
      found.push_back(&at->second);
    }
    return found;
  }
  const std::string below = reversed_labels(std::string_view(rule).substr(kWildcard.size()));
  for (auto at = by_reversed_labels_.upper_bound(below);
       at != by_reversed_labels_.end() && at->first.starts_with(below); ++at) {
    found.push_back(&at->second);
  }
  return found;
}

}  // namespace ambit::policy
