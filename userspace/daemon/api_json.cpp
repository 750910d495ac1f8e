// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/api_json.h"

#include <array>
#include <limits>
#include <optional>
#include <set>

#include "userspace/base/utf8.h"
#include "userspace/sink/native.h"

namespace ambit::daemon {

namespace {

using nlohmann::json;
using pipeline::TaskPhase;

constexpr int kMaxDepth = 64;

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

}  // namespace

json to_json(const policy::Diagnostic& diagnostic) {
  json out{
      {"severity", diagnostic.severity == policy::DiagnosticSeverity::error ? "error" : "warning"},
      {"message", diagnostic.message}};
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
           {"scopeSha256", task.scope_sha256}};
  return out;
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

std::string text_of(const json& value) {
  // ASCII, as events are: who shows it on a terminal is not steered by a task's texts.
  return value.dump(-1, ' ', true, json::error_handler_t::replace) + "\n";
}

Result<OpenBody> parse_open(const std::string& body) {
  const auto value = parse_strictly(body);
  if (!value)
    return fail("the body is no JSON, is nested more than " + std::to_string(kMaxDepth) +
                " deep, or has a key twice in one object");
  if (!value->is_object()) return fail("the body must be an object with scope and pid");
  for (const auto& [key, unused] : value->items())
    if (key != "scope" && key != "pid")
      return fail("unknown field \"" + to_terminal(key, 64) + "\": scope and pid are known");
  for (const char* const key : {"scope", "pid"})
    if (!value->contains(key)) return fail(std::string("missing field \"") + key + "\"");
  auto scope = scope_text((*value)["scope"]);
  if (!scope) return std::unexpected(scope.error());
  const auto pid = process_id((*value)["pid"]);
  if (!pid) return std::unexpected(pid.error());
  return OpenBody{.scope = std::move(*scope), .pid = *pid};
}

}  // namespace ambit::daemon
