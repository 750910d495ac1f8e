// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/document_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace ambit::policy {
namespace {

constexpr std::size_t kMaxName = 128;
constexpr std::size_t kMaxAgent = 2048;

struct PlainWord {
  std::string_view text;
  NodeType type;
};

constexpr std::array kPlainWords{
    PlainWord{.text = "", .type = NodeType::nothing},
    PlainWord{.text = "~", .type = NodeType::nothing},
    PlainWord{.text = "null", .type = NodeType::nothing},
    PlainWord{.text = "Null", .type = NodeType::nothing},
    PlainWord{.text = "NULL", .type = NodeType::nothing},
    PlainWord{.text = "true", .type = NodeType::boolean},
    PlainWord{.text = "True", .type = NodeType::boolean},
    PlainWord{.text = "TRUE", .type = NodeType::boolean},
    PlainWord{.text = "false", .type = NodeType::boolean},
    PlainWord{.text = "False", .type = NodeType::boolean},
    PlainWord{.text = "FALSE", .type = NodeType::boolean},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_letter(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }

bool is_number(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0o")) {
    const int base = text[1] == 'x' ? 16 : 8;
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    return std::from_chars(text.data() + 2, end, value, base).ptr == end && text.size() > 2;
  }
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  if (text == ".inf" || text == ".nan") return true;
  if (text.empty() || !std::ranges::any_of(text, is_digit)) return false;
  if (!is_digit(text.front()) && text.front() != '.') return false;
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  return stopped == end && error != std::errc::invalid_argument;
}

struct Unit {
  std::string_view name;
  std::chrono::nanoseconds size;
};

constexpr std::array kUnits{
    Unit{.name = "h", .size = std::chrono::hours{1}},
    Unit{.name = "m", .size = std::chrono::minutes{1}},
    Unit{.name = "s", .size = std::chrono::seconds{1}},
    Unit{.name = "ms", .size = std::chrono::milliseconds{1}},
};

/// A number and its unit at the front of `rest`, which moves on; nothing if it is none.
std::optional<std::pair<std::uint64_t, std::size_t>> take_part(std::string_view& rest) {
  std::uint64_t count = 0;
  const char* const end = rest.data() + rest.size();
  const auto [stopped, error] = std::from_chars(rest.data(), end, count);
  if (error != std::errc{} || stopped == rest.data()) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(stopped - rest.data()));
  const auto letters = std::ranges::find_if_not(rest, is_letter) - rest.begin();
  const std::string_view name = rest.substr(0, static_cast<std::size_t>(letters));
  const auto* const unit = std::ranges::find(kUnits, name, &Unit::name);
  if (unit == kUnits.end()) return std::nullopt;
  rest.remove_prefix(name.size());
  return std::pair{count, static_cast<std::size_t>(unit - kUnits.begin())};
}

Formed<void> check_spiffe(std::string_view text) {
  std::string_view rest = text.substr(std::string_view("spiffe://").size());
  const std::string_view domain = rest.substr(0, rest.find('/'));
  const auto in_domain = [](char c) {
    return is_lower(c) || is_digit(c) || c == '.' || c == '-' || c == '_';
  };
  if (domain.empty() || !std::ranges::all_of(domain, in_domain)) {
    return mistaken(
        "is no SPIFFE ID: its trust domain is lower-case letters, digits, '.', '-' and '_'");
  }
  rest.remove_prefix(domain.size());
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view segment = rest.substr(0, rest.find('/'));
    const auto in_segment = [](char c) {
      return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_';
    };
    if (segment.empty() || segment == "." || segment == ".." ||
        !std::ranges::all_of(segment, in_segment)) {
      return mistaken(
          "is no SPIFFE ID: a path segment is letters, digits, '.', '-' and '_', never empty");
    }
    rest.remove_prefix(segment.size());
  }
  return {};
}

}  // namespace

NodeType type_of_plain(std::string_view text) {
  const auto* const word = std::ranges::find(kPlainWords, text, &PlainWord::text);
  if (word != kPlainWords.end()) return word->type;
  return is_number(text) ? NodeType::number : NodeType::text;
}

Formed<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  constexpr std::string_view kForm = "is no duration; write 500ms, 90s, 30m or 1h30m";
  std::chrono::nanoseconds total{0};
  std::size_t next_unit = 0;
  std::string_view rest = text;
  if (text.empty()) return mistaken(std::string(kForm));
  if (std::ranges::all_of(text, is_digit)) {
    return mistaken("is a duration without a unit; write 500ms, 90s, 30m or 1h30m");
  }
  while (!rest.empty()) {
    const auto part = take_part(rest);
    if (!part || part->second < next_unit) return mistaken(std::string(kForm));
    const auto& [count, unit] = *part;
    const auto most = static_cast<std::uint64_t>(kMaxDuration / kUnits.at(unit).size);
    if (count > most) return mistaken("is longer than a year (8760h)");
    total += kUnits.at(unit).size * static_cast<std::int64_t>(count);
    next_unit = unit + 1;
  }
  if (total <= std::chrono::nanoseconds{0})
    return mistaken("is no time at all; it must be above zero");
  if (total > kMaxDuration) return mistaken("is longer than a year (8760h)");
  return total;
}

std::string text_of_duration(std::chrono::nanoseconds duration) {
  using std::chrono::duration_cast;
  if (duration <= std::chrono::nanoseconds{}) return "no time";
  const auto seconds = duration_cast<std::chrono::seconds>(duration).count();
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  if (seconds == 0)
    return std::to_string(duration_cast<std::chrono::milliseconds>(duration).count()) + "ms";
  std::string text;
  if (seconds >= kHour) text += std::to_string(seconds / kHour) + "h";
  if (seconds % kHour >= kMinute) text += std::to_string(seconds % kHour / kMinute) + "m";
  if (seconds % kMinute > 0) text += std::to_string(seconds % kMinute) + "s";
  return text;
}

Formed<std::string> parse_name(std::string_view text) {
  const auto inner = [](char c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_';
  };
  const auto outer = [](char c) { return is_letter(c) || is_digit(c); };
  if (text.empty()) return mistaken("is an empty name");
  if (text.size() > kMaxName) return mistaken("is longer than 128 characters");
  if (!std::ranges::all_of(text, inner) || !outer(text.front()) || !outer(text.back())) {
    return mistaken(
        "is no name: letters, digits, '.', '-' and '_', with a letter or digit first and last");
  }
  return std::string(text);
}

Formed<std::string> parse_agent(std::string_view text) {
  const auto in_scheme = [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  };
  const std::string_view scheme = text.substr(0, text.find(':'));
  const bool has_scheme = scheme.size() + 1 < text.size() && !scheme.empty() &&
                          is_letter(scheme[0]) && std::ranges::all_of(scheme, in_scheme);
  if (text.size() > kMaxAgent) return mistaken("is longer than 2048 characters");
  if (!has_scheme) {
    return mistaken(
        "is no URI; an agent is named like spiffe://example.org/agent/name or urn:agent:name");
  }
  const auto printable_ascii = [](char c) { return c > 0x20 && c < 0x7f; };
  if (!std::ranges::all_of(text, printable_ascii)) {
    return mistaken("is no URI: blanks and characters beyond ASCII are percent-encoded there");
  }
  if (text.starts_with("spiffe://")) {
    if (auto good = check_spiffe(text); !good) return std::unexpected(good.error());
  }
  return std::string(text);
}

Formed<std::string> parse_variable(std::string_view text) {
  const auto inner = [](char c) { return is_letter(c) || is_digit(c) || c == '_'; };
  const bool good = !text.empty() && text.size() <= kMaxName && !is_digit(text.front()) &&
                    std::ranges::all_of(text, inner);
  if (!good) return mistaken("is no name of an environment variable");
  return std::string(text);
}

}  // namespace ambit::policy
