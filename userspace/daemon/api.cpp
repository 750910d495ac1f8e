// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/api.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "userspace/daemon/api_json.h"

namespace ambit::daemon {

namespace {

using nlohmann::json;
using pipeline::Refusal;
using pipeline::RefusalCode;
using pipeline::TaskService;
using pipeline::TaskView;

struct RefusalRow {
  RefusalCode code;
  unsigned status;
  std::string_view word;
};

constexpr std::array kRefusals{
    RefusalRow{RefusalCode::scope_refused, 422, "scope_refused"},
    RefusalRow{RefusalCode::no_such_process, 422, "no_such_process"},
    RefusalRow{RefusalCode::process_in_task, 409, "process_in_task"},
    RefusalRow{RefusalCode::process_refused, 422, "process_refused"},
    RefusalRow{RefusalCode::no_such_task, 404, "no_such_task"},
    RefusalRow{RefusalCode::unavailable, 503, "unavailable"},
};

ApiResponse refused(const Refusal& refusal) {
  const auto* const row = std::ranges::find(kRefusals, refusal.code, &RefusalRow::code);
  json body{{"error", refusal.message}, {"code", row->word}};
  if (!refusal.diagnostics.empty()) body["diagnostics"] = json::array();
  for (const policy::Diagnostic& diagnostic : refusal.diagnostics)
    body["diagnostics"].push_back(to_json(diagnostic));
  return {.status = row->status, .body = text_of(body), .allow = {}};
}

ApiResponse whole(unsigned status, const TaskView& view) {
  json body = to_json(view);
  body["processes"] = view.processes;
  body["limits"] = view.limits;
  return {.status = status, .body = text_of(body), .allow = {}};
}

ApiResponse answered(unsigned status, const pipeline::Answer<TaskView>& answer) {
  return answer ? whole(status, *answer) : refused(answer.error());
}

struct Asked {
  const ApiRequest& request;
  std::string id;     ///< of the task in the path
  std::string query;  ///< without its `?`
};

ApiResponse open_task(const Asked& asked, TaskService& tasks) {
  auto body = parse_open(asked.request.body);
  if (!body) return failure(400, "bad_request", body.error().message);
  return answered(201,
                  tasks.open({.scope = std::move(body->scope),
                              .pid = body->pid,
                              .declared_by = "uid:" + std::to_string(asked.request.caller.uid)}));
}

ApiResponse list_tasks(const Asked& /*asked*/, TaskService& tasks) {
  json all = json::array();
  for (const TaskView& view : tasks.list()) all.push_back(to_json(view));
  return {.status = 200, .body = text_of({{"tasks", std::move(all)}}), .allow = {}};
}

ApiResponse show_task(const Asked& asked, TaskService& tasks) {
  return answered(200, tasks.show(asked.id));
}

ApiResponse close_task(const Asked& asked, TaskService& tasks) {
  return answered(200, tasks.close(asked.id, asked.query == "kill=true"));
}

std::string status_body(const Asked& asked, const pipeline::ServiceStatus& status) {
  json body = to_json(status);
  if (asked.request.counts != nullptr) body["api"] = to_json(*asked.request.counts);
  return text_of(body);
}

ApiResponse health(const Asked& asked, TaskService& tasks) {
  return {.status = 200, .body = status_body(asked, tasks.status()), .allow = {}};
}

ApiResponse ready(const Asked& asked, TaskService& tasks) {
  const pipeline::ServiceStatus status = tasks.status();
  return {.status = status.fault.empty() ? 200U : 503U,
          .body = status_body(asked, status),
          .allow = {}};
}

ApiResponse stream_events(const Asked& asked, TaskService& /*tasks*/) {
  auto query = parse_event_query(asked.query);
  if (!query) return failure(400, "bad_request", query.error().message);
  return {.status = 200, .body = {}, .allow = {}, .events = std::move(*query)};
}

struct Route {
  std::string_view method;
  std::string_view path;   ///< one that ends in / has the id of a task behind it
  std::string_view query;  ///< the only key that it takes, with true or false; *: its own affair
  ApiResponse (*answer)(const Asked&, TaskService&);
};

constexpr std::array kRoutes{
    Route{"POST", "/v1/tasks", "", open_task},
    Route{"GET", "/v1/tasks", "", list_tasks},
    Route{"GET", "/v1/tasks/", "", show_task},
    Route{"DELETE", "/v1/tasks/", "kill", close_task},
    Route{"GET", "/v1/health", "", health},
    Route{"GET", "/v1/ready", "", ready},
    Route{"GET", "/v1/events", "*", stream_events},
};

bool is_at(const Route& route, std::string_view path) {
  if (!route.path.ends_with('/')) return path == route.path;
  return path.starts_with(route.path) && path.size() > route.path.size() &&
         path.find('/', route.path.size()) == std::string_view::npos;
}

bool takes_query(const Route& route, std::string_view query) {
  if (query.empty() || route.query == "*") return true;
  const std::string key(route.query);
  return !key.empty() && (query == key + "=true" || query == key + "=false");
}

/// Nobody but root, and nothing of a task: a task must not declare what it is bound to.
std::optional<ApiResponse> turned_away(const Caller& caller, const TaskService& tasks) {
  if (caller.uid != 0)
    return failure(
        403, "not_allowed",
        "only root declares tasks, and the caller is user " + std::to_string(caller.uid));
  const auto in_task = caller.pidfd < 0 ? std::optional<bool>() : tasks.is_in_task(caller.pidfd);
  if (!in_task)
    return failure(403, "not_allowed", "whether the caller is in a task cannot be told");
  if (*in_task) return failure(403, "in_task", "the caller is in a task");
  return std::nullopt;
}

}  // namespace

ApiResponse failure(unsigned status, const std::string& code, const std::string& message) {
  return {.status = status, .body = text_of({{"error", message}, {"code", code}}), .allow = {}};
}

ApiResponse answer(const ApiRequest& request, TaskService& tasks) {
  if (auto away = turned_away(request.caller, tasks)) return std::move(*away);
  const std::size_t mark = request.target.find('?');
  const std::string path = request.target.substr(0, mark);
  Asked asked{.request = request,
              .id = path.substr(path.rfind('/') + 1),
              .query = mark == std::string::npos ? "" : request.target.substr(mark + 1)};
  std::string allow;
  for (const Route& route : kRoutes) {
    if (!is_at(route, path)) continue;
    if (route.method != request.method) {
      allow += (allow.empty() ? "" : ", ") + std::string(route.method);
      continue;
    }
    if (!takes_query(route, asked.query))
      return failure(400, "bad_request", "the query is not understood");
    if (request.method != "POST" && !request.body.empty())
      return failure(400, "bad_request", request.method + " takes no body here");
    return route.answer(asked, tasks);
  }
  if (allow.empty()) return failure(404, "no_such_path", "there is nothing at this path");
  ApiResponse wrong = failure(405, "no_such_method", "this path takes " + allow);
  wrong.allow = allow;
  return wrong;
}

}  // namespace ambit::daemon
