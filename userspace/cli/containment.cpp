// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/containment.h"

#include <array>
#include <nlohmann/json.hpp>

namespace ambit::cli {
namespace {

using Json = nlohmann::json;

struct Word {
  const char* letter;
  const char* word;
};

constexpr std::array kWords{
    Word{"D", "denied"},        Word{"K", "killed before the effect"},
    Word{"A", "reported only"}, Word{"U", "denied and not reported"},
    Word{"-", "missed"},        Word{"n/a", "not possible there"},
};

/// "6.12" of "6.12.117+deb12-cloud-amd64".
std::string series_of(const std::string& release) {
  const std::size_t first = release.find('.');
  const std::size_t second = release.find_first_not_of("0123456789", first + 1);
  return first == std::string::npos ? release : release.substr(0, second);
}

Containment read(const Json& column, const std::string& date) {
  Containment found;
  found.date = date;
  found.kernel = column.at("kernel").get<std::string>();
  for (const auto& [row, counts] : column.at("rows").items()) {
    for (const auto& [letter, count] : counts.items()) found.counts[letter] += count.get<int>();
  }
  for (const Json& less : column.at("short")) {
    found.shorts.push_back({.result = less.at("result").get<std::string>(),
                            .ways = less.at("ways").get<std::vector<std::string>>(),
                            .why = less.at("why").get<std::string>()});
  }
  return found;
}

}  // namespace

std::optional<Containment> containment_of(std::string_view facts, model::Backend backend,
                                          const std::string& kernel) {
  const Json all = Json::parse(facts, nullptr, false);
  if (!all.is_object() || !all.contains("columns")) return std::nullopt;
  std::optional<Containment> found;
  for (const Json& column : all.at("columns")) {
    if (column.at("backend").get<std::string>() != model::name_of(backend)) continue;
    Containment one = read(column, all.at("date").get<std::string>());
    one.same_kernel = series_of(one.kernel) == series_of(kernel);
    // Columns stand in the order of their kernels.
    if (!found || !found->same_kernel) found = std::move(one);
  }
  return found;
}

std::string counts_in_words(const Containment& containment) {
  std::string text;
  for (const Word& word : kWords) {
    const auto count = containment.counts.find(word.letter);
    if (count == containment.counts.end() || count->second == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(count->second) + " " + word.word;
  }
  return text;
}

}  // namespace ambit::cli
