// SPDX-License-Identifier: Apache-2.0
// What a document gets wrong, and where: `file:line:column: error: …`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/model/documents.h"

namespace ambit::policy {

enum class DiagnosticSeverity : std::uint8_t { error, warning };

/// Lines and columns count from 1, columns in bytes (a tab is one); line 0: the file as a whole.
struct Diagnostic {
  DiagnosticSeverity severity = DiagnosticSeverity::error;
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::string message;
  std::string source_line;  ///< of a very long line, the part around the column
  std::uint32_t caret = 0;  ///< column within source_line, from 1; 0: none
  std::string suggestion;   ///< what was probably meant; empty: no guess
};

/// For a person: the place and message, the source line, a caret. Ends in a newline; what is no
/// printable character is escaped, so that a file cannot write on the terminal.
[[nodiscard]] std::string render(const Diagnostic& diagnostic);
[[nodiscard]] std::string render(std::span<const Diagnostic> diagnostics);

[[nodiscard]] bool has_errors(std::span<const Diagnostic> diagnostics);

/// Fills source_line and caret of those that have a place but no line yet, from the file's text.
void attach_source(std::span<Diagnostic> diagnostics, std::string_view text);

/// Gathers the mistakes of one file: in order of place, and never more than a person would read.
class Reporter {
 public:
  /// `text` must outlive the reporter.
  Reporter(std::string file, std::string_view text) : file_(std::move(file)), text_(text) {}

  void error(model::Position at, std::string message, std::string suggestion = {});
  void warning(model::Position at, std::string message);
  /// As error(); suggests the candidate that `word` is likely a misspelling of, and returns it.
  std::optional<std::string_view> misspelt(model::Position at, std::string message,
                                           std::string_view word,
                                           std::span<const std::string_view> candidates);

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] std::size_t errors() const { return errors_; }
  /// True once nothing more is kept; reading on is then a waste.
  [[nodiscard]] bool full() const;
  [[nodiscard]] std::vector<Diagnostic> take();

 private:
  void add(DiagnosticSeverity severity, model::Position at, std::string message,
           std::string suggestion);

  std::string file_;
  std::string_view text_;
  std::vector<Diagnostic> kept_;
  std::size_t errors_ = 0;
};

}  // namespace ambit::policy
