// SPDX-License-Identifier: Apache-2.0
#include "userspace/daemon/api.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "userspace/daemon/api_json.h"
#include "userspace/daemon/query.h"

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
    RefusalRow{RefusalCode::task_over, 409, "task_over"},
    RefusalRow{RefusalCode::config_refused, 422, "config_refused"},
    RefusalRow{RefusalCode::no_such_scope, 422, "no_such_scope"},
    RefusalRow{RefusalCode::deadline_refused, 422, "deadline_refused"},
};

const RefusalRow& row_of(RefusalCode code) {
  return *std::ranges::find(kRefusals, code, &RefusalRow::code);
}

json body_of(const Refusal& refusal) {
  const RefusalRow* const row = &row_of(refusal.code);
  json body{{"error", refusal.message}, {"code", row->word}};
  if (!refusal.diagnostics.empty()) body["diagnostics"] = json::array();
  for (const policy::Diagnostic& diagnostic : refusal.diagnostics)
    body["diagnostics"].push_back(to_json(diagnostic));
  return body;
}

ApiResponse refused(const Refusal& refusal) {
  return {.status = row_of(refusal.code).status, .body = text_of(body_of(refusal)), .allow = {}};
}

json whole(const TaskView& view) {
  json body = to_json(view);
  body["processes"] = view.processes;
  body["secondsLeft"] = std::chrono::duration<double>(view.left).count();
  if (view.use) body.update(to_json(*view.use));
  body["limits"] = view.limits;
  if (!view.residual) return body;
  body["residualAccess"] = json::array();
  for (const pipeline::ResidualAccess& access : *view.residual)
    body["residualAccess"].push_back(to_json(access));
  return body;
}

ApiResponse answered(unsigned status, const pipeline::Answer<TaskView>& answer) {
  if (!answer) return refused(answer.error());
  return {.status = status, .body = text_of(whole(*answer)), .allow = {}};
}

struct Asked {
  const ApiRequest& request;
  std::string id;  ///< of the task in the path
  Query query;

  [[nodiscard]] std::string value(const std::string& key) const {
    const auto found = query.find(key);
    return found == query.end() ? std::string() : found->second;
  }
};

ApiResponse open_task(const Asked& asked, TaskService& tasks) {
  auto body = parse_open(asked.request.body);
  if (!body) return failure(400, "bad_request", body.error().message);
  return answered(201, tasks.open({.scope = std::move(body->scope),
                                   .pid = body->pid,
                                   .declared_by = "uid:" + std::to_string(asked.request.caller.uid),
                                   .scope_name = std::move(body->scope_name)}));
}

ApiResponse list_tasks(const Asked& /*asked*/, TaskService& tasks) {
  json all = json::array();
  for (const TaskView& view : tasks.list()) all.push_back(to_json(view));
  return {.status = 200, .body = text_of({{"tasks", std::move(all)}}), .allow = {}};
}

ApiResponse show_task(const Asked& asked, TaskService& tasks) {
  return answered(200, tasks.show(asked.id));
}

/// `kill=true` or `kill=false`; nothing where it is neither.
std::optional<bool> kill_of(const Asked& asked) {
  const std::string word = asked.value("kill");
  if (word.empty() || word == "false") return false;
  return word == "true" ? std::optional(true) : std::nullopt;
}

ApiResponse not_a_kill() { return failure(400, "bad_request", "kill is true or false"); }

ApiResponse close_task(const Asked& asked, TaskService& tasks) {
  const auto kill = kill_of(asked);
  return kill ? answered(200, tasks.close(asked.id, *kill)) : not_a_kill();
}

ApiResponse close_tasks(const Asked& asked, TaskService& tasks) {
  const auto kill = kill_of(asked);
  if (!kill) return not_a_kill();
  const pipeline::TaskFilter filter{.owner = asked.value("owner"),
                                    .on_behalf_of = asked.value("onBehalfOf"),
                                    .agent = asked.value("agent"),
                                    .credential = asked.value("credential")};
  if (asked.query.size() == (asked.query.contains("kill") ? 1U : 0U))
    return failure(400, "bad_request",
                   "whose tasks are closed is missing: owner, onBehalfOf, agent or credential");
  json all = json::array();
  bool every = true;
  for (const pipeline::Closing& closing : tasks.close_all(filter, *kill)) {
    json entry = closing.view ? whole(*closing.view) : body_of(closing.view.error());
    entry["id"] = closing.id;
    every = every && closing.view.has_value();
    all.push_back(std::move(entry));
  }
  return {.status = every ? 200U : 503U, .body = text_of({{"tasks", std::move(all)}}), .allow = {}};
}

ApiResponse narrow_task(const Asked& asked, TaskService& tasks) {
  auto body = parse_narrow(asked.request.body);
  if (!body) return failure(400, "bad_request", body.error().message);
  return answered(200, tasks.narrow({.id = asked.id,
                                     .scope = std::move(body->scope),
                                     .scope_name = std::move(body->scope_name)}));
}

ApiResponse extend_task(const Asked& asked, TaskService& tasks) {
  const auto ttl = parse_extend(asked.request.body);
  if (!ttl) return failure(400, "bad_request", ttl.error().message);
  return answered(200, tasks.extend(asked.id, *ttl));
}

ApiResponse reload(const Asked& asked, TaskService& tasks) {
  if (!asked.request.body.empty()) return failure(400, "bad_request", "POST takes no body here");
  const auto done = tasks.reload();
  if (!done) return refused(done.error());
  return {.status = 200, .body = text_of(to_json(*done)), .allow = {}};
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
  auto query = read_event_query(asked.query);
  if (!query) return failure(400, "bad_request", query.error().message);
  return {.status = 200, .body = {}, .allow = {}, .events = std::move(*query)};
}

Delegator delegator_of(const Caller& caller) {
  return {.pidfd = caller.pidfd, .pid = caller.pid, .uid = caller.uid};
}

ApiResponse delegate_task(const Asked& asked, DelegationService& tasks) {
  auto body = parse_open(asked.request.body);
  if (!body) return failure(400, "bad_request", body.error().message);
  // Who is in a task is told nothing of scopes that others have written.
  if (!body->scope_name.empty())
    return failure(400, "bad_request", "a task delegates by a scope, not by the name of one");
  return answered(201, tasks.delegate({.scope = std::move(body->scope),
                                       .pid = body->pid,
                                       .caller = delegator_of(asked.request.caller)}));
}

ApiResponse list_family(const Asked& asked, DelegationService& tasks) {
  const auto family = tasks.family(delegator_of(asked.request.caller));
  if (!family) return refused(family.error());
  json all = json::array();
  for (const TaskView& view : *family) all.push_back(to_json(view));
  return {.status = 200, .body = text_of({{"tasks", std::move(all)}}), .allow = {}};
}

/// Of others it is not even said that they are there.
ApiResponse show_of_family(const Asked& asked, DelegationService& tasks) {
  const auto family = tasks.family(delegator_of(asked.request.caller));
  if (!family) return refused(family.error());
  for (const TaskView& view : *family)
    if (view.task->id == asked.id) return answered(200, view);
  return refused({.code = RefusalCode::no_such_task,
                  .message = "there is no task " + asked.id,
                  .diagnostics = {}});
}

template <typename Service>
struct RouteTo {
  std::string_view method;
  std::string_view path;   ///< {id} stands for that of a task
  std::string_view query;  ///< the keys that it takes, with spaces between
  ApiResponse (*answer)(const Asked&, Service&);
};
using Route = RouteTo<TaskService>;
using InsideRoute = RouteTo<DelegationService>;

constexpr std::array kRoutes{
    Route{"POST", "/v1/tasks", "", open_task},
    Route{"GET", "/v1/tasks", "", list_tasks},
    Route{"GET", "/v1/tasks/{id}", "", show_task},
    Route{"DELETE", "/v1/tasks/{id}", "kill", close_task},
    Route{"GET", "/v1/health", "", health},
    Route{"GET", "/v1/ready", "", ready},
    Route{"DELETE", "/v1/tasks", "owner onBehalfOf agent credential kill", close_tasks},
    Route{"POST", "/v1/tasks/{id}/narrow", "", narrow_task},
    Route{"POST", "/v1/tasks/{id}/extend", "", extend_task},
    Route{"POST", "/v1/reload", "", reload},
    Route{"GET", "/v1/events", kEventKeys, stream_events},
};

constexpr std::array kInsideRoutes{
    InsideRoute{"POST", "/v1/tasks", "", delegate_task},
    InsideRoute{"GET", "/v1/tasks", "", list_family},
    InsideRoute{"GET", "/v1/tasks/{id}", "", show_of_family},
};

/// What stands for {id}, empty where the route has none; nothing: the route is another path's.
std::optional<std::string> match(std::string_view place, std::string_view path) {
  constexpr std::string_view kId = "{id}";
  const std::size_t at = place.find(kId);
  if (at == std::string_view::npos)
    return path == place ? std::optional<std::string>("") : std::nullopt;
  const std::string_view behind = place.substr(at + kId.size());
  if (path.size() <= at + behind.size() || !path.starts_with(place.substr(0, at)) ||
      !path.ends_with(behind))
    return std::nullopt;
  const std::string_view id = path.substr(at, path.size() - at - behind.size());
  return id.find('/') == std::string_view::npos ? std::optional(std::string(id)) : std::nullopt;
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

template <typename Routes, typename Service>
ApiResponse route(const Routes& routes, const ApiRequest& request, Service& tasks) {
  const std::size_t mark = request.target.find('?');
  const std::string path = request.target.substr(0, mark);
  std::string allow;
  for (const auto& one : routes) {
    auto id = match(one.path, path);
    if (!id) continue;
    if (one.method != request.method) {
      allow += (allow.empty() ? "" : ", ") + std::string(one.method);
      continue;
    }
    const std::string text = mark == std::string::npos ? "" : request.target.substr(mark + 1);
    auto query = parse_query(text, one.query);
    if (!query) return failure(400, "bad_request", query.error().message);
    if (request.method != "POST" && !request.body.empty())
      return failure(400, "bad_request", request.method + " takes no body here");
    return one.answer({.request = request, .id = std::move(*id), .query = std::move(*query)},
                      tasks);
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
  if (auto admitted = tasks.admit(delegator_of(request.caller)); !admitted)
    return refused(admitted.error());
  return route(kInsideRoutes, request, tasks);
}

}  // namespace ambit::daemon
