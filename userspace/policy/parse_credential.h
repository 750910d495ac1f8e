// SPDX-License-Identifier: Apache-2.0
// kind: Credential
#pragma once

#include "userspace/model/documents.h"
#include "userspace/policy/document_reader.h"

namespace ambit::policy {

/// A credential and what is judged when all its keys are read.
struct CredentialDraft {
  model::Credential credential;
  const DocumentNode* relocated_by = nullptr;
};

using CredentialKey = Key<CredentialDraft>;
using ReferenceKey = Key<model::References>;

extern const std::array<CredentialKey, 8> kCredentialKeys;
extern const std::array<ReferenceKey, 5> kReferenceKeys;

/// From the mapping under `spec`; name, place and source are the caller's.
[[nodiscard]] model::Credential parse_credential(Reporter& report, const DocumentNode& spec);

}  // namespace ambit::policy
