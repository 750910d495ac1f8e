// SPDX-License-Identifier: Apache-2.0
// What `ambit check` found; showing it is a pure function.
#pragma once

#include <string>
#include <vector>

#include "userspace/cli/style.h"
#include "userspace/policy/diagnostic.h"

namespace ambit::cli {

struct CheckedDocument {
  std::string file;
  std::string kind;  ///< TaskScope, Credential or Config
  std::string name;
  bool ok = true;
};

struct CheckReport {
  std::size_t files = 0;
  std::vector<CheckedDocument> documents;  ///< those that could be read
  std::vector<policy::Diagnostic> diagnostics;

  [[nodiscard]] std::size_t errors() const;
  [[nodiscard]] std::size_t warnings() const;
  [[nodiscard]] std::size_t good_documents() const;
};

/// "3 files, 2 documents ok, 3 errors"
[[nodiscard]] std::string summary_line(const CheckReport& report);

/// Every diagnostic, then the summary.
[[nodiscard]] std::string render_text(const CheckReport& report, const Style& style);
/// One JSON object, ended by a newline.
[[nodiscard]] std::string render_json(const CheckReport& report);

}  // namespace ambit::cli
