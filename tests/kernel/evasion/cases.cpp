// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>
#include <stdexcept>

#include "tests/kernel/evasion/case.h"

namespace ambit::probe::evasion {

std::span<const Case> cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> joined;
    for (const auto& table : {file_cases(), descriptor_cases(), change_cases(), program_cases(),
                              membership_cases(), network_cases(), peer_cases(), holding_cases()})
      joined.insert(joined.end(), table.begin(), table.end());
    return joined;
  }();
  return all;
}

void add_short(std::vector<Case>& table, const std::vector<std::string>& names, const Short& less) {
  for (const std::string& name : names) {
    const auto found = std::ranges::find(table, name, &Case::name);
    // A name that is gone must not leave its sentence behind.
    if (found == table.end()) throw std::logic_error("no case is called " + name);
    found->shorts.push_back(less);
  }
}

std::string test_name(const Case& way) {
  std::string name = way.row + "_";
  for (const char c : way.name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (plain)
      name += c;
    else if (name.back() != '_')
      name += '_';
  }
  while (name.back() == '_') name.pop_back();
  return name;
}

void PrintTo(const Case& way, std::ostream* out) { *out << test_name(way); }

}  // namespace ambit::probe::evasion
