// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/document_envelope.h"

#include "userspace/policy/diagnostic_text.h"
#include "userspace/policy/document_scalar.h"

namespace ambit::policy {
namespace {

void read_api_version(Reporter& report, const DocumentNode& value, Envelope& into) {
  static_cast<void>(into);
  static_cast<void>(read_word_of(report, value, "apiVersion", std::array{kApiVersion}));
}

void read_kind(Reporter& report, const DocumentNode& value, Envelope& into) {
  DocumentKind kind{};
  const std::size_t errors_before = report.errors();
  read_word(report, value, "kind", kDocumentKinds, kind);
  if (report.errors() == errors_before) into.kind = kind;
}

void read_metadata(Reporter& report, const DocumentNode& value, Envelope& into) {
  read_mapping(report, value, "metadata", kMetadataKeys, into);
}

void read_metadata_name(Reporter& report, const DocumentNode& value, Envelope& into) {
  into.name = read_formed(report, value, parse_name).value_or("");
  into.name_at = value.at;
}

void keep_spec(Reporter& report, const DocumentNode& value, Envelope& into) {
  static_cast<void>(report);
  into.spec = &value;
}

}  // namespace

const std::array<Key<Envelope>, 4> kEnvelopeKeys{{
    {.facts = {.name = "apiVersion", .shape = Shape::text, .required = true},
     .read = read_api_version},
    {.facts = {.name = "kind", .shape = Shape::text, .required = true}, .read = read_kind},
    {.facts = {.name = "metadata", .shape = Shape::mapping, .required = true},
     .read = read_metadata},
    {.facts = {.name = "spec", .shape = Shape::mapping, .required = true}, .read = keep_spec},
}};

const std::array<Key<Envelope>, 1> kMetadataKeys{{
    {.facts = {.name = "name", .shape = Shape::text, .required = true}, .read = read_metadata_name},
}};

Envelope read_envelope(Reporter& report, const DocumentNode& root) {
  Envelope envelope;
  read_mapping(report, root, "the document", kEnvelopeKeys, envelope);
  return envelope;
}

}  // namespace ambit::policy
