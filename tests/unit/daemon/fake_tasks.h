// SPDX-License-Identifier: Apache-2.0
// Tasks without a kernel.
#pragma once

#include <unistd.h>

#include <map>
#include <memory>
#include <string>

#include "userspace/daemon/api.h"

namespace ambit::daemon::probe {

class FakeTasks : public pipeline::TaskService {
 public:
  pipeline::Answer<pipeline::TaskView> open(const pipeline::OpenRequest& request) override {
    asked.push_back(request);
    if (refusal) return std::unexpected(*refusal);
    auto task = std::make_shared<model::Task>();
    task->id = "01J" + std::to_string(tasks.size());
    task->name = "probe";
    task->declared_by = request.declared_by;
    pipeline::TaskView view{.task = task, .processes = {static_cast<unsigned>(request.pid)}};
    view.limits = {"a limit"};
    return tasks[task->id] = view;
  }
  pipeline::Answer<pipeline::TaskView> close(const std::string& id, bool kill) override {
    auto found = show(id);
    if (!found) return found;
    closed[id] = kill;
    found->residual = residual;
    return found;
  }
  std::vector<pipeline::Closing> close_all(const pipeline::TaskFilter& filter, bool kill) override {
    filters.push_back(filter);
    std::vector<pipeline::Closing> out;
    for (const auto& [id, view] : tasks) out.push_back({.id = id, .view = close(id, kill)});
    if (refusal) out.push_back({.id = "01JREFUSED", .view = std::unexpected(*refusal)});
    return out;
  }
  pipeline::Answer<pipeline::TaskView> narrow(const pipeline::NarrowRequest& request) override {
    narrowed.push_back(request);
    if (refusal) return std::unexpected(*refusal);
    return show(request.id);
  }
  pipeline::Answer<pipeline::TaskView> extend(const std::string& id,
                                              std::chrono::nanoseconds ttl) override {
    extended[id] = ttl;
    if (refusal) return std::unexpected(*refusal);
    return show(id);
  }
  pipeline::Answer<pipeline::ReloadView> reload() override {
    ++reloads;
    if (refusal) return std::unexpected(*refusal);
    return pipeline::ReloadView{
        .credentials = 3, .scopes = 2, .tasks = 1, .restart = {"socket"}, .notes = {"a note"}};
  }
  [[nodiscard]] pipeline::Answer<pipeline::TaskView> show(const std::string& id) const override {
    const auto found = tasks.find(id);
    if (found != tasks.end()) return found->second;
    return std::unexpected(pipeline::Refusal{.code = pipeline::RefusalCode::no_such_task,
                                             .message = "there is no task " + id,
                                             .diagnostics = {}});
  }
  [[nodiscard]] std::vector<pipeline::TaskView> list() const override {
    std::vector<pipeline::TaskView> out;
    for (const auto& [id, view] : tasks) out.push_back(view);
    return out;
  }
  [[nodiscard]] pipeline::ServiceStatus status() const override {
    return {.backend = model::Backend::portable, .tasks = tasks.size(), .fault = fault};
  }
  [[nodiscard]] std::optional<bool> is_in_task(int /*pidfd*/) const override { return in_task; }

  std::map<std::string, pipeline::TaskView> tasks;
  std::map<std::string, bool> closed;
  std::vector<pipeline::OpenRequest> asked;
  std::vector<pipeline::TaskFilter> filters;
  std::vector<pipeline::NarrowRequest> narrowed;
  std::map<std::string, std::chrono::nanoseconds> extended;
  std::optional<pipeline::Refusal> refusal;
  int reloads = 0;
  std::vector<pipeline::ResidualAccess> residual;
  std::optional<bool> in_task = false;
  std::string fault;
};

}  // namespace ambit::daemon::probe
