// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/diagnostic_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

namespace ambit::policy {
namespace {

constexpr std::size_t kMaxQuoted = 80;
constexpr std::size_t kMaxGuessedWord = 64;

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

struct Lead {
  std::uint8_t mask;
  std::uint8_t value;
  std::size_t bytes;
  std::uint32_t least;  ///< smaller codes in this length are overlong
};

constexpr std::array kLeads{
    Lead{.mask = 0x80, .value = 0x00, .bytes = 1, .least = 0},
    Lead{.mask = 0xe0, .value = 0xc0, .bytes = 2, .least = 0x80},
    Lead{.mask = 0xf0, .value = 0xe0, .bytes = 3, .least = 0x800},
    Lead{.mask = 0xf8, .value = 0xf0, .bytes = 4, .least = 0x10000},
};

Character character_at(std::string_view bytes, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  for (const Lead& lead : kLeads) {
    if ((byte(at) & lead.mask) != lead.value) continue;
    if (at + lead.bytes > bytes.size()) return {};
    std::uint32_t code = byte(at) & static_cast<std::uint8_t>(~lead.mask);
    for (std::size_t i = 1; i < lead.bytes; ++i) {
      if ((byte(at + i) & 0xc0) != 0x80) return {};
      code = (code << 6) | (byte(at + i) & 0x3f);
    }
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code < lead.least || code > 0x10ffff || surrogate) return {};
    return {.code = code, .bytes = lead.bytes, .valid = true};
  }
  return {};
}

bool is_control(std::uint32_t code) {
  const bool c0_or_c1 = code < 0x20 || (code >= 0x7f && code < 0xa0);
  const bool bidirectional = code == 0x200e || code == 0x200f ||
                             (code >= 0x202a && code <= 0x202e) ||
                             (code >= 0x2066 && code <= 0x2069);
  const bool line_end = code == 0x2028 || code == 0x2029;
  return c0_or_c1 || bidirectional || line_end || code == 0xfeff;
}

std::string escape_of(std::uint32_t code) {
  switch (code) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      break;
  }
  std::array<char, 16> buffer{};
  std::snprintf(buffer.data(), buffer.size(), code < 0x100 ? "\\x%02x" : "\\u%04x", code);
  return buffer.data();
}

/// How one character is shown, and how many columns that takes.
struct Shown {
  std::string text;
  std::size_t columns = 1;
  std::size_t bytes = 1;
};

Shown show(std::string_view bytes, std::size_t at, Tabs tabs) {
  const Character character = character_at(bytes, at);
  if (!character.valid) {
    return {.text = escape_of(static_cast<std::uint8_t>(bytes[at])), .columns = 4, .bytes = 1};
  }
  const bool kept_tab = character.code == '\t' && tabs == Tabs::keep;
  if (is_control(character.code) && !kept_tab) {
    std::string text = escape_of(character.code);
    const std::size_t columns = text.size();
    return {.text = std::move(text), .columns = columns, .bytes = character.bytes};
  }
  return {.text = std::string(bytes.substr(at, character.bytes)),
          .columns = 1,
          .bytes = character.bytes};
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Optimal string alignment: a swap of two neighbours is one slip, as typists make it.
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> table((a.size() + 1) * width);
  const auto cell = [&](std::size_t i, std::size_t j) -> std::size_t& {
    return table[i * width + j];
  };
  for (std::size_t i = 0; i <= a.size(); ++i) cell(i, 0) = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cell(0, j) = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = cell(i - 1, j - 1) + (a[i - 1] == b[j - 1] ? 0 : 1);
      cell(i, j) = std::min({cell(i - 1, j) + 1, cell(i, j - 1) + 1, changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cell(i, j) = std::min(cell(i, j), cell(i - 2, j - 2) + 1);
      }
    }
  }
  return cell(a.size(), b.size());
}

std::string folded(std::string_view word) {
  std::string lower(word);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    if (c == '_') return '-';
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

}  // namespace

std::optional<std::size_t> first_non_utf8(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const Character character = character_at(bytes, at);
    if (!character.valid) return at;
    at += character.bytes;
  }
  return std::nullopt;
}

bool has_control_characters(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (character.valid && is_control(character.code)) return true;
    at += character.bytes;
  }
  return false;
}

std::string printable(std::string_view bytes, Tabs tabs) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size();) {
    Shown shown = show(bytes, at, tabs);
    out += shown.text;
    at += shown.bytes;
  }
  return out;
}

std::string caret_indent(std::string_view line, std::size_t bytes_before) {
  std::string out;
  for (std::size_t at = 0; at < std::min(bytes_before, line.size());) {
    const Shown shown = show(line, at, Tabs::keep);
    if (shown.text == "\t") {
      out += '\t';
    } else {
      out.append(shown.columns, ' ');
    }
    at += shown.bytes;
  }
  return out;
}

std::string quoted(std::string_view text) {
  if (text.size() <= kMaxQuoted) return '"' + std::string(text) + '"';
  std::size_t cut = kMaxQuoted;
  while (cut > 0 && (static_cast<std::uint8_t>(text[cut]) & 0xc0) == 0x80) --cut;
  return '"' + std::string(text.substr(0, cut)) + "…\"";
}

std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates) {
  if (word.size() > kMaxGuessedWord) return std::nullopt;
  const std::string wanted = folded(word);
  std::optional<std::string_view> best;
  std::size_t best_distance = 0;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kMaxGuessedWord || candidate == word) continue;
    const std::size_t distance = edit_distance(wanted, folded(candidate));
    // A third of the word wrong is still a slip; more is another word.
    const std::size_t limit = std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3);
    if (distance > limit || (best && distance >= best_distance)) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace ambit::policy
