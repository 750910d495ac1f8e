// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/parse_credential.h"

#include <algorithm>

#include "userspace/policy/diagnostic_text.h"
#include "userspace/policy/document_scalar.h"
#include "userspace/policy/parse_lists.h"
#include "userspace/policy/parse_references.h"
#include "userspace/policy/pattern_form.h"

namespace ambit::policy {
namespace {

void read_provider(Reporter& report, const DocumentNode& value, CredentialDraft& into) {
  into.credential.provider = read_text(report, value).value_or("");
}

std::vector<model::Pattern> read_places(Reporter& report, const DocumentNode& value,
                                        std::string_view what) {
  std::vector<model::Pattern> patterns = read_patterns(report, value, what);
  for (const model::Pattern& pattern : patterns) {
    if (pattern.text == "/**")
      report.error(pattern.at, "\"/**\" makes every file of the machine a credential");
  }
  return patterns;
}

void read_files(Reporter& report, const DocumentNode& value, CredentialDraft& into) {
  into.credential.files = read_places(report, value, "files");
}

void read_sockets(Reporter& report, const DocumentNode& value, CredentialDraft& into) {
  into.credential.sockets = read_places(report, value, "sockets");
}

void read_relocated_by(Reporter& report, const DocumentNode& value, CredentialDraft& into) {
  into.relocated_by = &value;
  read_text_map(
      report, value, "relocatedBy", [&](const DocumentNode& key, const DocumentNode& moved) {
        const std::optional<std::string> variable = read_formed(report, key, parse_variable);
        const std::optional<std::string> text = read_text(report, moved);
        if (!variable || !text) return;
        if (text->ends_with("/**")) {
          report.error(moved.at, in_quotes(*text) + " ends in /**; name the directory that moves",
                       text->substr(0, text->size() - 3));
        } else if (auto form = parse_pattern_form(*text); !form) {
          report_mistake(report, moved, form.error());
        } else {
          into.credential.relocated_by.emplace(*variable, *text);
        }
      });
}

void read_endpoint_list(Reporter& report, const DocumentNode& value, CredentialDraft& into) {
  into.credential.endpoints = read_endpoints(report, value);
}

void read_variables(Reporter& report, const DocumentNode& value, CredentialDraft& into) {
  read_items(report, value, Shape::text, "variables", [&](const DocumentNode& item) {
    if (auto name = read_formed(report, item, parse_variable)) {
      into.credential.variables.push_back(std::move(*name));
    }
  });
}

void read_bound_destinations(Reporter& report, const DocumentNode& value, CredentialDraft& into) {
  into.credential.destinations = read_destinations(report, value, "destinations");
}

void read_references(Reporter& report, const DocumentNode& value, CredentialDraft& into) {
  read_mapping(report, value, "references", kReferenceKeys, into.credential.references);
}

bool moves_something(const model::Credential& credential, std::string_view moved) {
  const auto is_moved = [&](const model::Pattern& pattern) {
    return !pattern.exclude && is_moved_by(pattern.text, moved);
  };
  return std::ranges::any_of(credential.files, is_moved) ||
         std::ranges::any_of(credential.sockets, is_moved);
}

void check_relocations(Reporter& report, const CredentialDraft& draft) {
  if (draft.relocated_by == nullptr) return;
  for (const auto& [variable, moved] : draft.credential.relocated_by) {
    if (moves_something(draft.credential, moved)) continue;
    std::vector<std::string_view> patterns;
    for (const model::Pattern& pattern : draft.credential.files) patterns.push_back(pattern.text);
    for (const model::Pattern& pattern : draft.credential.sockets) patterns.push_back(pattern.text);
    const DocumentNode* const value = find(*draft.relocated_by, variable);
    report.misspelt(
        value->at,
        in_quotes(moved) + " is neither one of files and sockets nor a directory above one", moved,
        patterns);
  }
}

void check_names_a_place(Reporter& report, const DocumentNode& spec,
                         const model::Credential& credential) {
  const bool has_place = !credential.files.empty() || !credential.sockets.empty() ||
                         !credential.endpoints.empty() || !credential.variables.empty();
  if (has_place) return;
  report.error(spec.key_at,
               "the credential is nowhere: it needs files, sockets, endpoints or variables");
}

template <std::vector<std::string> model::References::* Member, ReferenceList List>
void read_reference_list(Reporter& report, const DocumentNode& value, model::References& into) {
  into.*Member = read_identifiers(report, value, List);
}

}  // namespace

const std::array<CredentialKey, 8> kCredentialKeys{{
    {.facts = {.name = "provider", .shape = Shape::text}, .read = read_provider},
    {.facts = {.name = "files", .shape = Shape::list}, .read = read_files},
    {.facts = {.name = "relocatedBy", .shape = Shape::mapping}, .read = read_relocated_by},
    {.facts = {.name = "sockets", .shape = Shape::list}, .read = read_sockets},
    {.facts = {.name = "endpoints", .shape = Shape::list}, .read = read_endpoint_list},
    {.facts = {.name = "variables", .shape = Shape::list}, .read = read_variables},
    {.facts = {.name = "destinations", .shape = Shape::list}, .read = read_bound_destinations},
    {.facts = {.name = "references", .shape = Shape::mapping}, .read = read_references},
}};

const std::array<ReferenceKey, 5> kReferenceKeys{{
    {.facts = {.name = "attack", .shape = Shape::list},
     .read = read_reference_list<&model::References::attack, ReferenceList::attack>},
    {.facts = {.name = "atlas", .shape = Shape::list},
     .read = read_reference_list<&model::References::atlas, ReferenceList::atlas>},
    {.facts = {.name = "owaspAgentic", .shape = Shape::list},
     .read = read_reference_list<&model::References::owasp_agentic, ReferenceList::owasp_agentic>},
    {.facts = {.name = "nhi", .shape = Shape::list},
     .read = read_reference_list<&model::References::nhi, ReferenceList::nhi>},
    {.facts = {.name = "csf", .shape = Shape::list},
     .read = read_reference_list<&model::References::csf, ReferenceList::csf>},
}};

model::Credential parse_credential(Reporter& report, const DocumentNode& spec) {
  CredentialDraft draft;
  const std::size_t errors_before = report.errors();
  read_mapping(report, spec, "spec", kCredentialKeys, draft);
  if (report.errors() == errors_before) {
    check_relocations(report, draft);
    check_names_a_place(report, spec, draft.credential);
  }
  return std::move(draft.credential);
}

}  // namespace ambit::policy
