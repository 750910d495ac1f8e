// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/query.h"

#include <algorithm>
#include <optional>

#include "userspace/base/utf8.h"
#include "userspace/base/whole_number.h"
#include "userspace/policy/diagnostic_text.h"

namespace ambit::daemon {

namespace {

constexpr std::size_t kDigits = 2;
constexpr int kHexadecimal = 16;
constexpr std::size_t kShown = 64;

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const std::string_view digits = text.substr(i + 1, kDigits);
    const auto byte =
        digits.size() == kDigits ? whole_number<std::uint8_t>(digits, kHexadecimal) : std::nullopt;
    if (!byte) return std::nullopt;
    out += static_cast<char>(*byte);
    i += kDigits;
  }
  return out;
}

bool is_known(std::string_view key, std::string_view known) {
  if (key.empty() || key.find(' ') != std::string_view::npos) return false;
  const std::string padded = ' ' + std::string(known) + ' ';
  return padded.find(' ' + std::string(key) + ' ') != std::string::npos;
}

Result<void> read_pair(std::string_view pair, std::string_view known, Query& into) {
  const std::size_t equals = std::min(pair.find('='), pair.size());
  const std::string_view key = pair.substr(0, equals);
  if (!is_known(key, known))
    return fail(known.empty() ? "this takes no query"
                              : "unknown key \"" + to_terminal(key, kShown) + "\": known are " +
                                    std::string(known));
  if (pair.size() <= equals + 1) return fail(std::string(key) + " has no value");
  auto value = decoded(pair.substr(equals + 1));
  if (!value) return fail(std::string(key) + " has a % that no two hexadecimal digits follow");
  if (policy::first_non_utf8(*value) || value->find('\0') != std::string::npos)
    return fail(std::string(key) + " is no text");
  if (!into.emplace(key, std::move(*value)).second) return fail(std::string(key) + " stands twice");
  return {};
}

}  // namespace

Result<Query> parse_query(std::string_view text, std::string_view known) {
  Query out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    if (auto read = read_pair(text.substr(0, end), known, out); !read)
      return std::unexpected(read.error());
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string percent_encoded(std::string_view value) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/@,";
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : value) {
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', kHexDigits[byte / kHexDigits.size()], kHexDigits[byte % kHexDigits.size()]};
  }
  return out;
}

}  // namespace ambit::daemon
