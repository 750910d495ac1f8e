// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/parse_scope.h"

#include <unordered_map>

#include "userspace/policy/diagnostic_text.h"
#include "userspace/policy/document_scalar.h"
#include "userspace/policy/parse_lists.h"

namespace ambit::policy {
namespace {

constexpr std::size_t kMaxLabels = 64;
constexpr std::size_t kMaxLabelText = 1024;

void read_agent(Reporter& report, const DocumentNode& value, ScopeDraft& into) {
  into.scope.agent = read_formed(report, value, parse_agent).value_or("");
}

void read_owner(Reporter& report, const DocumentNode& value, ScopeDraft& into) {
  into.scope.owner = read_text(report, value).value_or("");
}

void read_on_behalf_of(Reporter& report, const DocumentNode& value, ScopeDraft& into) {
  // Present though bad: the credentials' authority is not a second mistake.
  into.scope.on_behalf_of = read_text(report, value).value_or("");
  into.scope.places.on_behalf_of = value.at;
}

void read_context(Reporter& report, const DocumentNode& value, ScopeDraft& into) {
  if (value.keys.size() > kMaxLabels) {
    report.error(value.key_at, "context has more than " + std::to_string(kMaxLabels) + " labels");
    return;
  }
  read_text_map(report, value, "context", [&](const DocumentNode& key, const DocumentNode& label) {
    const std::optional<std::string> name = read_formed(report, key, parse_name);
    const std::optional<std::string> text = read_text(report, label);
    if (!name || !text) return;
    if (text->size() > kMaxLabelText) {
      report.error(label.at, "a label is longer than " + std::to_string(kMaxLabelText) + " bytes");
      return;
    }
    into.scope.context.emplace(*name, *text);
  });
}

void read_ttl(Reporter& report, const DocumentNode& value, ScopeDraft& into) {
  into.scope.ttl = read_formed(report, value, parse_duration).value_or(std::chrono::nanoseconds{});
  into.scope.places.ttl = value.at;
}

void read_parent(Reporter& report, const DocumentNode& value, ScopeDraft& into) {
  into.scope.parent = read_formed(report, value, parse_name);
  into.scope.parent_at = value.at;
}

void read_mode(Reporter& report, const DocumentNode& value, ScopeDraft& into) {
  read_word(report, value, "mode", kModes, into.scope.mode);
  into.scope.places.mode = value.at;
}

void read_privileges(Reporter& report, const DocumentNode& value, ScopeDraft& into) {
  read_items(report, value, Shape::text, "privileges", [&](const DocumentNode& item) {
    model::Privilege privilege = model::Privilege::none;
    read_word(report, item, "a privilege", kPrivilegeWords, privilege);
    if (privilege == model::Privilege::none) return;
    into.scope.privileges.insert(privilege);
    into.scope.places.privileges.emplace(privilege, item.at);
  });
}

void read_environment(Reporter& report, const DocumentNode& value, ScopeDraft& into) {
  read_word(report, value, "environment", kEnvironments, into.scope.strip_environment);
  into.scope.places.environment = value.at;
}

void read_credential_name(Reporter& report, const DocumentNode& value, ScopeCredentialDraft& into) {
  into.credential.name = read_formed(report, value, parse_name).value_or("");
  into.credential.at = value.at;
}

void read_authority(Reporter& report, const DocumentNode& value, ScopeCredentialDraft& into) {
  model::Authority authority{};
  const std::size_t errors_before = report.errors();
  read_word(report, value, "authority", kAuthorities, authority);
  if (report.errors() != errors_before) return;
  into.credential.authority = authority;
  into.credential.authority_at = value.at;
  into.authority = &value;
}

void read_readers(Reporter& report, const DocumentNode& value, ScopeCredentialDraft& into) {
  into.credential.readers = read_patterns(report, value, "readers");
  into.credential.readers_at = value.key_at;
}

void read_credential_destinations(Reporter& report, const DocumentNode& value,
                                  ScopeCredentialDraft& into) {
  into.credential.destinations = read_destinations(report, value, "destinations");
  into.credential.destinations_at = value.key_at;
}

void read_holding(Reporter& report, const DocumentNode& value, ScopeCredentialDraft& into) {
  read_word(report, value, "holding", kHoldings, into.credential.holding);
  into.credential.holding_at = value.at;
}

void read_credentials(Reporter& report, const DocumentNode& value, ScopeDraft& into) {
  into.scope.places.credentials = value.key_at;
  read_items(report, value, Shape::mapping, "credentials", [&](const DocumentNode& item) {
    ScopeCredentialDraft draft;
    draft.credential.at = item.at;
    read_mapping(report, item, "a credential of the scope", kScopeCredentialKeys, draft);
    into.scope.credentials.push_back(std::move(draft.credential));
    into.authorities.push_back(draft.authority);
  });
}

void read_network_allow(Reporter& report, const DocumentNode& value,
                        std::vector<model::DestinationRule>& into) {
  into = read_destinations(report, value, "allow");
}

void read_network(Reporter& report, const DocumentNode& value, ScopeDraft& into) {
  into.scope.network.emplace();
  into.scope.places.network = value.key_at;
  read_mapping(report, value, "network", kNetworkKeys, *into.scope.network);
}

void read_exec_allow(Reporter& report, const DocumentNode& value,
                     std::vector<model::Pattern>& into) {
  into = read_patterns(report, value, "allow");
}

void read_exec(Reporter& report, const DocumentNode& value, ScopeDraft& into) {
  into.scope.exec.emplace();
  into.scope.places.exec = value.key_at;
  read_mapping(report, value, "exec", kExecKeys, *into.scope.exec);
}

template <model::Response model::Responses::* Member, model::Position model::ScopePlaces::* Place>
void read_response_word(Reporter& report, const DocumentNode& value, model::Scope& into) {
  read_word(report, value, "a response", kResponseWords, into.response.*Member);
  into.places.*Place = value.at;
}

void read_blended(Reporter& report, const DocumentNode& value, model::Scope& into) {
  read_word(report, value, "a response to blended authority", kBlendedWords, into.response.blended);
  into.places.response_blended = value.at;
}

void read_response(Reporter& report, const DocumentNode& value, ScopeDraft& into) {
  read_mapping(report, value, "response", kResponseKeys, into.scope);
}

void check_names_differ(Reporter& report, const model::Scope& scope) {
  std::unordered_map<std::string_view, std::uint32_t> lines;
  for (const model::ScopeCredential& credential : scope.credentials) {
    if (credential.name.empty()) continue;
    const auto [first, is_new] = lines.emplace(credential.name, credential.at.line);
    if (is_new) continue;
    report.error(credential.at, "credential " + in_quotes(credential.name) +
                                    " stands twice; the first is in line " +
                                    std::to_string(first->second));
  }
}

void check_authorities(Reporter& report, const ScopeDraft& draft) {
  if (draft.scope.on_behalf_of) return;
  for (std::size_t i = 0; i < draft.authorities.size(); ++i) {
    if (draft.scope.credentials[i].authority != model::Authority::delegated) continue;
    report.error(draft.authorities[i]->at,
                 "delegated needs onBehalfOf in spec: the person on whose behalf it is used");
  }
}

}  // namespace

const std::array<ScopeKey, 13> kScopeKeys{{
    {.facts = {.name = "agent", .shape = Shape::text, .required = true}, .read = read_agent},
    {.facts = {.name = "owner", .shape = Shape::text}, .read = read_owner},
    {.facts = {.name = "onBehalfOf", .shape = Shape::text}, .read = read_on_behalf_of},
    {.facts = {.name = "context", .shape = Shape::mapping}, .read = read_context},
    {.facts = {.name = "ttl", .shape = Shape::scalar, .required = true}, .read = read_ttl},
    {.facts = {.name = "parent", .shape = Shape::text}, .read = read_parent},
    {.facts = {.name = "mode", .shape = Shape::text}, .read = read_mode},
    {.facts = {.name = "credentials", .shape = Shape::list}, .read = read_credentials},
    {.facts = {.name = "network", .shape = Shape::mapping}, .read = read_network},
    {.facts = {.name = "exec", .shape = Shape::mapping}, .read = read_exec},
    {.facts = {.name = "privileges", .shape = Shape::list}, .read = read_privileges},
    {.facts = {.name = "environment", .shape = Shape::text}, .read = read_environment},
    {.facts = {.name = "response", .shape = Shape::mapping}, .read = read_response},
}};

const std::array<ScopeCredentialKey, 5> kScopeCredentialKeys{{
    {.facts = {.name = "name", .shape = Shape::text, .required = true},
     .read = read_credential_name},
    {.facts = {.name = "authority", .shape = Shape::text}, .read = read_authority},
    {.facts = {.name = "readers", .shape = Shape::list}, .read = read_readers},
    {.facts = {.name = "destinations", .shape = Shape::list}, .read = read_credential_destinations},
    {.facts = {.name = "holding", .shape = Shape::text}, .read = read_holding},
}};

const std::array<NetworkKey, 1> kNetworkKeys{{
    {.facts = {.name = "allow", .shape = Shape::list}, .read = read_network_allow},
}};

const std::array<ExecKey, 1> kExecKeys{{
    {.facts = {.name = "allow", .shape = Shape::list}, .read = read_exec_allow},
}};

const std::array<ResponseKey, 4> kResponseKeys{{
    {.facts = {.name = "credential", .shape = Shape::text},
     .read = read_response_word<&model::Responses::credential,
                                &model::ScopePlaces::response_credential>},
    {.facts = {.name = "network", .shape = Shape::text},
     .read = read_response_word<&model::Responses::network, &model::ScopePlaces::response_network>},
    {.facts = {.name = "exec", .shape = Shape::text},
     .read = read_response_word<&model::Responses::exec, &model::ScopePlaces::response_exec>},
    {.facts = {.name = "blended", .shape = Shape::text}, .read = read_blended},
}};

model::Scope parse_scope(Reporter& report, const DocumentNode& spec) {
  ScopeDraft draft;
  draft.scope.places.spec = spec.key_at;
  read_mapping(report, spec, "spec", kScopeKeys, draft);
  check_names_differ(report, draft.scope);
  check_authorities(report, draft);
  return std::move(draft.scope);
}

}  // namespace ambit::policy
