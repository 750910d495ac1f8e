// SPDX-License-Identifier: Apache-2.0
// Files of TaskScope and Credential documents (DESIGN §5), parsed into plain structs.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "userspace/model/documents.h"
#include "userspace/policy/diagnostic.h"

namespace ambit::policy {

using Document = std::variant<model::Scope, model::Credential, model::Config>;

/// "TaskScope", "Credential", "Config".
[[nodiscard]] std::string_view kind_of(const Document& document);

struct ParsedFile {
  std::vector<Document> documents;          ///< only those without an error
  std::vector<model::Scope> flawed_scopes;  ///< the others, as far as they could be read
  std::vector<Diagnostic> diagnostics;      ///< all mistakes of the file, in order of place
};

/// One or more documents of YAML or JSON. Whatever the bytes are: fast, in bounded memory, no
/// exception.
[[nodiscard]] ParsedFile parse_documents(std::string_view text, std::string file_name);

/// As above; a file that cannot be read is a diagnostic without a line.
[[nodiscard]] ParsedFile parse_document_file(const std::string& path);

/// Where a scope with a parent cannot be started, in the same words wherever it is said.
inline constexpr std::string_view kOnlyTheDaemonDelegates =
    "the scope names a parent task: only the daemon opens such a task, not `ambit run`";

/// What a scope says that its document alone does not show to be wrong, of credentials above all.
/// Flawed scopes too, so that nothing waits until the other mistakes are mended. No source lines:
/// attach_source().
[[nodiscard]] std::vector<Diagnostic> check_scope_against(const model::Scope& scope,
                                                          const model::Catalogue& catalogue);

}  // namespace ambit::policy
