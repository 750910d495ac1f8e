// SPDX-License-Identifier: Apache-2.0
#include "userspace/correlation/blend.h"

namespace ambit::correlation {

std::optional<Blend::Pair> Blend::use(const std::vector<std::string>& names,
                                      const std::map<std::string, model::Authority>& authority) {
  if (told_) return std::nullopt;
  for (const std::string& name : names) {
    const auto known = authority.find(name);
    if (known == authority.end()) continue;
    auto& first = first_.at(static_cast<std::size_t>(known->second));
    if (!first) first = name;
  }
  const auto& delegated = first_.at(static_cast<std::size_t>(model::Authority::delegated));
  const auto& own = first_.at(static_cast<std::size_t>(model::Authority::agent));
  if (!delegated || !own) return std::nullopt;
  told_ = true;
  return Pair{*delegated, *own};
}

}  // namespace ambit::correlation
