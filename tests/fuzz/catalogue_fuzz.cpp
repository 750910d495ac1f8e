// SPDX-License-Identifier: Apache-2.0
// A file of credentials: parsed, expanded and compiled over a small file system.
#include "tests/core/fake_files.h"
#include "tests/fuzz/checks.h"
#include "userspace/policy/compile.h"
#include "userspace/policy/document.h"
#include "userspace/policy/encode.h"
#include "userspace/policy/homes.h"
#include "userspace/policy/marks.h"

namespace {

using namespace ambit;

const policy::Environment& environment() {
  static const policy::Environment all{"HOME=/home/a", "XDG_CONFIG_HOME=/home/a/.config",
                                       "KUBECONFIG=/srv/kube:/srv/other", "X=/srv/x", "Y=relative"};
  return all;
}

policy::FakeFiles machine() {
  policy::FakeFiles files;
  for (const char* file : {"/home/a/.aws/credentials", "/home/a/.ssh/id", "/home/a/.ssh/id.pub",
                           "/home/a/.config/gh/hosts.yml", "/etc/shadow", "/srv/kube", "/srv/x"})
    files.file(file);
  files.symlink("/home/a/.netrc", "/srv/x");
  files.symlink("/home/a/.kube", "/srv");
  files.hard_link("/tmp/link", "/home/a/.ssh/id");
  return files;
}

void compile(const model::Catalogue& catalogue) {
  static const policy::FakeFiles files = machine();
  const policy::Homes homes{.directories = {"/root", "/home/a"}, .users = {0, 1000}};
  policy::ExpandedCatalogue expanded{.catalogue = &catalogue};
  for (const model::Credential& credential : catalogue.credentials) {
    auto& out = expanded.files.emplace_back();
    const auto relocated = policy::relocate(credential, environment(), "/work");
    if (!relocated) continue;
    for (const auto* patterns :
         {&credential.files, &credential.sockets, &relocated->files, &relocated->sockets})
      for (const model::Pattern& pattern : *patterns)
        if (auto more = policy::expand_pattern(pattern, homes, environment()))
          out.insert(out.end(), more->begin(), more->end());
  }
  const auto paths = policy::compile_catalogue(expanded, files);
  if (paths) fuzz::require(!policy::encode_paths(*paths, 1).empty(), "paths have entries");
  for (const std::string& directory :
       policy::plan_marks(expanded, homes.directories, files).directories)
    fuzz::require(directory != "/" && directory != "/home/a" && directory != "/etc",
                  "a directory of everybody is not marked");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const policy::ParsedFile parsed =
      policy::parse_documents({reinterpret_cast<const char*>(data), size}, "catalogue.yaml");
  fuzz::require(!parsed.documents.empty() || !parsed.diagnostics.empty(),
                "a file has documents or mistakes");
  fuzz::require_printable(policy::render(parsed.diagnostics), fuzz::Tabs::kept);
  model::Catalogue catalogue;
  for (const policy::Document& document : parsed.documents)
    if (const auto* credential = std::get_if<model::Credential>(&document); credential != nullptr)
      catalogue.credentials.push_back(*credential);
  if (!catalogue.credentials.empty()) compile(catalogue);
  return 0;
}
