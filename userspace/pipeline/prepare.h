// SPDX-License-Identifier: Apache-2.0
// From files and the machine to everything that a task needs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "userspace/base/result.h"
#include "userspace/model/policy.h"
#include "userspace/model/tables.h"
#include "userspace/policy/compile.h"
#include "userspace/policy/encode.h"
#include "userspace/policy/environment.h"
#include "userspace/policy/homes.h"
#include "userspace/policy/marks.h"
#include "userspace/policy/resolver_watch.h"

namespace ambit::pipeline {

/// The documents, and what of the started command's surroundings they depend on.
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

/// A scope compiled for one context; `catalogue_paths` stand in the credential space.
struct Prepared {
  Declared declared;
  model::CompiledPaths catalogue_paths;
  model::CompiledPolicy policy;
  policy::DestinationInput destinations;
  policy::MarkPlan marks;
  policy::ExpandedCatalogue catalogue;  ///< for other marks, when directories come
  bool pattern_alone = false;
  std::vector<std::string> homes;
};

/// Compiles with the real file system. `resolvers` are inside on port 53.
[[nodiscard]] Result<std::unique_ptr<Prepared>> prepare(Declared declared);

/// Writes a prepared policy into the tables under the given numbers.
[[nodiscard]] Result<void> install(model::TableWriter& tables, const Prepared& prepared,
                                   const policy::PolicyNumbers& numbers);

/// Addresses of names as they are now: keeps the destination tables of one policy up to date.
class Destinations {
 public:
  Destinations(Prepared& prepared, const policy::PolicyNumbers& numbers);

  /// Looks up what is due within `limit` and writes what changed.
  [[nodiscard]] Result<void> refresh(model::TableWriter& tables, std::chrono::milliseconds limit);
  /// When refresh() has something to do; nothing: never.
  [[nodiscard]] std::optional<std::chrono::steady_clock::time_point> next() const {
    return watch_.next();
  }
  /// Names that have had no address yet, each with what the last look-up said.
  [[nodiscard]] const std::map<std::string, std::string>& unresolved() const { return unresolved_; }
  [[nodiscard]] const std::map<std::string, std::string>& names() const {
    return prepared_.policy.destinations.name_of_address;
  }

 private:
  Prepared& prepared_;
  policy::PolicyNumbers numbers_;
  policy::SetNumbers sets_;
  policy::NameWatch watch_;
  std::map<std::string, std::string> unresolved_;
  bool installed_ = false;
};

}  // namespace ambit::pipeline
