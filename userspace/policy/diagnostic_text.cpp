// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/diagnostic_text.h"

#include <algorithm>
#include <vector>

#include "userspace/base/utf8.h"

namespace ambit::policy {
namespace {

constexpr std::size_t kMaxQuoted = 80;
constexpr std::size_t kMaxGuessedWord = 64;

/// How one character is shown, and how many columns that takes.
struct Shown {
  std::string text;
  std::size_t columns = 1;
  std::size_t bytes = 1;
};

Shown show(std::string_view bytes, std::size_t at, Tabs tabs) {
  const std::size_t size = std::max<std::size_t>(1, first_code_point(bytes.substr(at)).size);
  const std::string_view character = bytes.substr(at, size);
  if (character == "\t" && tabs == Tabs::keep) return {.text = "\t", .columns = 1, .bytes = 1};
  std::string text = to_terminal(character);
  // An escape is ASCII, a letter for each byte.
  const std::size_t columns = text == character ? 1 : text.size();
  return {.text = std::move(text), .columns = columns, .bytes = size};
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
    const std::size_t size = first_code_point(bytes.substr(at)).size;
    if (size == 0) return at;
    at += size;
  }
  return std::nullopt;
}

bool has_invisible_characters(std::string_view text) {
  return to_terminal(text, text.size()) != text;
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

std::string in_quotes(std::string_view text) {
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
    const std::size_t limit =
        std::max<std::size_t>(1, (std::max(word.size(), candidate.size()) + 1) / 3);
    if (distance > limit || (best && distance >= best_distance)) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace ambit::policy
