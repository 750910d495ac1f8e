// SPDX-License-Identifier: Apache-2.0
#include "tests/kernel/storm/tally.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace ambit::probe {
namespace {

bool has(const std::string& line, std::string_view text) {
  return line.find(text) != std::string::npos;
}

std::string kind_of(const std::string& line) {
  constexpr std::string_view kKey = "\"kind\":\"";
  const std::size_t at = line.find(kKey);
  if (at == std::string::npos) return "";
  const std::size_t start = at + kKey.size();
  return line.substr(start, line.find('"', start) - start);
}

}  // namespace

long Tally::lost(const std::string& cause) const {
  long sum = 0;
  for (const Json& event : losses)
    if (cause.empty() || text_at(event, "/loss/cause") == cause)
      sum += at(event, "/loss/count").get<long>();
  return sum;
}

std::string Tally::summary() const {
  std::ostringstream out;
  out << findings.size() << " findings";
  for (const auto& [kind, count] : inside) out << ", " << count << " " << kind;
  for (const Json& event : losses) out << ", lost " << at(event, "/loss").dump();
  if (malformed != 0) out << ", " << malformed << " malformed lines";
  return out.str();
}

Tally tally(const std::string& path, const std::function<bool(const std::string& line)>& counts) {
  Tally result;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const bool finding = has(line, "\"finding\":true");
    const std::string kind = kind_of(line);
    if (!finding && kind != "loss") {
      if (!line.ends_with('}') || kind.empty())
        ++result.malformed;
      else if (counts(line))
        ++result.inside[kind];
      continue;
    }
    Json event = Json::parse(line, nullptr, false);
    if (!event.is_object())
      ++result.malformed;
    else
      (finding ? result.findings : result.losses).push_back(std::move(event));
  }
  return result;
}

}  // namespace ambit::probe
