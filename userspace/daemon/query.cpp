// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/query.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "userspace/policy/diagnostic_text.h"

namespace ambit::daemon {

namespace {

constexpr std::size_t kEscape = 3;  // %XX
constexpr int kHex = 16;

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    unsigned value = 0;
    const std::string_view digits = text.substr(i + 1, kEscape - 1);
    const auto* const end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, value, kHex);
    if (digits.size() != kEscape - 1 || read.ptr != end) return std::nullopt;
    out += static_cast<char>(value);
    i += digits.size();
  }
  if (first_non_utf8(out) || out.find('\0') != std::string::npos) return std::nullopt;
  return out;
}

bool is_known(std::string_view key, std::string_view known) {
  if (key.empty() || key.find(' ') != std::string_view::npos) return false;
  const std::string padded = ' ' + std::string(known) + ' ';
  return padded.find(' ' + std::string(key) + ' ') != std::string::npos;
}

}  // namespace

Result<Query> parse_query(std::string_view text, std::string_view known) {
  Query out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals + 1 == part.size())
      return fail("the query is not understood: key=value is wanted");
    const std::string_view key = part.substr(0, equals);
    auto value = decoded(part.substr(equals + 1));
    if (!value) return fail("the query is not understood: a value is no text");
    if (!is_known(key, known))
      return fail(known.empty() ? "this takes no query"
                                : "the query is not understood: known are " + std::string(known));
    if (!out.emplace(key, std::move(*value)).second)
      return fail("the query has " + std::string(key) + " twice");
  }
  return out;
}

std::string in_query(std::string_view value) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte / kHex];
      out += kDigits[byte % kHex];
    }
  }
  return out;
}

}  // namespace ambit::daemon
