// SPDX-License-Identifier: Apache-2.0
// Whether a task has used a person's authority and the agent's own.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "userspace/model/documents.h"

namespace ambit::correlation {

class Blend {
 public:
  using Pair = std::pair<std::string, std::string>;  ///< delegated, agent

  /// Credentials that were used. The first of either authority, once: when both have been.
  [[nodiscard]] std::optional<Pair> use(const std::vector<std::string>& names,
                                        const std::map<std::string, model::Authority>& authority);

 private:
  std::array<std::optional<std::string>, 2> first_;  ///< by authority
  bool told_ = false;
};

}  // namespace ambit::correlation
