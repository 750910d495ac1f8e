// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/prepare.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "userspace/policy/catalogue.h"
#include "userspace/policy/diagnostic.h"
#include "userspace/policy/document.h"
#include "userspace/policy/document_file.h"
#include "userspace/policy/resolver.h"

namespace ambit::pipeline {

namespace {

/// All that is wrong with the file, in order of place.
std::vector<policy::Diagnostic> diagnostics_of(const policy::ParsedFile& parsed,
                                               const std::string& file,
                                               const model::Catalogue& catalogue) {
  std::vector<policy::Diagnostic> all = parsed.diagnostics;
  const auto hold = [&](const model::Scope& scope) {
    std::ranges::move(policy::check_scope_against(scope, catalogue), std::back_inserter(all));
  };
  for (const policy::Document& document : parsed.documents)
    if (const auto* scope = std::get_if<model::Scope>(&document); scope != nullptr) hold(*scope);
  std::ranges::for_each(parsed.flawed_scopes, hold);
  std::ranges::stable_sort(all, {}, [](const policy::Diagnostic& diagnostic) {
    return std::pair{diagnostic.line, diagnostic.column};
  });
  if (auto text = policy::read_document_file(file)) policy::attach_source(all, *text);
  return all;
}

Result<model::Scope> load_scope(const std::string& file, const model::Catalogue& catalogue) {
  const policy::ParsedFile parsed = policy::parse_document_file(file);
  const std::vector<policy::Diagnostic> diagnostics = diagnostics_of(parsed, file, catalogue);
  std::optional<model::Scope> scope;
  std::size_t scopes = 0;
  for (const policy::Document& document : parsed.documents)
    if (const auto* found = std::get_if<model::Scope>(&document); found != nullptr) {
      scope = *found;
      ++scopes;
    }
  if (policy::has_errors(diagnostics)) {
    std::string text = policy::render(diagnostics);
    while (text.ends_with('\n')) text.pop_back();
    return fail(text);
  }
  if (scopes != 1)
    return fail(file + ": error: " +
                (scopes == 0 ? "no document of kind TaskScope"
                             : "more than one document of kind TaskScope"));
  return std::move(*scope);
}

Result<policy::ExpandedCatalogue> expand(const Declared& declared, const policy::Homes& homes) {
  policy::ExpandedCatalogue expanded;
  expanded.catalogue = &declared.catalogue;
  for (const model::Credential& credential : declared.catalogue.credentials) {
    const auto relocated = policy::relocate(credential, declared.environment, declared.cwd);
    if (!relocated) return fail("credential " + credential.name + ": " + relocated.error().message);
    std::vector<model::Pattern> out;
    for (const auto* patterns :
         {&credential.files, &credential.sockets, &relocated->files, &relocated->sockets})
      for (const model::Pattern& pattern : *patterns) {
        auto more = policy::expand_pattern(pattern, homes, declared.environment);
        if (!more) return fail("credential " + credential.name + ": " + more.error().message);
        out.insert(out.end(), more->begin(), more->end());
      }
    expanded.files.push_back(std::move(out));
  }
  return expanded;
}

Result<std::vector<model::Pattern>> expand_all(const std::vector<model::Pattern>& patterns,
                                               const Declared& declared,
                                               const policy::Homes& homes) {
  std::vector<model::Pattern> out;
  for (const model::Pattern& pattern : patterns) {
    auto more = policy::expand_pattern(pattern, homes, declared.environment);
    if (!more) return std::unexpected(more.error());
    out.insert(out.end(), more->begin(), more->end());
  }
  return out;
}

Result<policy::ExpandedScope> expand_scope(const Declared& declared, const policy::Homes& homes) {
  policy::ExpandedScope expanded;
  expanded.scope = &declared.scope;
  for (const model::ScopeCredential& credential : declared.scope.credentials) {
    auto readers =
        expand_all(credential.readers.value_or(std::vector<model::Pattern>{}), declared, homes);
    if (!readers) return std::unexpected(readers.error());
    expanded.readers.push_back(std::move(*readers));
  }
  auto exec =
      expand_all(declared.scope.exec.value_or(std::vector<model::Pattern>{}), declared, homes);
  if (!exec) return std::unexpected(exec.error());
  expanded.exec = std::move(*exec);
  return expanded;
}

}  // namespace

model::Scope builtin_scope() {
  model::Scope scope;
  scope.name = "built-in";
  scope.agent = "ambit:run";
  scope.ttl = std::chrono::hours(24 * 365);
  scope.mode = model::Mode::shadow;
  scope.network.emplace();
  scope.exec.emplace();
  scope.source = "built-in";
  return scope;
}

Result<Declared> load_documents(const std::optional<std::string>& scope_file,
                                const std::vector<std::string>& catalogue_sources) {
  Declared declared;
  auto catalogue = policy::load_catalogue(catalogue_sources);
  if (!catalogue) {
    std::string text = policy::render(catalogue.error());
    while (text.ends_with('\n')) text.pop_back();
    return fail(text);
  }
  declared.catalogue = std::move(*catalogue);
  if (!scope_file) {
    declared.scope = builtin_scope();
    return declared;
  }
  auto scope = load_scope(*scope_file, declared.catalogue);
  if (!scope) return std::unexpected(scope.error());
  declared.scope = std::move(*scope);
  return declared;
}

Result<std::unique_ptr<Prepared>> prepare(Declared declared) {
  auto prepared = std::make_unique<Prepared>();
  prepared->declared = std::move(declared);
  const Declared& given = prepared->declared;
  auto homes = policy::read_homes();
  if (!homes) return std::unexpected(homes.error());
  auto catalogue = expand(given, *homes);
  if (!catalogue) return std::unexpected(catalogue.error());
  auto scope = expand_scope(given, *homes);
  if (!scope) return std::unexpected(scope.error());
  const policy::RealFileSystem machine;
  const policy::RememberedFileSystem files(machine);
  auto paths = policy::compile_catalogue(*catalogue, files);
  if (!paths) return std::unexpected(paths.error());
  prepared->catalogue_paths = std::move(*paths);
  auto policy = policy::compile_policy(*scope, given.catalogue, files);
  if (!policy) return std::unexpected(policy.error());
  prepared->policy = std::move(*policy);
  auto resolvers = policy::configured_resolvers();
  if (!resolvers) return std::unexpected(resolvers.error());
  prepared->destinations =
      policy::destination_input(given.scope, given.catalogue, prepared->policy, *resolvers);
  prepared->homes = homes->directories;
  if (auto home = policy::variable_of(given.environment, "HOME"))
    prepared->homes.emplace_back(*home);
  prepared->marks = policy::plan_marks(*catalogue, prepared->homes, files);
  prepared->pattern_alone = policy::has_pattern_alone(*catalogue);
  prepared->catalogue = std::move(*catalogue);
  return prepared;
}

Result<void> install(model::TableWriter& tables, const Prepared& prepared,
                     const policy::PolicyNumbers& numbers) {
  if (auto put = policy::put_all(
          tables, policy::encode_paths(prepared.catalogue_paths, numbers.credential_space));
      !put)
    return put;
  return policy::put_all(tables, policy::encode_policy(prepared.policy, numbers));
}

Destinations::Destinations(Prepared& prepared, const policy::PolicyNumbers& numbers)
    : prepared_(prepared),
      numbers_(numbers),
      watch_(policy::names_to_resolve(prepared.destinations), std::chrono::steady_clock::now()) {}

Result<void> Destinations::refresh(model::TableWriter& tables, std::chrono::milliseconds limit) {
  const auto now = std::chrono::steady_clock::now();
  bool changed = watch_.expire(now) || !installed_;
  if (const auto due = watch_.due(now); !due.empty()) {
    policy::Resolver resolver({.limit = limit, .hosts_file = !installed_, .servers = {}});
    for (const auto& [name, answer] : resolver.resolve_all(due)) {
      if (answer) {
        unresolved_.erase(name);
        changed = watch_.answered(name, *answer, now) || changed;
      } else {
        watch_.failed(name, now);
        if (!prepared_.destinations.resolved.contains(name))
          unresolved_[name] = answer.error().message;
      }
    }
  }
  if (!changed) return {};
  prepared_.destinations.resolved = watch_.addresses();
  auto next = policy::compile_destinations(prepared_.destinations, sets_);
  if (!next) return std::unexpected(next.error());
  const auto change = policy::diff(prepared_.policy.destinations, *next);
  if (auto put = policy::put_all(tables, policy::encode_destinations(change.add, numbers_.policy));
      !put)
    return put;
  for (const model::TableEntry& entry : policy::encode_destinations(change.remove, numbers_.policy))
    if (entry.table == model::Table::prefixes)
      if (auto removed = tables.remove(entry.table, entry.key); !removed) return removed;
  prepared_.policy.destinations = std::move(*next);
  installed_ = true;
  return {};
}

}  // namespace ambit::pipeline
