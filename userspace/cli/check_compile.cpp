// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/check_compile.h"

#include "userspace/cli/check_files.h"
#include "userspace/pipeline/prepare.h"
#include "userspace/policy/destinations.h"

namespace ambit::cli {
namespace {

constexpr std::string_view kWholeCatalogue = "catalogue";

/// Empty when a task could be started with these. Without variables, so that the answer is the same
/// for everybody; `~` is every home of the password file. No name is looked up.
std::string compile(const model::Scope& scope, const model::Catalogue& catalogue) {
  pipeline::Declared declared{
      .scope = scope, .catalogue = catalogue, .environment = {}, .cwd = "/"};
  auto prepared = pipeline::prepare(std::move(declared));
  if (!prepared) return prepared.error().message;
  auto destinations = policy::compile_destinations((*prepared)->destinations);
  return destinations ? std::string() : destinations.error().message;
}

/// Scopes say nothing of where credentials lie, and looking for them anew would take most of the
/// time.
model::Catalogue without_files(const model::Catalogue& catalogue) {
  model::Catalogue bare = catalogue;
  for (model::Credential& credential : bare.credentials) {
    credential.files.clear();
    credential.sockets.clear();
    credential.relocated_by.clear();
  }
  return bare;
}

struct Plan {
  std::vector<Job> jobs;
  std::vector<std::string> files;

  void add(std::string file, Job job) {
    files.push_back(std::move(file));
    jobs.push_back(std::move(job));
  }

  [[nodiscard]] std::vector<policy::Diagnostic> carry_out(const Limits& limits) const {
    std::vector<policy::Diagnostic> diagnostics;
    const std::vector<std::string> answers = run_isolated(jobs, limits);
    for (std::size_t i = 0; i < answers.size(); ++i)
      if (!answers[i].empty())
        diagnostics.push_back(about_file(files[i], "cannot be compiled here: " + answers[i]));
    return diagnostics;
  }
};

}  // namespace

std::vector<policy::Diagnostic> compile_documents(const CompileRequest& request) {
  const model::Scope nothing = pipeline::builtin_scope();
  Plan alone;
  for (const auto& [file, credentials] : request.credentials)
    alone.add(file, [&] { return compile(nothing, {.credentials = credentials}); });
  std::vector<policy::Diagnostic> diagnostics = alone.carry_out(request.limits);
  // What one file gets wrong by itself would be said again of all together.
  if (!diagnostics.empty() || request.catalogue == nullptr) return diagnostics;
  Plan together;
  if (!request.credentials.empty() || !request.scopes.empty())
    together.add(std::string(kWholeCatalogue),
                 [&] { return compile(nothing, *request.catalogue); });
  const model::Catalogue bare = without_files(*request.catalogue);
  for (const model::Scope* scope : request.scopes)
    together.add(scope->source, [&bare, scope] { return compile(*scope, bare); });
  return together.carry_out(request.limits);
}

}  // namespace ambit::cli
