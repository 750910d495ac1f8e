// SPDX-License-Identifier: Apache-2.0
// What a backend cannot hold for a process that Ambit did not start.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "userspace/model/documents.h"
#include "userspace/policy/environment.h"

namespace ambit::pipeline {

struct AdoptedFacts {
  model::Backend backend = model::Backend::none;
  const model::Scope& scope;
  const model::Catalogue& catalogue;
  const policy::Environment& environment;  ///< of the process
  bool pattern_alone = false;              ///< the catalogue has credentials known by pattern alone
};

/// How those of the process's environment begin.
inline constexpr std::string_view kRelocationLimit = "catalogue: ";

/// Sentences, for the one who declares the task.
[[nodiscard]] std::vector<std::string> limits_of(const AdoptedFacts& facts);

}  // namespace ambit::pipeline
