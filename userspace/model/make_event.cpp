// SPDX-License-Identifier: Apache-2.0
#include "userspace/model/make_event.h"

#include <utility>

namespace ambit::model {
namespace {

Event made(Moment at, Kind kind) {
  Event event;
  event.kind = kind;
  event.boot_ns = at.boot_ns;
  event.time_ns = at.wall_ns;
  return event;
}

Event made_for(Moment at, Kind kind, std::shared_ptr<const Task> task) {
  Event event = made(at, kind);
  event.slot = task ? task->slot : 0;
  event.task = std::move(task);
  return event;
}

Event telling(Event event, Details details) {
  event.details = std::move(details);
  return event;
}

Verdict outside(Reason reason, Mode mode) {
  Verdict verdict;
  verdict.scope = ScopeSide::outside;
  verdict.reason = reason;
  verdict.mode = mode;
  verdict.backend = Backend::user;
  return verdict;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) {
    all += (all.empty() ? "" : " ") + word;
  }
  return all;
}

}  // namespace

Task make_task(const Scope& scope, Moment at, TaskIdentity identity) {
  Task task;
  task.slot = identity.slot;
  task.id = std::move(identity.id);
  task.name = scope.name;
  task.agent = scope.agent;
  task.on_behalf_of = scope.on_behalf_of;
  task.owner = scope.owner;
  task.context = scope.context;
  task.expires_ns = at.wall_ns + scope.ttl.count();
  task.scope_sha256 = scope.sha256;
  task.declared_by = std::move(identity.declared_by);
  return task;
}

Event make_start(Moment at, Details details) {
  return telling(made(at, Kind::start), std::move(details));
}

Event make_stop(Moment at, Details details) {
  return telling(made(at, Kind::stop), std::move(details));
}

Event make_task_open(Moment at, std::shared_ptr<const Task> task, Details details) {
  return telling(made_for(at, Kind::task_open, std::move(task)), std::move(details));
}

Event make_task_close(Moment at, std::shared_ptr<const Task> task, Details details) {
  return telling(made_for(at, Kind::task_close, std::move(task)), std::move(details));
}

Event make_task_expire(Moment at, std::shared_ptr<const Task> task) {
  return made_for(at, Kind::task_expire, std::move(task));
}

Event make_task_narrow(Moment at, std::shared_ptr<const Task> task, Details details) {
  return telling(made_for(at, Kind::task_narrow, std::move(task)), std::move(details));
}

Event make_task_extend(Moment at, std::shared_ptr<const Task> task, Details details) {
  return telling(made_for(at, Kind::task_extend, std::move(task)), std::move(details));
}

Event make_reload(Moment at, Details details) {
  return telling(made(at, Kind::reload), std::move(details));
}

Event make_loss(Moment at, Loss loss) {
  Event event = made(at, Kind::loss);
  event.severity = Severity::medium;
  event.loss = loss;
  return event;
}

Event make_secret_in_environment(Moment at, EnvironmentFinding found) {
  Event event = made_for(at, Kind::finding, std::move(found.task));
  event.finding = true;
  event.verdict = outside(Reason::secret_in_environment, found.mode);
  event.verdict->rule = "/spec/credentials";
  event.verdict->requested = Response::alert;
  event.verdict->effective = Effect::alerted;
  event.process = std::move(found.process);
  event.credential =
      CredentialUse{.names = std::move(found.credentials), .authority = {}, .held = {}};
  event.details = {{"variables", joined(found.variables)},
                   {"stripped", found.stripped ? "true" : "false"}};
  return event;
}

Event make_descriptor_from_before(Moment at, DescriptorFinding found) {
  const Kind kind = found.destination ? Kind::connect : Kind::file_open;
  Event event = made_for(at, kind, std::move(found.task));
  event.finding = true;
  event.verdict = outside(Reason::descriptor_from_before, found.mode);
  event.verdict->rule = found.destination ? "/spec/network" : "/spec/credentials";
  event.verdict->requested = found.requested;
  event.verdict->effective = found.closed ? Effect::denied : Effect::alerted;
  event.process = std::move(found.process);
  event.file = std::move(found.file);
  event.destination = std::move(found.destination);
  if (!found.credentials.empty()) {
    event.credential =
        CredentialUse{.names = std::move(found.credentials), .authority = {}, .held = {}};
  }
  event.details = {{"descriptor", std::to_string(found.descriptor)}};
  return event;
}

}  // namespace ambit::model
