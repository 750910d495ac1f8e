// SPDX-License-Identifier: Apache-2.0
// A file of a scope: parsed, checked and, where nothing is wrong with it, compiled.
#include "tests/core/fake_files.h"
#include "tests/fuzz/checks.h"
#include "userspace/policy/compile.h"
#include "userspace/policy/document.h"
#include "userspace/policy/encode.h"
#include "userspace/policy/homes.h"

namespace {

using namespace ambit;

const policy::Homes& homes() {
  static const policy::Homes all{.directories = {"/root", "/home/a"}, .users = {0, 1000}};
  return all;
}

const model::Catalogue& catalogue() {
  static const model::Catalogue all{
      .credentials = {{.name = "aws-shared-config"}, {.name = "github-cli"}, {.name = "ssh-keys"}}};
  return all;
}

std::vector<model::Pattern> expanded(const std::vector<model::Pattern>& patterns) {
  std::vector<model::Pattern> out;
  for (const model::Pattern& pattern : patterns) {
    const auto more = policy::expand_pattern(pattern, homes(), {"HOME=/home/a"});
    if (more) out.insert(out.end(), more->begin(), more->end());
  }
  return out;
}

void compile(const model::Scope& scope) {
  policy::FakeFiles files;
  for (const char* file : {"/usr/bin/git", "/usr/bin/python3.11", "/home/a/x", "/run/s"})
    files.file(file);
  policy::ExpandedScope whole{.scope = &scope};
  for (const model::ScopeCredential& credential : scope.credentials)
    whole.readers.push_back(expanded(credential.readers.value_or(std::vector<model::Pattern>{})));
  whole.exec = expanded(scope.exec.value_or(std::vector<model::Pattern>{}));
  auto compiled = policy::compile_policy(whole, catalogue(), files);
  if (!compiled) return;
  policy::SetNumbers sets;
  auto destinations = policy::compile_destinations(
      policy::destination_input(scope, catalogue(), *compiled, {}), sets);
  if (destinations) compiled->destinations = std::move(*destinations);
  fuzz::require(!policy::encode_policy(*compiled, {}).empty(), "a policy has entries");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const policy::ParsedFile parsed =
      policy::parse_documents({reinterpret_cast<const char*>(data), size}, "scope.yaml");
  fuzz::require(!parsed.documents.empty() || !parsed.diagnostics.empty(),
                "a file has documents or mistakes");
  fuzz::require_printable(policy::render(parsed.diagnostics), fuzz::Tabs::kept);
  for (const policy::Document& document : parsed.documents)
    if (const auto* scope = std::get_if<model::Scope>(&document); scope != nullptr) {
      const auto more = policy::check_scope_against(*scope, catalogue());
      fuzz::require_printable(policy::render(more), fuzz::Tabs::kept);
      if (!policy::has_errors(more)) compile(*scope);
    }
  return 0;
}
