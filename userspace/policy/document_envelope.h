// SPDX-License-Identifier: Apache-2.0
// What every document has around its spec: apiVersion, kind, metadata.
#pragma once

#include <string>

#include "userspace/policy/document_reader.h"

namespace ambit::policy {

inline constexpr std::string_view kApiVersion = "ambit.dev/v1";

enum class DocumentKind : std::uint8_t { task_scope, credential, config };

inline constexpr std::array kDocumentKinds{
    Word<DocumentKind>{.spelling = "TaskScope", .value = DocumentKind::task_scope},
    Word<DocumentKind>{.spelling = "Credential", .value = DocumentKind::credential},
    Word<DocumentKind>{.spelling = "Config", .value = DocumentKind::config},
};

struct Envelope {
  std::optional<DocumentKind> kind;
  std::string name;
  model::Position name_at;
  const DocumentNode* spec = nullptr;
};

extern const std::array<Key<Envelope>, 4> kEnvelopeKeys;
extern const std::array<Key<Envelope>, 1> kMetadataKeys;

/// Reports what is missing or wrong; `spec` is not looked into.
[[nodiscard]] Envelope read_envelope(Reporter& report, const DocumentNode& root);

}  // namespace ambit::policy
