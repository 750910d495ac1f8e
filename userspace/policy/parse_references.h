// SPDX-License-Identifier: Apache-2.0
// Identifiers of the lists that events refer to (ATT&CK, ATLAS, OWASP, CSF).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "userspace/policy/document_reader.h"

namespace ambit::policy {

enum class ReferenceList : std::uint8_t { attack, atlas, owasp_agentic, nhi, csf };

/// The list's identifiers; those of another form are reported.
[[nodiscard]] std::vector<std::string> read_identifiers(Reporter& report, const DocumentNode& value,
                                                        ReferenceList list);

}  // namespace ambit::policy
