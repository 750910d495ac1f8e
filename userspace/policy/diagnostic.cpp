// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/diagnostic.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "userspace/policy/diagnostic_text.h"

namespace ambit::policy {
namespace {

constexpr std::size_t kMaxDiagnostics = 100;
constexpr std::size_t kMaxSourceLine = 160;
constexpr std::size_t kBeforeCaret = 100;

std::string_view line_of(std::string_view text, std::uint32_t line) {
  std::size_t begin = 0;
  for (std::uint32_t i = 1; i < line; ++i) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return {};
    begin = end + 1;
  }
  std::string_view found = text.substr(begin, text.find('\n', begin) - begin);
  if (found.ends_with('\r')) found.remove_suffix(1);
  return found;
}

bool inside_character(std::string_view line, std::size_t at) {
  return at < line.size() && (static_cast<unsigned char>(line[at]) & 0xc0) == 0x80;
}

void attach_line(Diagnostic& diagnostic, std::string_view text) {
  const std::string_view line = line_of(text, diagnostic.line);
  const std::size_t column = std::min<std::size_t>(diagnostic.column, line.size() + 1);
  std::size_t begin = 0;
  if (line.size() > kMaxSourceLine && column > kBeforeCaret) begin = column - kBeforeCaret;
  while (begin > 0 && inside_character(line, begin)) --begin;
  std::size_t end = std::min(line.size(), begin + kMaxSourceLine);
  while (end > begin && inside_character(line, end)) --end;
  diagnostic.source_line = line.substr(begin, end - begin);
  diagnostic.caret = static_cast<std::uint32_t>(column - begin);
}

bool in_order(const Diagnostic& a, const Diagnostic& b) {
  return std::tie(a.line, a.column) < std::tie(b.line, b.column);
}

}  // namespace

std::string render(const Diagnostic& diagnostic) {
  std::string out = printable(diagnostic.file);
  if (diagnostic.line > 0) {
    out += ':' + std::to_string(diagnostic.line) + ':' + std::to_string(diagnostic.column);
  }
  out += diagnostic.severity == DiagnosticSeverity::error ? ": error: " : ": warning: ";
  out += printable(diagnostic.message);
  if (!diagnostic.suggestion.empty()) {
    out += "; did you mean \"" + printable(diagnostic.suggestion) + "\"?";
  }
  out += '\n';
  if (diagnostic.caret == 0) return out;
  out += "  " + printable(diagnostic.source_line, Tabs::keep) + '\n';
  out += "  " + caret_indent(diagnostic.source_line, diagnostic.caret - 1) + "^\n";
  return out;
}

std::string render(std::span<const Diagnostic> diagnostics) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) out += render(diagnostic);
  return out;
}

bool has_errors(std::span<const Diagnostic> diagnostics) {
  return std::ranges::any_of(diagnostics, [](const Diagnostic& diagnostic) {
    return diagnostic.severity == DiagnosticSeverity::error;
  });
}

void attach_source(std::span<Diagnostic> diagnostics, std::string_view text) {
  for (Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.line > 0 && diagnostic.caret == 0) attach_line(diagnostic, text);
  }
}

void Reporter::add(DiagnosticSeverity severity, model::Position at, std::string message,
                   std::string suggestion) {
  if (full()) return;
  Diagnostic diagnostic{.severity = severity,
                        .file = file_,
                        .line = at.line,
                        .column = at.column,
                        .message = std::move(message),
                        .source_line = {},
                        .caret = 0,
                        .suggestion = std::move(suggestion)};
  if (diagnostic.line > 0) attach_line(diagnostic, text_);
  kept_.push_back(std::move(diagnostic));
}

void Reporter::error(model::Position at, std::string message, std::string suggestion) {
  ++errors_;
  add(DiagnosticSeverity::error, at, std::move(message), std::move(suggestion));
}

void Reporter::warning(model::Position at, std::string message) {
  add(DiagnosticSeverity::warning, at, std::move(message), {});
}

std::optional<std::string_view> Reporter::misspelt(model::Position at, std::string message,
                                                   std::string_view word,
                                                   std::span<const std::string_view> candidates) {
  const std::optional<std::string_view> guess = full() ? std::nullopt : nearest(word, candidates);
  error(at, std::move(message), std::string(guess.value_or("")));
  return guess;
}

bool Reporter::full() const { return kept_.size() >= kMaxDiagnostics; }

std::vector<Diagnostic> Reporter::take() {
  std::ranges::stable_sort(kept_, in_order);
  if (full()) {
    kept_.push_back(
        {.severity = DiagnosticSeverity::error,
         .file = file_,
         .line = 0,
         .column = 0,
         .message = "only the first " + std::to_string(kMaxDiagnostics) + " mistakes are shown",
         .source_line = {},
         .caret = 0,
         .suggestion = {}});
  }
  return std::exchange(kept_, {});
}

}  // namespace ambit::policy
