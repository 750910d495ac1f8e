// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/document.h"

#include <algorithm>
#include <unordered_map>

#include "userspace/policy/diagnostic_text.h"
#include "userspace/policy/document_envelope.h"
#include "userspace/policy/document_file.h"
#include "userspace/policy/document_tree.h"
#include "userspace/policy/parse_config.h"
#include "userspace/policy/parse_credential.h"
#include "userspace/policy/parse_scope.h"

namespace ambit::policy {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

Diagnostic whole_file(std::string file, std::string message) {
  return {.severity = DiagnosticSeverity::error,
          .file = std::move(file),
          .line = 0,
          .column = 0,
          .message = std::move(message),
          .source_line = {},
          .caret = 0,
          .suggestion = {}};
}

/// One document and the bytes that its hash is made of.
struct DocumentSource {
  const DocumentNode& root;
  std::string_view bytes;
};

Document read_scope(Reporter& report, const Envelope& envelope, std::string_view bytes) {
  model::Scope scope = parse_scope(report, *envelope.spec);
  Result<std::string> hash = sha256_hex(bytes);
  if (!hash) report.error({}, hash.error().message);
  scope.name = envelope.name;
  scope.sha256 = std::move(hash).value_or("");
  scope.source = report.file();
  return scope;
}

Document read_credential(Reporter& report, const Envelope& envelope, std::string_view /*bytes*/) {
  model::Credential credential = parse_credential(report, *envelope.spec);
  credential.name = envelope.name;
  credential.at = envelope.name_at;
  credential.source = report.file();
  return credential;
}

Document read_config(Reporter& report, const Envelope& envelope, std::string_view /*bytes*/) {
  model::Config config = parse_config(report, *envelope.spec);
  config.name = envelope.name;
  config.source = report.file();
  return config;
}

struct KindRow {
  DocumentKind kind;
  Document (*read)(Reporter&, const Envelope&, std::string_view);
};

constexpr std::array kKinds{
    KindRow{.kind = DocumentKind::task_scope, .read = read_scope},
    KindRow{.kind = DocumentKind::credential, .read = read_credential},
    KindRow{.kind = DocumentKind::config, .read = read_config},
};

void read_document(Reporter& report, const DocumentSource& source, ParsedFile& into) {
  if (source.root.type == NodeType::nothing) {
    report.error(source.root.at, "the document is empty");
    return;
  }
  if (!check_shape(report, source.root, Shape::mapping, "a document")) return;
  const std::size_t errors_before = report.errors();
  const Envelope envelope = read_envelope(report, source.root);
  if (!envelope.kind || envelope.spec == nullptr) return;
  Document document = std::ranges::find(kKinds, *envelope.kind, &KindRow::kind)
                          ->read(report, envelope, source.bytes);
  if (report.errors() == errors_before && !envelope.name.empty()) {
    into.documents.push_back(std::move(document));
  } else if (auto* const scope = std::get_if<model::Scope>(&document)) {
    into.flawed_scopes.push_back(std::move(*scope));
  }
}

/// Takes the later ones out: whoever gathers documents would report the name again.
void take_each_name_once(Reporter& report, std::vector<Document>& documents) {
  std::unordered_map<std::string, std::uint32_t> lines;
  std::erase_if(documents, [&](const Document& document) {
    const auto* const credential = std::get_if<model::Credential>(&document);
    if (credential == nullptr) return false;
    const auto [first, is_new] = lines.emplace(credential->name, credential->at.line);
    if (is_new) return false;
    report.error(credential->at, "credential " + in_quotes(credential->name) +
                                     " stands twice in this file; the first is in line " +
                                     std::to_string(first->second));
    return true;
  });
}

ParsedFile parse_text(std::string_view text, std::string_view bare, std::string file_name) {
  Reporter report(std::move(file_name), bare);
  const std::vector<DocumentTree> trees = read_trees(bare, report);
  const std::size_t skipped = text.size() - bare.size();
  ParsedFile parsed;
  for (const DocumentTree& tree : trees) {
    const std::size_t begin = tree.begin == 0 ? 0 : tree.begin + skipped;
    read_document(report,
                  {.root = tree.root, .bytes = text.substr(begin, tree.end + skipped - begin)},
                  parsed);
  }
  if (trees.empty() && report.errors() == 0) report.error({}, "there is no document in it");
  take_each_name_once(report, parsed.documents);
  parsed.diagnostics = report.take();
  return parsed;
}

void check_names(std::vector<Diagnostic>& into, const model::Scope& scope,
                 const model::Catalogue& catalogue) {
  std::vector<std::string_view> names;
  for (const model::Credential& credential : catalogue.credentials)
    names.push_back(credential.name);
  for (const model::ScopeCredential& credential : scope.credentials) {
    // One without a name has a mistake that the parser reported.
    if (credential.name.empty() || std::ranges::find(names, credential.name) != names.end())
      continue;
    Diagnostic unknown = whole_file(
        scope.source, "no credential " + in_quotes(credential.name) + " is in the catalogue");
    unknown.line = credential.at.line;
    unknown.column = credential.at.column;
    unknown.suggestion = nearest(credential.name, names).value_or("");
    into.push_back(std::move(unknown));
  }
}

void warn_of_parent(std::vector<Diagnostic>& into, const model::Scope& scope) {
  if (!scope.parent) return;
  Diagnostic warning = whole_file(scope.source, std::string(kOnlyTheDaemonDelegates));
  warning.severity = DiagnosticSeverity::warning;
  warning.line = scope.parent_at.line;
  warning.column = scope.parent_at.column;
  into.push_back(std::move(warning));
}

void warn_of_wildcards(std::vector<Diagnostic>& into, const model::Scope& scope,
                       const std::vector<model::DestinationRule>& rules) {
  for (const model::DestinationRule& rule : rules) {
    if (!rule.host.starts_with("*.")) continue;
    Diagnostic warning = whole_file(
        scope.source, in_quotes(rule.host) +
                          " cannot be looked up; it only allows addresses whose name below it is "
                          "known otherwise, so name the hosts where you can");
    warning.severity = DiagnosticSeverity::warning;
    warning.line = rule.at.line;
    warning.column = rule.at.column;
    into.push_back(std::move(warning));
  }
}

}  // namespace

std::string_view kind_of(const Document& document) {
  static_assert(std::variant_size_v<Document> == kDocumentKinds.size());
  return kDocumentKinds.at(document.index()).spelling;
}

ParsedFile parse_documents(std::string_view text, std::string file_name) {
  if (auto good = check_document_bytes(text); !good) {
    return {.documents = {},
            .flawed_scopes = {},
            .diagnostics = {whole_file(std::move(file_name), good.error().message)}};
  }
  std::string_view bare = text;
  if (bare.starts_with(kByteOrderMark)) bare.remove_prefix(kByteOrderMark.size());
  return parse_text(text, bare, std::move(file_name));
}

ParsedFile parse_document_file(const std::string& path) {
  Result<std::string> text = read_document_file(path);
  if (text) return parse_documents(*text, path);
  return {.documents = {},
          .flawed_scopes = {},
          .diagnostics = {whole_file(path, text.error().message)}};
}

std::vector<Diagnostic> check_scope_against(const model::Scope& scope,
                                            const model::Catalogue& catalogue) {
  std::vector<Diagnostic> diagnostics;
  check_names(diagnostics, scope, catalogue);
  warn_of_parent(diagnostics, scope);
  if (scope.network) warn_of_wildcards(diagnostics, scope, *scope.network);
  for (const model::ScopeCredential& credential : scope.credentials) {
    if (credential.destinations) warn_of_wildcards(diagnostics, scope, *credential.destinations);
  }
  std::ranges::stable_sort(diagnostics, {}, [](const Diagnostic& diagnostic) {
    return std::pair{diagnostic.line, diagnostic.column};
  });
  return diagnostics;
}

}  // namespace ambit::policy
