// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/events_text.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace ambit::cli {

namespace {

using nlohmann::json;

std::uint64_t number_at(const json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string word_at(const json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

bool is_stream_line(std::string_view line) { return line.starts_with("{\"stream\":"); }

std::uint64_t seq_of(std::string_view line) {
  constexpr std::string_view kKey = "\"seq\":";
  const std::size_t at = line.find(kKey);
  std::uint64_t number = 0;
  if (at != std::string_view::npos)
    std::from_chars(line.data() + at + kKey.size(), line.data() + line.size(), number);
  return number;
}

std::string stream_text(std::string_view text, StreamPlace& place) {
  const json line = json::parse(text, nullptr, false);
  if (!line.is_object()) return {};
  const std::uint64_t lost = number_at(line, "lost");
  if (word_at(line, "stream") == "begin") {
    place.run = word_at(line, "run");
    place.next = number_at(line, "from");
    if (lost == 0) return {};
    return std::to_string(lost) +
           " events that were asked for are no longer in memory: it begins with " +
           std::to_string(place.next);
  }
  place.ended = true;
  place.next = number_at(line, "next");
  const std::string reason = word_at(line, "reason");
  if (reason == "stopped") return "the daemon has stopped";
  if (reason != "slow") return {};
  place.slow = true;
  return "this reader was too slow: from event " + std::to_string(place.next) +
         " on nothing was sent, and " + std::to_string(lost) +
         " of these are no longer in memory; go on with" + go_on_text(place);
}

std::string go_on_text(const StreamPlace& place) {
  std::string out = " --from " + std::to_string(place.next);
  if (!place.run.empty()) out += " --run " + place.run;
  return out;
}

}  // namespace ambit::cli
