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

std::string rendered(const std::vector<policy::Diagnostic>& diagnostics) {
  std::string text = policy::render(diagnostics);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

/// All that is wrong with the text, in order of place.
std::vector<policy::Diagnostic> diagnostics_of(const policy::ParsedFile& parsed,
                                               std::string_view text,
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
  policy::attach_source(all, text);
  return all;
}

policy::Diagnostic about_file(const std::string& file, std::string message) {
  policy::Diagnostic diagnostic;
  diagnostic.file = file;
  diagnostic.message = std::move(message);
  return diagnostic;
}

Result<model::Scope> load_scope(const std::string& file, const model::Catalogue& catalogue) {
  const auto text = policy::read_document_file(file);
  if (!text) return fail(rendered({about_file(file, text.error().message)}));
  auto scope = read_scope(*text, file, catalogue);
  if (!scope) return fail(rendered(scope.error()));
  return std::move(*scope);
}

Result<policy::ExpandedCatalogue> expand(const model::Catalogue& catalogue,
                                         const Surroundings& around, const policy::Homes& homes) {
  policy::ExpandedCatalogue expanded;
  expanded.catalogue = &catalogue;
  for (const model::Credential& credential : catalogue.credentials) {
    const auto relocated = policy::relocate(credential, around.environment, around.cwd);
    if (!relocated) return fail("credential " + credential.name + ": " + relocated.error().message);
    std::vector<model::Pattern> out;
    for (const auto* patterns :
         {&credential.files, &credential.sockets, &relocated->files, &relocated->sockets})
      for (const model::Pattern& pattern : *patterns) {
        auto more = policy::expand_pattern(pattern, homes, around.environment);
        if (!more) return fail("credential " + credential.name + ": " + more.error().message);
        out.insert(out.end(), more->begin(), more->end());
      }
    expanded.files.push_back(std::move(out));
  }
  return expanded;
}

Result<std::vector<model::Pattern>> expand_all(const std::vector<model::Pattern>& patterns,
                                               const Surroundings& around,
                                               const policy::Homes& homes) {
  std::vector<model::Pattern> out;
  for (const model::Pattern& pattern : patterns) {
    auto more = policy::expand_pattern(pattern, homes, around.environment);
    if (!more) return std::unexpected(more.error());
    out.insert(out.end(), more->begin(), more->end());
  }
  return out;
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
  if (!catalogue) return fail(rendered(catalogue.error()));
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

std::expected<model::Scope, std::vector<policy::Diagnostic>> read_scope(
    std::string_view text, const std::string& name, const model::Catalogue& catalogue) {
  policy::ParsedFile parsed = policy::parse_documents(text, name);
  std::vector<policy::Diagnostic> diagnostics = diagnostics_of(parsed, text, catalogue);
  std::vector<model::Scope> scopes;
  for (policy::Document& document : parsed.documents)
    if (auto* found = std::get_if<model::Scope>(&document); found != nullptr)
      scopes.push_back(std::move(*found));
  if (policy::has_errors(diagnostics)) return std::unexpected(std::move(diagnostics));
  if (scopes.size() == 1) return std::move(scopes.front());
  return std::unexpected(
      std::vector{about_file(name, scopes.empty() ? "no document of kind TaskScope"
                                                  : "more than one document of kind TaskScope")});
}

Result<CataloguePlan> plan_catalogue(const model::Catalogue& catalogue,
                                     const Surroundings& around) {
  auto homes = policy::read_homes();
  if (!homes) return std::unexpected(homes.error());
  auto expanded = expand(catalogue, around, *homes);
  if (!expanded) return std::unexpected(expanded.error());
  const policy::RealFileSystem machine;
  const policy::RememberedFileSystem files(machine);
  auto paths = policy::compile_catalogue(*expanded, files);
  if (!paths) return std::unexpected(paths.error());
  CataloguePlan plan;
  plan.catalogue_paths = std::move(*paths);
  plan.homes = homes->directories;
  if (auto home = policy::variable_of(around.environment, "HOME")) plan.homes.emplace_back(*home);
  plan.marks = policy::plan_marks(*expanded, plan.homes, files);
  plan.pattern_alone = policy::has_pattern_alone(*expanded);
  plan.catalogue = std::move(*expanded);
  return plan;
}

Result<policy::ExpandedScope> expand_scope(const model::Scope& scope, const Surroundings& around) {
  auto homes = policy::read_homes();
  if (!homes) return std::unexpected(homes.error());
  policy::ExpandedScope expanded;
  expanded.scope = &scope;
  for (const model::ScopeCredential& credential : scope.credentials) {
    auto readers =
        expand_all(credential.readers.value_or(std::vector<model::Pattern>{}), around, *homes);
    if (!readers) return std::unexpected(readers.error());
    expanded.readers.push_back(std::move(*readers));
  }
  auto exec = expand_all(scope.exec.value_or(std::vector<model::Pattern>{}), around, *homes);
  if (!exec) return std::unexpected(exec.error());
  expanded.exec = std::move(*exec);
  return expanded;
}

Result<ScopePlan> plan_scope(const model::Scope& scope, const model::Catalogue& catalogue,
                             const Surroundings& around) {
  auto expanded = expand_scope(scope, around);
  if (!expanded) return std::unexpected(expanded.error());
  const policy::RealFileSystem machine;
  return compile_scope(std::move(*expanded), catalogue, policy::RememberedFileSystem(machine),
                       nullptr);
}

Result<ScopePlan> compile_scope(policy::ExpandedScope expanded, const model::Catalogue& catalogue,
                                const policy::FileSystem& files,
                                const policy::FormerPolicy* former) {
  auto policy = policy::compile_policy(expanded, catalogue, files, former);
  if (!policy) return std::unexpected(policy.error());
  auto resolvers = policy::configured_resolvers();
  if (!resolvers) return std::unexpected(resolvers.error());
  ScopePlan plan;
  plan.policy = std::move(*policy);
  plan.destinations =
      policy::destination_input(*expanded.scope, catalogue, plan.policy, *resolvers);
  plan.expanded = std::move(expanded);
  return plan;
}

Result<std::unique_ptr<Prepared>> prepare(Declared declared) {
  auto prepared = std::make_unique<Prepared>();
  prepared->declared = std::move(declared);
  const Declared& given = prepared->declared;
  const Surroundings around{.environment = given.environment, .cwd = given.cwd};
  auto catalogue = plan_catalogue(given.catalogue, around);
  if (!catalogue) return std::unexpected(catalogue.error());
  static_cast<CataloguePlan&>(*prepared) = std::move(*catalogue);
  auto scope = plan_scope(given.scope, given.catalogue, around);
  if (!scope) return std::unexpected(scope.error());
  static_cast<ScopePlan&>(*prepared) = std::move(*scope);
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

Destinations::Destinations(ScopePlan& plan, std::uint32_t policy, policy::SetNumbers& sets,
                           const Destinations* above)
    : plan_(plan), policy_(policy), sets_(sets), watch_({}, {}) {
  std::vector<std::string> own = policy::names_to_resolve(plan.destinations);
  if (above != nullptr) {
    const std::vector<std::string> theirs = policy::names_to_resolve(above->plan_.destinations);
    std::ranges::set_intersection(own, theirs, std::inserter(followed_, followed_.end()));
    std::erase_if(own, [this](const std::string& name) { return followed_.contains(name); });
  }
  watch_ = policy::NameWatch(own, std::chrono::steady_clock::now());
  if (above != nullptr) take_from(*above);
}

void Destinations::take_from(const Destinations& above) {
  const policy::ResolvedNames before = std::exchange(from_above_, {});
  for (const std::string& name : followed_) {
    unresolved_.erase(name);
    const auto known = above.plan_.destinations.resolved.find(name);
    if (known != above.plan_.destinations.resolved.end())
      from_above_.insert(*known);
    else if (const auto why = above.unresolved_.find(name); why != above.unresolved_.end())
      unresolved_.insert(*why);
  }
  stale_ = stale_ || from_above_ != before;
}

void Destinations::take_over(const std::map<std::string, policy::Resolved>& names,
                             std::vector<std::string> prefixes) {
  const auto now = std::chrono::steady_clock::now();
  for (const std::string& name : watch_.due(now))
    if (const auto known = names.find(name); known != names.end())
      static_cast<void>(watch_.answered(name, known->second, now));
    else
      watch_.failed(name, now);
  left_ = std::move(prefixes);
}

void Destinations::take_over(const Destinations& former) {
  watch_.take_over(former.watch_);
  for (const auto& [name, why] : former.unresolved_)
    if (watch_.watches(name)) unresolved_.emplace(name, why);
}

Result<void> Destinations::refresh(model::TableWriter& tables, std::chrono::milliseconds limit) {
  const auto now = std::chrono::steady_clock::now();
  bool changed = watch_.expire(now) || !installed_ || std::exchange(stale_, false);
  if (const auto due = watch_.due(now); !due.empty()) {
    policy::Resolver resolver({.limit = limit, .hosts_file = !installed_, .servers = {}});
    for (const auto& [name, answer] : resolver.resolve_all(due)) {
      if (answer) {
        unresolved_.erase(name);
        changed = watch_.answered(name, *answer, now) || changed;
      } else {
        watch_.failed(name, now);
        if (!plan_.destinations.resolved.contains(name)) unresolved_[name] = answer.error().message;
      }
    }
  }
  if (!changed) return {};
  plan_.destinations.resolved = watch_.addresses();
  plan_.destinations.resolved.insert(from_above_.begin(), from_above_.end());
  auto next = policy::compile_destinations(plan_.destinations, sets_);
  if (!next) return std::unexpected(next.error());
  const auto change = policy::diff(plan_.policy.destinations, *next);
  if (auto put = policy::put_all(tables, policy::encode_destinations(change.add, policy_)); !put)
    return put;
  for (const model::TableEntry& entry : policy::encode_destinations(change.remove, policy_))
    if (entry.table == model::Table::prefixes)
      if (auto removed = tables.remove(entry.table, entry.key); !removed) return removed;
  for (const model::TableEntry& entry : policy::encode_destinations(*next, policy_))
    if (entry.table == model::Table::prefixes) std::erase(left_, entry.key);
  for (const std::string& key : std::exchange(left_, {}))
    if (auto removed = tables.remove(model::Table::prefixes, key); !removed) return removed;
  plan_.policy.destinations = std::move(*next);
  installed_ = true;
  return {};
}

}  // namespace ambit::pipeline
