// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/named_scopes.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "userspace/pipeline/prepare.h"
#include "userspace/policy/document_file.h"
#include "userspace/policy/document_sources.h"

namespace ambit::pipeline {

namespace {

policy::Diagnostic about(const std::string& file, std::string message) {
  policy::Diagnostic diagnostic;
  diagnostic.file = file;
  diagnostic.message = std::move(message);
  return diagnostic;
}

class Gatherer {
 public:
  explicit Gatherer(const model::Catalogue& catalogue) : catalogue_(catalogue) {}

  void take_source(const std::string& source) {
    const auto files = policy::document_files(source);
    if (!files) return wrong_.push_back(about(source, files.error().message));
    for (const std::string& file : *files) take_file(file);
  }

  std::expected<NamedScopes, std::vector<policy::Diagnostic>> finish() {
    if (!wrong_.empty()) return std::unexpected(std::move(wrong_));
    return std::move(scopes_);
  }

 private:
  void take_file(const std::string& file) {
    auto text = policy::read_document_file(file);
    if (!text) return wrong_.push_back(about(file, text.error().message));
    auto scope = read_scope(*text, file, catalogue_);
    if (!scope) {
      std::ranges::move(scope.error(), std::back_inserter(wrong_));
      return;
    }
    const auto [known, fresh] =
        scopes_.try_emplace(scope->name, NamedScope{.text = std::move(*text), .file = file});
    if (!fresh)
      wrong_.push_back(about(file, "scope " + scope->name + " is also in " + known->second.file));
  }

  const model::Catalogue& catalogue_;
  NamedScopes scopes_;
  std::vector<policy::Diagnostic> wrong_;
};

}  // namespace

std::expected<NamedScopes, std::vector<policy::Diagnostic>> load_scopes(
    const std::vector<std::string>& sources, const model::Catalogue& catalogue) {
  Gatherer gatherer(catalogue);
  for (const std::string& source : sources) gatherer.take_source(source);
  return gatherer.finish();
}

}  // namespace ambit::pipeline
