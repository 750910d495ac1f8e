// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/check_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "userspace/base/utf8.h"

namespace ambit::cli {
namespace {

using Json = nlohmann::ordered_json;
using policy::Diagnostic;
using policy::DiagnosticSeverity;

std::size_t count(const CheckReport& report, DiagnosticSeverity severity) {
  return static_cast<std::size_t>(
      std::ranges::count(report.diagnostics, severity, &Diagnostic::severity));
}

std::string counted(std::size_t number, std::string_view what) {
  return std::to_string(number) + " " + std::string(what) + (number == 1 ? "" : "s");
}

std::string_view word_of(DiagnosticSeverity severity) {
  return severity == DiagnosticSeverity::error ? "error" : "warning";
}

std::string painted(const Diagnostic& diagnostic, const Style& style) {
  std::string text = policy::render(diagnostic);
  const std::string word = std::string(word_of(diagnostic.severity)) + ":";
  const std::size_t at = text.find(": " + word);
  if (!style.colour() || at == std::string::npos) return text;
  const Tone tone = diagnostic.severity == DiagnosticSeverity::error ? Tone::bad : Tone::warning;
  return style.paint(text.substr(0, at + 1), Tone::strong) + " " + style.paint(word, tone) +
         text.substr(at + 2 + word.size());
}

Json json_of(const Diagnostic& diagnostic) {
  const bool placed = diagnostic.line > 0;
  return {{"severity", word_of(diagnostic.severity)},
          {"file", to_utf8(diagnostic.file)},
          {"line", placed ? Json(diagnostic.line) : Json(nullptr)},
          {"column", placed ? Json(diagnostic.column) : Json(nullptr)},
          {"message", to_utf8(diagnostic.message)},
          {"suggestion",
           diagnostic.suggestion.empty() ? Json(nullptr) : Json(to_utf8(diagnostic.suggestion))},
          {"source_line",
           diagnostic.caret > 0 ? Json(to_utf8(diagnostic.source_line)) : Json(nullptr)}};
}

Json json_of(const CheckedDocument& document) {
  return {{"file", to_utf8(document.file)},
          {"kind", document.kind},
          {"name", to_utf8(document.name)},
          {"ok", document.ok}};
}

}  // namespace

std::size_t CheckReport::errors() const { return count(*this, DiagnosticSeverity::error); }
std::size_t CheckReport::warnings() const { return count(*this, DiagnosticSeverity::warning); }
std::size_t CheckReport::good_documents() const {
  return static_cast<std::size_t>(std::ranges::count(documents, true, &CheckedDocument::ok));
}

std::string summary_line(const CheckReport& report) {
  std::string line = counted(report.files, "file") + ", " +
                     counted(report.good_documents(), "document") + " ok, " +
                     counted(report.errors(), "error");
  if (report.warnings() > 0) line += ", " + counted(report.warnings(), "warning");
  return line;
}

std::string render_text(const CheckReport& report, const Style& style) {
  std::string text;
  for (const Diagnostic& diagnostic : report.diagnostics) text += painted(diagnostic, style);
  return text + style.paint(summary_line(report), report.errors() > 0 ? Tone::bad : Tone::good) +
         "\n";
}

std::string render_json(const CheckReport& report) {
  Json json{{"files", report.files},
            {"documents_ok", report.good_documents()},
            {"errors", report.errors()},
            {"warnings", report.warnings()}};
  Json& documents = json["documents"] = Json::array();
  for (const CheckedDocument& document : report.documents) documents.push_back(json_of(document));
  Json& diagnostics = json["diagnostics"] = Json::array();
  for (const Diagnostic& diagnostic : report.diagnostics)
    diagnostics.push_back(json_of(diagnostic));
  constexpr int kIndent = 2;
  return json.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ambit::cli
