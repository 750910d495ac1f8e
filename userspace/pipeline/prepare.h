// SPDX-License-Identifier: Apache-2.0
// From files and the machine to everything that a task needs.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/model/policy.h"
#include "userspace/model/tables.h"
#include "userspace/policy/compile.h"
#include "userspace/policy/diagnostic.h"
#include "userspace/policy/encode.h"
#include "userspace/policy/environment.h"
#include "userspace/policy/homes.h"
#include "userspace/policy/marks.h"
#include "userspace/policy/resolver_watch.h"

namespace ambit::pipeline {

/// What of a started command's surroundings documents depend on.
struct Surroundings {
  policy::Environment environment;
  std::string cwd = "/";
};

/// The documents and their surroundings.
struct Declared {
  model::Scope scope;
  model::Catalogue catalogue;
  policy::Environment environment;
  std::string cwd;
};

/// The scope that `ambit run` has without --scope: shadow, nothing allowed, so that it shows what
/// a scope would have to say.
[[nodiscard]] model::Scope builtin_scope();

/// Reads and checks both; the error is the rendered diagnostics.
[[nodiscard]] Result<Declared> load_documents(const std::optional<std::string>& scope_file,
                                              const std::vector<std::string>& catalogue_sources);

/// The same of a text that is in hand; `name` stands for the file in diagnostics. Exactly one
/// TaskScope must be in it; else all that is wrong, in order of place.
[[nodiscard]] std::expected<model::Scope, std::vector<policy::Diagnostic>> read_scope(
    std::string_view text, const std::string& name, const model::Catalogue& catalogue);

/// A catalogue on this machine: one for all scopes that are compiled against it.
struct CataloguePlan {
  model::CompiledPaths catalogue_paths;  ///< these stand in the credential space
  policy::MarkPlan marks;
  policy::ExpandedCatalogue catalogue;  ///< for other marks, when directories come
  bool pattern_alone = false;
  std::vector<std::string> homes;
};

/// A scope compiled against a catalogue. Its destinations point into the scope.
struct ScopePlan {
  policy::ExpandedScope expanded;
  model::CompiledPolicy policy;
  policy::DestinationInput destinations;
};

/// With `~` and variables put in.
[[nodiscard]] Result<policy::ExpandedScope> expand_scope(const model::Scope& scope,
                                                         const Surroundings& around);
/// `former` may be null.
[[nodiscard]] Result<ScopePlan> compile_scope(policy::ExpandedScope expanded,
                                              const model::Catalogue& catalogue,
                                              const policy::FileSystem& files,
                                              const policy::FormerPolicy* former);

/// Both compile with the real file system; what is given must outlive the plan.
[[nodiscard]] Result<CataloguePlan> plan_catalogue(const model::Catalogue& catalogue,
                                                   const Surroundings& around);
[[nodiscard]] Result<ScopePlan> plan_scope(const model::Scope& scope,
                                           const model::Catalogue& catalogue,
                                           const Surroundings& around);

/// One scope with its catalogue, as `ambit run` has them.
struct Prepared : CataloguePlan, ScopePlan {
  Declared declared;
};

[[nodiscard]] Result<std::unique_ptr<Prepared>> prepare(Declared declared);

/// Writes a prepared policy into the tables under the given numbers.
[[nodiscard]] Result<void> install(model::TableWriter& tables, const Prepared& prepared,
                                   const policy::PolicyNumbers& numbers);

/// Addresses of names as they are now: keeps the destination tables of one policy up to date.
class Destinations {
 public:
  /// `plan` and `sets` must outlive this; one `sets` for all policies of the same tables.
  /// `above`: of the task that delegated. Names that are its own as well have its addresses, and
  /// are not looked up here: take_from() after each of its refreshes, its own first one included.
  Destinations(ScopePlan& plan, std::uint32_t policy, policy::SetNumbers& sets,
               const Destinations* above = nullptr);
  void take_from(const Destinations& above);

  /// Addresses of names that `former` knows already are taken as they are there. Before refresh().
  void take_over(const Destinations& former);
  /// Looks up what is due within `limit` and writes what changed.
  [[nodiscard]] Result<void> refresh(model::TableWriter& tables, std::chrono::milliseconds limit);
  /// Before the first refresh(): what a process before this one knew of names, and the keys of the
  /// prefixes that it left in the tables. Nothing is looked up at once.
  void take_over(const std::map<std::string, policy::Resolved>& names,
                 std::vector<std::string> prefixes);
  [[nodiscard]] std::map<std::string, policy::Resolved> answers() const { return watch_.answers(); }
  /// When refresh() has something to do; nothing: never.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> next() const {
    return watch_.next();
  }
  /// Names that have had no address yet, each with what the last look-up said.
  [[nodiscard]] const std::map<std::string, std::string>& unresolved() const { return unresolved_; }
  [[nodiscard]] const std::map<std::string, std::string>& names() const {
    return plan_.policy.destinations.name_of_address;
  }

 private:
  ScopePlan& plan_;
  std::uint32_t policy_;
  policy::SetNumbers& sets_;
  policy::NameWatch watch_;
  std::map<std::string, std::string> unresolved_;
  std::set<std::string> followed_;    ///< names whose addresses come from above
  policy::ResolvedNames from_above_;  ///< what is known of them
  bool stale_ = false;                ///< from_above_ is new
  std::vector<std::string> left_;     ///< prefixes that take_over() was given
  bool installed_ = false;
};

}  // namespace ambit::pipeline
