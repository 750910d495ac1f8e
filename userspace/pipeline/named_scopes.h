// SPDX-License-Identifier: Apache-2.0
// Scopes that tasks are opened with by their name.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <vector>

#include "userspace/model/documents.h"
#include "userspace/policy/diagnostic.h"

namespace ambit::pipeline {

struct NamedScope {
  std::string text;
  std::string file;
};
using NamedScopes = std::map<std::string, NamedScope>;

/// One TaskScope in each file of the sources, judged against the catalogue as a task's would be;
/// else all that is wrong with any. They are compiled when a task is opened with one: programs and
/// directories are those of that moment.
[[nodiscard]] std::expected<NamedScopes, std::vector<policy::Diagnostic>> load_scopes(
    const std::vector<std::string>& sources, const model::Catalogue& catalogue);

}  // namespace ambit::pipeline
