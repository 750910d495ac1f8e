// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/config_file.h"

#include <utility>
#include <variant>

#include "userspace/policy/document.h"

namespace ambit::daemon {

std::expected<model::Config, std::vector<policy::Diagnostic>> read_config(const std::string& path) {
  policy::ParsedFile parsed = policy::parse_document_file(path);
  if (policy::has_errors(parsed.diagnostics)) return std::unexpected(std::move(parsed.diagnostics));
  auto* const config = parsed.documents.size() == 1
                           ? std::get_if<model::Config>(&parsed.documents.front())
                           : nullptr;
  if (config != nullptr) {
    // Where it is read from again, whatever it calls itself.
    config->source = path;
    return std::move(*config);
  }
  policy::Diagnostic diagnostic;
  diagnostic.file = path;
  diagnostic.message = "exactly one document of kind Config is wanted";
  return std::unexpected(std::vector{std::move(diagnostic)});
}

}  // namespace ambit::daemon
