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
using pipeline::DelegationService;
using pipeline::Delegator;
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
    RefusalRow{RefusalCode::not_in_task, 403, "not_in_task"},
    RefusalRow{RefusalCode::not_allowed, 403, "not_allowed"},
    RefusalRow{RefusalCode::beyond_parent, 422, "beyond_parent"},
    RefusalRow{RefusalCode::parent_is_over, 409, "parent_is_over"},
    RefusalRow{RefusalCode::too_many, 409, "too_many"},
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
  std::string path;
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

ApiResponse health(const Asked& /*asked*/, TaskService& tasks) {
  return {.status = 200, .body = text_of(to_json(tasks.status())), .allow = {}};
}

ApiResponse ready(const Asked& /*asked*/, TaskService& tasks) {
  const pipeline::ServiceStatus status = tasks.status();
  return {
      .status = status.fault.empty() ? 200U : 503U, .body = text_of(to_json(status)), .allow = {}};
}

Delegator delegator_of(const Asked& asked) {
  const Caller& caller = asked.request.caller;
  return {.pidfd = caller.pidfd, .pid = caller.pid, .uid = caller.uid};
}

ApiResponse delegate_task(const Asked& asked, DelegationService& tasks) {
  auto body = parse_open(asked.request.body);
  if (!body) return failure(400, "bad_request", body.error().message);
  return answered(
      201, tasks.delegate(
               {.scope = std::move(body->scope), .pid = body->pid, .caller = delegator_of(asked)}));
}

ApiResponse list_family(const Asked& asked, DelegationService& tasks) {
  const auto family = tasks.family(delegator_of(asked));
  if (!family) return refused(family.error());
  json all = json::array();
  for (const TaskView& view : *family) all.push_back(to_json(view));
  return {.status = 200, .body = text_of({{"tasks", std::move(all)}}), .allow = {}};
}

/// Of others it is not even said that they are there.
ApiResponse show_of_family(const Asked& asked, DelegationService& tasks) {
  const auto family = tasks.family(delegator_of(asked));
  if (!family) return refused(family.error());
  for (const TaskView& view : *family)
    if (view.task->id == asked.id) return whole(200, view);
  return refused({.code = RefusalCode::no_such_task,
                  .message = "there is no task " + asked.id,
                  .diagnostics = {}});
}

template <typename Service>
struct RouteTo {
  std::string_view method;
  std::string_view path;   ///< one that ends in / has the id of a task behind it
  std::string_view query;  ///< the only key that it takes, with true or false
  ApiResponse (*answer)(const Asked&, Service&);
};
using Route = RouteTo<TaskService>;
using InsideRoute = RouteTo<DelegationService>;

constexpr std::array kRoutes{
    Route{"POST", "/v1/tasks", "", open_task}, Route{"GET", "/v1/tasks", "", list_tasks},
    Route{"GET", "/v1/tasks/", "", show_task}, Route{"DELETE", "/v1/tasks/", "kill", close_task},
    Route{"GET", "/v1/health", "", health},    Route{"GET", "/v1/ready", "", ready},
};

constexpr std::array kInsideRoutes{
    InsideRoute{"POST", "/v1/tasks", "", delegate_task},
    InsideRoute{"GET", "/v1/tasks", "", list_family},
    InsideRoute{"GET", "/v1/tasks/", "", show_of_family},
};

bool is_at(std::string_view place, std::string_view path) {
  if (!place.ends_with('/')) return path == place;
  return path.starts_with(place) && path.size() > place.size() &&
         path.find('/', place.size()) == std::string_view::npos;
}

bool takes_query(std::string_view known, std::string_view query) {
  if (query.empty()) return true;
  const std::string key(known);
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

Asked asked_by(const ApiRequest& request) {
  const std::size_t mark = request.target.find('?');
  std::string path = request.target.substr(0, mark);
  std::string id = path.substr(path.rfind('/') + 1);
  return {.request = request,
          .path = std::move(path),
          .id = std::move(id),
          .query = mark == std::string::npos ? "" : request.target.substr(mark + 1)};
}

template <typename Routes, typename Service>
ApiResponse route(const Routes& routes, const ApiRequest& request, Service& tasks) {
  const Asked asked = asked_by(request);
  std::string allow;
  for (const auto& one : routes) {
    if (!is_at(one.path, asked.path)) continue;
    if (one.method != request.method) {
      allow += (allow.empty() ? "" : ", ") + std::string(one.method);
      continue;
    }
    if (!takes_query(one.query, asked.query))
      return failure(400, "bad_request", "the query is not understood");
    if (request.method != "POST" && !request.body.empty())
      return failure(400, "bad_request", request.method + " takes no body here");
    return one.answer(asked, tasks);
  }
  if (allow.empty()) return failure(404, "no_such_path", "there is nothing at this path");
  ApiResponse wrong = failure(405, "no_such_method", "this path takes " + allow);
  wrong.allow = allow;
  return wrong;
}

}  // namespace

ApiResponse failure(unsigned status, const std::string& code, const std::string& message) {
  return {.status = status, .body = text_of({{"error", message}, {"code", code}}), .allow = {}};
}

ApiResponse answer(const ApiRequest& request, TaskService& tasks) {
  if (auto away = turned_away(request.caller, tasks)) return std::move(*away);
  return route(kRoutes, request, tasks);
}

ApiResponse answer_inside(const ApiRequest& request, DelegationService& tasks) {
  // Before anything else is said: whoever is in no task has no business here.
  if (auto family = tasks.family(delegator_of(asked_by(request))); !family)
    return refused(family.error());
  return route(kInsideRoutes, request, tasks);
}

}  // namespace ambit::daemon
