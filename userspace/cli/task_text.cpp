// SPDX-License-Identifier: Apache-2.0
#include "userspace/cli/task_text.h"

#include <array>
#include <nlohmann/json.hpp>

#include "userspace/base/utf8.h"

namespace ambit::cli {
namespace {

using nlohmann::json;

json parsed(const std::string& text) { return json::parse(text, nullptr, false); }

/// A value of the daemon's: whatever it is, in one line without control characters.
std::string word(const json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || object[key].is_null()) return "-";
  const json& value = object[key];
  return to_terminal(value.is_string() ? value.get<std::string>() : value.dump());
}

constexpr std::array kLines{"id",         "name",      "parent",  "agent",   "owner",
                            "onBehalfOf", "phase",     "opened",  "expires", "secondsLeft",
                            "declaredBy", "processes", "granted", "held",    "neverUsed"};

/// What stands in `used`: credentials by how often, and the rest in figures.
std::string used_text(const json& task) {
  if (!task.is_object() || !task.contains("used")) return {};
  const json& used = task["used"];
  const std::size_t places =
      used.is_object() && used.contains("destinations") ? used["destinations"].size() : 0;
  return "used        " + word(used, "credentials") + ", " + std::to_string(places) +
         " destinations, " + word(used, "programs") + " programs, " + word(used, "findings") +
         " findings\n";
}

}  // namespace

std::string task_text(const std::string& text) {
  const json task = parsed(text);
  std::string out;
  constexpr std::size_t kColumn = 12;
  for (const char* const key : kLines) {
    std::string name = key;
    name.resize(kColumn, ' ');
    out += name + word(task, key) + "\n";
  }
  out += used_text(task);
  if (task.is_object() && task.contains("residualAccess"))
    for (const json& one : task["residualAccess"])
      out += "not taken back: process " + word(one, "pid") + ", " +
             (one.is_object() && one.contains("descriptor")
                  ? "descriptor " + word(one, "descriptor") + ", "
                  : std::string()) +
             word(one, "kind") + " " + word(one, "name") +
             (one.is_object() && one.contains("credential") ? " of " + word(one, "credential")
                                                            : std::string()) +
             ": " + word(one, "why") + "\n";
  if (!task.is_object() || !task.contains("limits")) return out;
  for (const json& limit : task["limits"])
    if (limit.is_string()) out += "does not hold: " + to_terminal(limit.get<std::string>()) + "\n";
  return out;
}

std::string task_list_text(const std::string& text) {
  const json answer = parsed(text);
  std::string out;
  if (!answer.is_object() || !answer.contains("tasks")) return out;
  for (const json& task : answer["tasks"])
    out += word(task, "id") + "  " + word(task, "phase") + "  " + word(task, "expires") + "  " +
           word(task, "name") + "  " + word(task, "agent") +
           (task.is_object() && task.contains("error") ? "  " + word(task, "error") : "") + "\n";
  return out;
}

std::string status_text(const std::string& text) {
  const json status = parsed(text);
  std::string out = word(status, "backend") + ", " + word(status, "tasks") + " tasks, " +
                    word(status, "events") + " events, " + word(status, "findings") + " findings\n";
  if (status.is_object() && status.contains("fault"))
    out += "not ready: " + word(status, "fault") + "\n";
  return out;
}

std::string reload_text(const std::string& text) {
  const json done = parsed(text);
  std::string out = word(done, "credentials") + " credentials, " + word(done, "scopes") +
                    " scopes, " + word(done, "tasks") + " tasks\n";
  if (!done.is_object()) return out;
  for (const json& key : done.value("restart", json::array()))
    if (key.is_string()) out += "wants a new start: " + to_terminal(key.get<std::string>()) + "\n";
  for (const json& note : done.value("notes", json::array()))
    if (note.is_string()) out += to_terminal(note.get<std::string>()) + "\n";
  return out;
}

std::string refusal_text(const std::string& text, const std::string& scope_file) {
  const json answer = parsed(text);
  std::string out = word(answer, "error") + "\n";
  if (!answer.is_object() || !answer.contains("diagnostics")) return out;
  for (const json& one : answer["diagnostics"]) {
    const bool placed = one.is_object() && one.contains("line");
    const std::string file = word(one, "file");
    out += (file == "-" ? scope_file : file) +
           (placed ? ":" + word(one, "line") + ":" + word(one, "column") : std::string()) + ": " +
           word(one, "severity") + ": " + word(one, "message") + "\n";
    if (one.is_object() && one.contains("suggestion"))
      out += "  did you mean " + word(one, "suggestion") + "?\n";
  }
  return out;
}

}  // namespace ambit::cli
