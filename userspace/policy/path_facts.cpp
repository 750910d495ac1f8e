// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/path_facts.h"

#include <algorithm>
#include <string_view>

namespace ambit::policy {

bool take_facts(const FileSystem& files, const std::string& path, PathFacts& facts) {
  facts.count = 0;
  auto at = files.look("/");
  std::size_t start = 1;
  while (at && start <= path.size()) {
    if (facts.count == PathFacts::kMaxComponents) return false;
    const std::size_t end = std::min(path.find('/', start), path.size());
    facts.components[facts.count++] = {.name = std::string_view(path).substr(start, end - start),
                                       .directory = at->id};
    at = files.look(path.substr(0, end));
    start = end + 1;
  }
  if (!at) return false;
  facts.file = at->id;
  return true;
}

}  // namespace ambit::policy
