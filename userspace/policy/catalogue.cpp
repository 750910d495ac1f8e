// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/catalogue.h"

#include <algorithm>
#include <map>
#include <optional>

#include "userspace/policy/catalogue_builtin.h"
#include "userspace/policy/diagnostic_text.h"
#include "userspace/policy/document.h"
#include "userspace/policy/document_sources.h"

namespace ambit::policy {
namespace {

constexpr std::string_view kBuiltinPrefix = "builtin:";

Diagnostic whole_source(std::string file, std::string message) {
  Diagnostic diagnostic;
  diagnostic.file = std::move(file);
  diagnostic.message = std::move(message);
  return diagnostic;
}

std::string place_of(const model::Credential& credential) {
  return credential.source + ':' + std::to_string(credential.at.line) + ':' +
         std::to_string(credential.at.column);
}

/// Takes in files one after the other; a name is taken once.
class Gatherer {
 public:
  void take(ParsedFile parsed, const std::string& source) {
    std::ranges::move(parsed.diagnostics, std::back_inserter(diagnostics_));
    for (Document& document : parsed.documents) {
      if (auto* const credential = std::get_if<model::Credential>(&document)) {
        take(std::move(*credential));
      } else {
        complain(source, "a catalogue holds Credential documents only, and this is a " +
                             std::string(kind_of(document)));
      }
    }
  }

  void complain(std::string source, std::string message, std::string_view guess = {}) {
    diagnostics_.push_back(whole_source(std::move(source), std::move(message)));
    diagnostics_.back().suggestion = guess;
  }

  std::expected<model::Catalogue, std::vector<Diagnostic>> finish() {
    if (by_name_.size() > kMaxCatalogue) {
      complain("catalogue", "has more than " + std::to_string(kMaxCatalogue) + " credentials");
    }
    if (has_errors(diagnostics_)) return std::unexpected(std::move(diagnostics_));
    model::Catalogue catalogue;
    for (auto& [name, credential] : by_name_)
      catalogue.credentials.push_back(std::move(credential));
    return catalogue;
  }

 private:
  void take(model::Credential credential) {
    const auto found = by_name_.find(credential.name);
    if (found == by_name_.end()) {
      by_name_.emplace(credential.name, std::move(credential));
      return;
    }
    Diagnostic twice =
        whole_source(credential.source, "credential " + in_quotes(credential.name) +
                                            " is also in " + place_of(found->second));
    twice.line = credential.at.line;
    twice.column = credential.at.column;
    diagnostics_.push_back(std::move(twice));
  }

  std::map<std::string, model::Credential> by_name_;
  std::vector<Diagnostic> diagnostics_;
};

void take_builtin(Gatherer& gatherer, const BuiltinFile& file) {
  const std::string source = std::string(kBuiltinPrefix) + std::string(file.name);
  gatherer.take(parse_documents(file.text, source), source);
}

void take_all_builtin(Gatherer& gatherer) {
  for (const BuiltinFile& file : builtin_files()) {
    if (!file.opt_in) take_builtin(gatherer, file);
  }
}

void take_named_builtin(Gatherer& gatherer, const std::string& source) {
  const std::string_view name = std::string_view(source).substr(kBuiltinPrefix.size());
  const auto file = std::ranges::find(builtin_files(), name, &BuiltinFile::name);
  if (file != builtin_files().end()) {
    take_builtin(gatherer, *file);
    return;
  }
  const std::vector<std::string> names = builtin_catalogue_names();
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::optional<std::string_view> guess = nearest(name, views);
  gatherer.complain(source, "there is no shipped catalogue file of this name",
                    guess ? std::string(kBuiltinPrefix) + std::string(*guess) : std::string());
}

void take_source(Gatherer& gatherer, const std::string& source) {
  if (source == kBuiltinCatalogue) return take_all_builtin(gatherer);
  if (source.starts_with(kBuiltinPrefix)) return take_named_builtin(gatherer, source);
  const auto files = document_files(source);
  if (!files) return gatherer.complain(source, files.error().message);
  for (const std::string& file : *files) gatherer.take(parse_document_file(file), file);
}

}  // namespace

std::expected<model::Catalogue, std::vector<Diagnostic>> load_catalogue(
    const std::vector<std::string>& sources) {
  Gatherer gatherer;
  std::vector<std::string> taken;
  for (const std::string& source : sources) {
    if (std::ranges::find(taken, source) != taken.end()) continue;
    take_source(gatherer, source);
    taken.push_back(source);
  }
  if (sources.empty()) take_all_builtin(gatherer);
  return gatherer.finish();
}

std::vector<std::string> builtin_catalogue_names() {
  std::vector<std::string> names;
  for (const BuiltinFile& file : builtin_files()) names.emplace_back(file.name);
  return names;
}

}  // namespace ambit::policy
