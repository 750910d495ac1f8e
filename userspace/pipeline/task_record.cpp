// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/task_record.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "userspace/policy/destinations_address.h"
#include "userspace/policy/document_file.h"

namespace ambit::pipeline {

namespace {

using Json = nlohmann::json;

constexpr int kVersion = 3;

std::string hex_of(const std::string& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char byte : bytes) {
    out += kDigits[static_cast<unsigned char>(byte) >> 4U];
    out += kDigits[static_cast<unsigned char>(byte) & 15U];
  }
  return out;
}

Result<std::string> bytes_of(const std::string& hex) {
  const auto value = [](char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
  };
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const int high = value(hex[i]);
    const int low = value(hex[i + 1]);
    if (high < 0 || low < 0) return fail("a key is not hexadecimal");
    out += static_cast<char>(high << 4 | low);
  }
  if (hex.size() % 2 != 0) return fail("a key is cut");
  return out;
}

bool is_id(const std::string& text) {
  constexpr std::size_t kMost = 64;
  return !text.empty() && text.size() <= kMost && std::ranges::all_of(text, [](char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z');
  });
}

/// One document's text. Bytes that are no UTF-8 are in no name that is looked up.
std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json json_of(const policy::Resolved& answer) {
  Json addresses = Json::array();
  for (const policy::Address& address : answer.addresses)
    addresses.push_back(policy::text_of(address));
  return {{"addresses", addresses}, {"file", answer.from_file}};
}

Json json_of(const model::DestinationRule& rule) {
  Json ports = Json::array();
  for (const model::PortRange& range : rule.ports) ports.push_back({range.first, range.last});
  Json json{{"ports", ports}, {"protocols", rule.protocols}};
  switch (rule.type) {
    case model::DestinationType::host:
      json["host"] = rule.host;
      break;
    case model::DestinationType::unix_socket:
      json["unix"] = rule.unix_path;
      break;
    case model::DestinationType::range:
      json["address"] = policy::text_of(rule.range.address);
      json["prefix"] = rule.range.prefix;
  }
  return json;
}

Json json_of(const std::vector<model::DestinationRule>& rules) {
  Json json = Json::array();
  for (const model::DestinationRule& rule : rules) json.push_back(json_of(rule));
  return json;
}

Json json_of(const std::vector<model::Pattern>& patterns) {
  Json json = Json::array();
  for (const model::Pattern& pattern : patterns) json.push_back({pattern.text, pattern.exclude});
  return json;
}

Json json_of(const PolicyBit& bit) {
  Json json{{"credential", bit.credential},
            {"listed", bit.listed},
            {"holding", static_cast<int>(bit.holding)}};
  if (bit.number) json["number"] = *bit.number;
  if (bit.use) json["use"] = json_of(*bit.use);
  return json;
}

Json json_of(const PolicyRecord& policy) {
  Json bits = Json::array();
  for (const PolicyBit& bit : policy.bits) bits.push_back(json_of(bit));
  Json tables = Json::object();
  for (const auto& [table, key] : policy.keys)
    tables[std::string(model::name_of(table))].push_back(hex_of(key));
  return {{"number", policy.number},
          {"space", policy.credential_space},
          {"scope", policy.scope},
          {"shadow", policy.mode == model::Mode::shadow},
          {"credentials", policy.credentials},
          {"bits", bits},
          {"tables", tables}};
}

// Those that take throw where the types are others.

policy::Resolved take_answer(const Json& json) {
  policy::Resolved out;
  for (const Json& text : json.at("addresses"))
    if (const auto address = policy::address_of(text.get<std::string>()))
      out.addresses.push_back(*address);
  std::ranges::sort(out.addresses);
  out.from_file = json.at("file").get<bool>();
  return out;
}

Result<model::DestinationRule> take_rule(const Json& json) {
  model::DestinationRule rule;
  for (const Json& range : json.at("ports"))
    rule.ports.push_back(
        {.first = range.at(0).get<std::uint16_t>(), .last = range.at(1).get<std::uint16_t>()});
  rule.protocols = json.at("protocols").get<std::vector<std::uint8_t>>();
  if (json.contains("host")) {
    rule.host = json.at("host").get<std::string>();
  } else if (json.contains("unix")) {
    rule.type = model::DestinationType::unix_socket;
    rule.unix_path = json.at("unix").get<std::string>();
  } else {
    const auto address = policy::address_of(json.at("address").get<std::string>());
    if (!address) return fail("a destination is no address");
    rule.type = model::DestinationType::range;
    rule.range = {.address = *address, .prefix = json.at("prefix").get<std::uint8_t>()};
  }
  return rule;
}

Result<PolicyBit> take_bit(const Json& json) {
  PolicyBit bit{.credential = json.at("credential").get<std::string>(),
                .number = {},
                .listed = json.at("listed").get<bool>(),
                .holding = {},
                .use = {}};
  const int holding = json.at("holding").get<int>();
  if (holding < 0 || holding > static_cast<int>(model::Holding::task))
    return fail("a credential is held in no way that there is");
  bit.holding = static_cast<model::Holding>(holding);
  if (json.contains("number")) bit.number = json.at("number").get<std::uint16_t>();
  if (!json.contains("use")) return bit;
  bit.use.emplace();
  for (const Json& rule : json.at("use")) {
    auto taken = take_rule(rule);
    if (!taken) return std::unexpected(taken.error());
    bit.use->push_back(std::move(*taken));
  }
  return bit;
}

Result<void> take_keys(const Json& tables, std::vector<TableKey>& into) {
  for (const auto& [name, keys] : tables.items()) {
    const auto* const table = std::ranges::find(model::kTables, std::string_view(name));
    if (table == model::kTables.end()) return fail("there is no table " + name);
    for (const Json& key : keys) {
      auto bytes = bytes_of(key.get<std::string>());
      if (!bytes) return std::unexpected(bytes.error());
      into.emplace_back(static_cast<model::Table>(table - model::kTables.begin()),
                        std::move(*bytes));
    }
  }
  return {};
}

Result<PolicyRecord> take_policy(const Json& json) {
  PolicyRecord policy{
      .number = json.at("number").get<std::uint32_t>(),
      .credential_space = json.at("space").get<std::uint32_t>(),
      .scope = json.at("scope").get<std::string>(),
      .mode = json.at("shadow").get<bool>() ? model::Mode::shadow : model::Mode::enforce,
      .credentials = json.at("credentials").get<std::vector<std::string>>(),
      .bits = {},
      .keys = {}};
  for (const Json& bit : json.at("bits")) {
    auto taken = take_bit(bit);
    if (!taken) return std::unexpected(taken.error());
    policy.bits.push_back(std::move(*taken));
  }
  if (policy.bits.size() > model::kMaxPolicyCredentials) return fail("a policy has too many bits");
  if (auto taken = take_keys(json.at("tables"), policy.keys); !taken)
    return std::unexpected(taken.error());
  return policy;
}

Result<TaskRecord> take_record(const Json& json) {
  TaskRecord record{.id = json.at("id").get<std::string>(),
                    .slot = json.at("slot").get<std::uint32_t>(),
                    .parent = json.at("parent").get<std::uint32_t>(),
                    .family_bits = json.at("family_bits").get<std::vector<std::string>>(),
                    .declared_by = json.at("declared_by").get<std::string>(),
                    .opened_ns = json.at("opened").get<std::int64_t>(),
                    .expires_ns = json.at("expires").get<std::int64_t>(),
                    .expires_boot_ns = json.at("expires_boot").get<std::uint64_t>(),
                    .expired = json.at("expired").get<bool>(),
                    .limits = json.at("limits").get<std::vector<std::string>>(),
                    .names = {},
                    .policies = {}};
  for (const auto& [name, answer] : json.at("names").items())
    record.names[name] = take_answer(answer);
  for (const Json& policy : json.at("policies")) {
    auto taken = take_policy(policy);
    if (!taken) return std::unexpected(taken.error());
    record.policies.push_back(std::move(*taken));
  }
  if (!is_id(record.id) || record.slot == 0 || record.policies.empty())
    return fail("the task has no name, number or policy");
  return record;
}

CatalogueNote take_note(const Json& json) {
  return {.patterns = json.at("patterns").get<bool>(),
          .space = json.at("space").get<std::uint32_t>(),
          .others = json.at("others").get<std::vector<std::uint32_t>>(),
          .digest = json.at("digest").get<std::string>(),
          .names = json.at("names").get<std::vector<std::string>>()};
}

template <typename Taken>
Result<Taken> read(const std::string& text, Result<Taken> (*take)(const Json&)) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object() || json.value("v", Json()) != kVersion)
    return fail("no record of version " + std::to_string(kVersion));
  try {
    return take(json);
  } catch (const Json::exception& wrong) {
    return fail(wrong.what());
  }
}

}  // namespace

std::string to_text(const TaskRecord& record) {
  Json names = Json::object();
  for (const auto& [name, answer] : record.names) names[name] = json_of(answer);
  Json policies = Json::array();
  for (const PolicyRecord& policy : record.policies) policies.push_back(json_of(policy));
  return dumped({{"v", kVersion},
                 {"id", record.id},
                 {"slot", record.slot},
                 {"parent", record.parent},
                 {"family_bits", record.family_bits},
                 {"declared_by", record.declared_by},
                 {"opened", record.opened_ns},
                 {"expires", record.expires_ns},
                 {"expires_boot", record.expires_boot_ns},
                 {"expired", record.expired},
                 {"limits", record.limits},
                 {"names", names},
                 {"policies", policies}});
}

Result<TaskRecord> record_of(const std::string& text) {
  return read<TaskRecord>(text, take_record);
}

std::string to_text(const CatalogueNote& note) {
  return dumped({{"v", kVersion},
                 {"patterns", note.patterns},
                 {"space", note.space},
                 {"others", note.others},
                 {"digest", note.digest},
                 {"names", note.names}});
}

Result<CatalogueNote> note_of(const std::string& text) {
  return read<CatalogueNote>(
      text, +[](const Json& json) -> Result<CatalogueNote> { return take_note(json); });
}

Result<std::string> digest_of(const model::Catalogue& catalogue) {
  Json all = Json::array();
  for (const model::Credential& credential : catalogue.credentials)
    all.push_back(
        {{"name", credential.name},
         {"files", json_of(credential.files)},
         {"sockets", json_of(credential.sockets)},
         {"relocated", credential.relocated_by},
         {"variables", credential.variables},
         {"endpoints", json_of(credential.endpoints)},
         {"destinations", credential.destinations ? json_of(*credential.destinations) : Json()}});
  return policy::sha256_hex(dumped(all));
}

}  // namespace ambit::pipeline
