// SPDX-License-Identifier: Apache-2.0
#include "userspace/base/proc_field.h"

#include <fstream>

#include "userspace/base/whole_number.h"

namespace ambit {

namespace {
constexpr std::string_view kBlanks = " \t";
}

std::optional<std::string> proc_field(const std::string& path, std::string_view word) {
  std::ifstream lines(path);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(word)) continue;
    const std::size_t begin = line.find_first_not_of(kBlanks, word.size());
    if (begin == std::string::npos) return std::string();
    return line.substr(begin, line.find_last_not_of(kBlanks) + 1 - begin);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> proc_number(const std::string& path, std::string_view word, int base) {
  const auto field = proc_field(path, word);
  if (!field) return std::nullopt;
  return whole_number<std::uint64_t>(
      std::string_view(*field).substr(0, field->find_first_of(kBlanks)), base);
}

}  // namespace ambit
