// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/check.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "userspace/cli/check_compile.h"
#include "userspace/cli/check_files.h"
#include "userspace/cli/command.h"
#include "userspace/cli/options.h"
#include "userspace/policy/catalogue.h"
#include "userspace/policy/diagnostic_text.h"
#include "userspace/policy/document.h"
#include "userspace/policy/document_file.h"

namespace ambit::cli {
namespace {

namespace options = boost::program_options;
using policy::Diagnostic;

// Source lines are shown as long as this much text is in hand.
constexpr std::size_t kKeptText = std::size_t{64} << 20;

class Checker {
 public:
  explicit Checker(const CheckRequest& request) : request_(request) {}

  CheckReport run() {
    FoundFiles found = find_files(request_.paths);
    report_.files = found.files.size();
    take(std::move(found.diagnostics));
    for (const std::string& file : found.files) read(file);
    gather_catalogue();
    if (catalogue_) hold_against_catalogue();
    compile();
    sort_by_file(found.files);
    return std::move(report_);
  }

 private:
  /// A file of the catalogue may be among the paths too: each mistake is said once.
  void take(std::vector<Diagnostic> diagnostics) {
    for (Diagnostic& diagnostic : diagnostics)
      if (said_.emplace(diagnostic.file, diagnostic.line, diagnostic.column, diagnostic.message)
              .second)
        report_.diagnostics.push_back(std::move(diagnostic));
  }

  void read(const std::string& file) {
    auto text = policy::read_document_file(file);
    if (!text) return take({about_file(file, text.error().message)});
    policy::ParsedFile parsed = policy::parse_documents(*text, file);
    take(std::move(parsed.diagnostics));
    bool has_scope = !parsed.flawed_scopes.empty();
    std::ranges::move(parsed.flawed_scopes, std::back_inserter(flawed_));
    for (policy::Document& document : parsed.documents) {
      const std::size_t number = report_.documents.size();
      if (auto* const scope = std::get_if<model::Scope>(&document)) {
        has_scope = true;
        report_.documents.push_back({.file = file, .kind = "TaskScope", .name = scope->name});
        scopes_.emplace_back(std::move(*scope), number);
      } else if (auto* const credential = std::get_if<model::Credential>(&document)) {
        report_.documents.push_back({.file = file, .kind = "Credential", .name = credential->name});
        add(*credential, number);
      } else if (const auto* const config = std::get_if<model::Config>(&document)) {
        report_.documents.push_back({.file = file, .kind = "Config", .name = config->name});
      }
    }
    if (!has_scope || kept_bytes_ + text->size() > kKeptText) return;
    kept_bytes_ += text->size();
    texts_[file] = std::move(*text);
  }

  /// Files of one directory are loaded together, so that a name may stand in one of them only.
  void add(const model::Credential& credential, std::size_t number) {
    const auto [first, is_new] = own_.try_emplace(credential.name, Own{credential, number});
    if (is_new) return;
    const auto directory = [](const std::string& file) {
      return std::filesystem::path(file).parent_path();
    };
    const model::Credential& other = first->second.credential;
    if (directory(credential.source) != directory(other.source)) return;
    Diagnostic twice = about_file(
        credential.source, "credential " + policy::in_quotes(credential.name) + " is also in " +
                               other.source + ":" + std::to_string(other.at.line));
    twice.line = credential.at.line;
    twice.column = credential.at.column;
    report_.documents[number].ok = false;
    take({std::move(twice)});
  }

  void gather_catalogue() {
    auto loaded = policy::load_catalogue(request_.catalogue);
    if (!loaded) return take(std::move(loaded.error()));
    std::map<std::string, model::Credential> all;
    for (const auto& [name, own] : own_) all.emplace(name, own.credential);
    for (model::Credential& credential : loaded->credentials)
      all.try_emplace(credential.name, std::move(credential));
    catalogue_.emplace();
    for (auto& [name, credential] : all) catalogue_->credentials.push_back(std::move(credential));
  }

  void hold_against_catalogue() {
    for (const auto& [scope, number] : scopes_)
      if (!holds(scope)) report_.documents[number].ok = false;
    for (const model::Scope& scope : flawed_) static_cast<void>(holds(scope));
  }

  bool holds(const model::Scope& scope) {
    std::vector<Diagnostic> diagnostics = policy::check_scope_against(scope, *catalogue_);
    if (const auto text = texts_.find(scope.source); text != texts_.end())
      policy::attach_source(diagnostics, text->second);
    const bool good = !policy::has_errors(diagnostics);
    take(std::move(diagnostics));
    return good;
  }

  void compile() {
    CompileRequest request{.catalogue = catalogue_ ? &*catalogue_ : nullptr,
                           .limits = request_.limits};
    for (const auto& [name, own] : own_)
      request.credentials[own.credential.source].push_back(own.credential);
    for (const auto& [scope, number] : scopes_)
      if (report_.documents[number].ok) request.scopes.push_back(&scope);
    std::vector<Diagnostic> diagnostics = compile_documents(request);
    for (const Diagnostic& diagnostic : diagnostics)
      for (CheckedDocument& document : report_.documents)
        if (document.file == diagnostic.file) document.ok = false;
    take(std::move(diagnostics));
  }

  /// As the files were named; what is in none of them comes first.
  void sort_by_file(const std::vector<std::string>& files) {
    std::map<std::string_view, std::size_t> places;
    for (std::size_t i = 0; i < files.size(); ++i) places.emplace(files[i], i + 1);
    std::ranges::stable_sort(report_.diagnostics, {}, [&](const Diagnostic& diagnostic) {
      const auto place = places.find(diagnostic.file);
      return std::tuple{place == places.end() ? 0 : place->second, diagnostic.line,
                        diagnostic.column};
    });
  }

  struct Own {
    model::Credential credential;
    std::size_t number = 0;
  };

  const CheckRequest& request_;
  CheckReport report_;
  std::set<std::tuple<std::string, std::uint32_t, std::uint32_t, std::string>> said_;
  std::vector<std::pair<model::Scope, std::size_t>> scopes_;  ///< with their document's number
  std::vector<model::Scope> flawed_;                          ///< with mistakes already reported
  std::map<std::string, Own> own_;                            ///< credentials among the paths
  std::optional<model::Catalogue> catalogue_;
  std::map<std::string, std::string> texts_;
  std::size_t kept_bytes_ = 0;
};

options::options_description visible() {
  options::options_description shown("Options");
  shown.add_options()(
      "catalogue", options::value<std::vector<std::string>>()->value_name("SOURCE"),
      "credentials that scopes may name: a directory, a file, `builtin` or `builtin:NAME`; may be "
      "repeated (default: builtin)")("json", "one JSON object instead of text")("help,h",
                                                                                "this text");
  return shown;
}

Syntax syntax() {
  Syntax syntax{.options = visible(), .positional = {}};
  syntax.options.add_options()("path", options::value<std::vector<std::string>>(), "");
  syntax.positional.add("path", -1);
  return syntax;
}

std::string usage() {
  return "Usage: ambit check [--json] [--catalogue SOURCE]… PATH…\n\n"
         "Checks TaskScope, Credential and Config documents with the code that a task is started "
         "with.\n"
         "A directory means the *.yaml, *.yml and *.json files in it, at any depth. Credentials\n"
         "among the PATHs may be named by scopes too. Exit 0 without errors, else 1.\n\n" +
         describe(visible());
}

std::vector<std::string> list_of(const options::variables_map& values, const char* name) {
  if (values.count(name) == 0) return {};
  return values[name].as<std::vector<std::string>>();
}

}  // namespace

CheckReport check(const CheckRequest& request) { return Checker(request).run(); }

int check_command(std::span<const std::string> arguments) {
  auto values = parse_options(arguments, syntax());
  if (!values) return usage_error(std::cerr, "check", values.error().message);
  if (values->count("help") != 0) {
    std::cout << usage();
    return kExitOk;
  }
  CheckRequest request;
  request.paths = list_of(*values, "path");
  request.catalogue = list_of(*values, "catalogue");
  if (request.paths.empty())
    return usage_error(std::cerr, "check", "no file or directory is named");
  const CheckReport report = check(request);
  std::cout << (values->count("json") != 0 ? render_json(report)
                                           : render_text(report, Style::of(STDOUT_FILENO)));
  return report.errors() == 0 ? kExitOk : kExitFaults;
}

}  // namespace ambit::cli
