// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/api_json.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>
#include <span>

#include "userspace/base/utf8.h"
#include "userspace/policy/document_scalar.h"
#include "userspace/sink/native.h"

namespace ambit::daemon {

namespace {

using nlohmann::json;
using pipeline::TaskPhase;

constexpr int kMaxDepth = 64;
constexpr std::size_t kShownName = 64;

std::string_view word_of(TaskPhase phase) {
  static constexpr std::array<std::string_view, 3> kWords{"live", "expired", "closed"};
  return kWords.at(static_cast<std::size_t>(phase));
}

/// Nothing where it is no JSON, is nested too deeply, or has a key twice in one object.
std::optional<json> parse_strictly(const std::string& body) {
  bool good = true;
  std::vector<std::set<std::string>> keys;
  const json::parser_callback_t look = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > kMaxDepth) good = false;
    if (!good) return false;
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end && !keys.empty()) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.empty() &&
        !keys.back().insert(parsed.get<std::string>()).second)
      good = false;
    return good;
  };
  json value = json::parse(body, look, false);
  if (!good || value.is_discarded()) return std::nullopt;
  return value;
}

Result<std::string> scope_text(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  constexpr int kIndent = 2;
  // Mistakes in it have lines all the same: those of this text.
  if (value.is_object()) return value.dump(kIndent);
  return fail("scope must be the text of a TaskScope, or one as an object");
}

Result<std::int32_t> process_id(const json& value) {
  const std::string wrong = "pid must be the number of a process";
  if (!value.is_number_unsigned()) return fail(wrong);
  const auto number = value.get<std::uint64_t>();
  if (number == 0 || number > std::numeric_limits<std::int32_t>::max()) return fail(wrong);
  return static_cast<std::int32_t>(number);
}

/// A scope, or the name of one.
Result<NarrowBody> scope_of(const json& body) {
  if (body.contains("scope") == body.contains("scopeName"))
    return fail(body.contains("scope") ? "scope and scopeName are both there: one is wanted"
                                       : "missing field \"scope\" or \"scopeName\"");
  if (body.contains("scope")) {
    auto text = scope_text(body.at("scope"));
    if (!text) return std::unexpected(text.error());
    return NarrowBody{.scope = std::move(*text), .scope_name = {}};
  }
  const json& name = body.at("scopeName");
  if (!name.is_string() || name.get<std::string>().empty())
    return fail("scopeName must be the name of a scope that the daemon has");
  return NarrowBody{.scope = {}, .scope_name = name.get<std::string>()};
}

struct Field {
  std::string_view name;
  bool required;
};

constexpr std::array kOpenFields{Field{"scope", false}, Field{"scopeName", false},
                                 Field{"pid", true}};
constexpr std::array kNarrowFields{Field{"scope", false}, Field{"scopeName", false}};
constexpr std::array kExtendFields{Field{"ttl", true}};

std::string names_of(std::span<const Field> fields) {
  std::string out;
  for (std::size_t i = 0; i < fields.size(); ++i)
    out += (i == 0 ? "" : i + 1 == fields.size() ? " and " : ", ") + std::string(fields[i].name);
  return out;
}

/// An object of these fields and no others.
Result<json> parse_fields(const std::string& body, std::span<const Field> fields) {
  auto value = parse_strictly(body);
  if (!value)
    return fail("the body is no JSON, is nested more than " + std::to_string(kMaxDepth) +
                " deep, or has a key twice in one object");
  if (!value->is_object()) return fail("the body must be an object with " + names_of(fields));
  for (const auto& [key, unused] : value->items())
    if (std::ranges::find(fields, std::string_view(key), &Field::name) == fields.end())
      return fail("unknown field \"" + to_terminal(key, kShownName) +
                  "\": known: " + names_of(fields));
  for (const Field& field : fields)
    if (field.required && !value->contains(field.name))
      return fail("missing field \"" + std::string(field.name) + "\"");
  return std::move(*value);
}

}  // namespace

json to_json(const policy::Diagnostic& diagnostic) {
  json out{
      {"severity", diagnostic.severity == policy::DiagnosticSeverity::error ? "error" : "warning"},
      {"message", diagnostic.message}};
  if (diagnostic.file.starts_with('/')) out["file"] = diagnostic.file;
  if (diagnostic.line != 0) {
    out["line"] = diagnostic.line;
    out["column"] = diagnostic.column;
  }
  if (!diagnostic.suggestion.empty()) out["suggestion"] = diagnostic.suggestion;
  return out;
}

json to_json(const pipeline::TaskView& view) {
  const model::Task& task = *view.task;
  json out{{"id", task.id},
           {"name", task.name},
           {"agent", task.agent},
           {"owner", task.owner.empty() ? json(nullptr) : json(task.owner)},
           {"onBehalfOf", task.on_behalf_of ? json(*task.on_behalf_of) : json(nullptr)},
           {"context", task.context},
           {"phase", word_of(view.phase)},
           {"opened", sink::rfc3339(view.opened_ns)},
           {"expires", sink::rfc3339(task.expires_ns)},
           {"declaredBy", task.declared_by},
           {"scopeSha256", task.scope_sha256},
           {"parent", task.parent ? json(*task.parent) : json(nullptr)},
           {"chain", json::array()}};
  for (const model::TaskInChain& one : task.chain)
    out["chain"].push_back({{"id", one.id},
                            {"name", one.name},
                            {"agent", one.agent},
                            {"onBehalfOf", one.on_behalf_of ? json(*one.on_behalf_of) : json()}});
  return out;
}

namespace {

json to_json(const correlation::Uses& uses) {
  return {{"before", uses.before}, {"after", uses.after}};
}

json number_or_null(std::uint64_t number) { return number == 0 ? json(nullptr) : json(number); }

json to_json(const correlation::Figures& figures) {
  json destinations = json::object();
  for (const auto& [text, uses] : figures.destinations) destinations[to_utf8(text)] = to_json(uses);
  return {{"credentials", figures.credentials},
          {"destinations", std::move(destinations)},
          {"elsewhere", to_json(figures.elsewhere)},
          {"programs", figures.programs},
          {"findings", figures.findings},
          {"firstCredential", number_or_null(figures.first_credential)},
          {"firstAct", number_or_null(figures.first_act)}};
}

}  // namespace

json to_json(const pipeline::TaskUse& use) {
  json never = json::array();
  for (const std::string& name : use.granted)
    if (!use.figures.credentials.contains(name)) never.push_back(name);
  return {{"granted", use.granted},
          {"held", use.held},
          {"used", to_json(use.figures)},
          {"neverUsed", std::move(never)}};
}

json to_json(const pipeline::ServiceStatus& status) {
  json out{{"backend", model::name_of(status.backend)},
           {"tasks", status.tasks},
           {"events", status.events},
           {"findings", status.findings}};
  if (!status.fault.empty()) out["fault"] = status.fault;
  return out;
}

json to_json(const ApiCounts& counts) {
  return {{"requests", counts.requests},
          {"refused",
           {{"rate", counts.refused_rate},
            {"size", counts.refused_size},
            {"garbage", counts.refused_garbage},
            {"busy", counts.refused_busy},
            {"caller", counts.refused_caller}}},
          {"connections",
           {{"now", counts.connections},
            {"timedOut", counts.timed_out},
            {"displaced", counts.displaced}}},
          {"readers",
           {{"now", counts.readers},
            {"slow", counts.readers_slow},
            {"stalled", counts.readers_stalled}}}};
}

json to_json(const pipeline::ResidualAccess& access) {
  json out{{"pid", access.pid}, {"kind", access.kind}, {"name", access.name}, {"why", access.why}};
  if (access.descriptor) out["descriptor"] = *access.descriptor;
  if (!access.credential.empty()) out["credential"] = access.credential;
  return out;
}

json to_json(const pipeline::ReloadView& reload) {
  return {{"credentials", reload.credentials},
          {"scopes", reload.scopes},
          {"tasks", reload.tasks},
          {"restart", reload.restart},
          {"notes", reload.notes}};
}

std::string text_of(const json& value) {
  // ASCII, as events are: who shows it on a terminal is not steered by a task's texts.
  return value.dump(-1, ' ', true, json::error_handler_t::replace) + "\n";
}

Result<OpenBody> parse_open(const std::string& body) {
  const auto value = parse_fields(body, kOpenFields);
  if (!value) return std::unexpected(value.error());
  auto scope = scope_of(*value);
  if (!scope) return std::unexpected(scope.error());
  const auto pid = process_id(value->at("pid"));
  if (!pid) return std::unexpected(pid.error());
  return OpenBody{
      .scope = std::move(scope->scope), .pid = *pid, .scope_name = std::move(scope->scope_name)};
}

Result<NarrowBody> parse_narrow(const std::string& body) {
  const auto value = parse_fields(body, kNarrowFields);
  if (!value) return std::unexpected(value.error());
  return scope_of(*value);
}

Result<std::chrono::nanoseconds> parse_extend(const std::string& body) {
  const auto value = parse_fields(body, kExtendFields);
  if (!value) return std::unexpected(value.error());
  const json& ttl = value->at("ttl");
  if (!ttl.is_string()) return fail("ttl must be a text such as 30m");
  const auto duration = policy::parse_duration(ttl.get<std::string>());
  if (!duration)
    return fail("ttl \"" + to_terminal(ttl.get<std::string>(), kShownName) + "\" " +
                duration.error().message);
  return *duration;
}

}  // namespace ambit::daemon
