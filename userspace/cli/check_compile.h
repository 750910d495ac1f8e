// SPDX-License-Identifier: Apache-2.0
// What only compiling shows, against this machine's file system: too many patterns in one
// directory, too many port sets, …
#pragma once

#include <map>
#include <string>
#include <vector>

#include "userspace/cli/isolate.h"
#include "userspace/model/documents.h"
#include "userspace/policy/diagnostic.h"

namespace ambit::cli {

struct CompileRequest {
  const model::Catalogue* catalogue = nullptr;  ///< null: it could not be loaded
  std::map<std::string, std::vector<model::Credential>> credentials;  ///< by file
  std::vector<const model::Scope*> scopes;
  Limits limits;
};

/// One diagnostic for each file that does not compile, of the file as a whole.
[[nodiscard]] std::vector<policy::Diagnostic> compile_documents(const CompileRequest& request);

}  // namespace ambit::cli
