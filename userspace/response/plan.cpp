// SPDX-License-Identifier: Apache-2.0
#include "userspace/response/plan.h"

namespace ambit::response {

std::vector<Action> plan(const model::Event& event) {
  const bool wanted = event.finding && event.verdict && event.task &&
                      event.verdict->requested == model::Response::kill_task;
  if (!wanted) {
    return {};
  }
  return {{.slot = event.task->slot,
           .task_id = event.task->id,
           .dry_run = event.verdict->mode == model::Mode::shadow}};
}

Result<void> respond(model::Event& event, Signaller& signaller) {
  const std::vector<Action> actions = plan(event);
  if (!event.verdict) {
    return {};
  }
  model::Effect& effective = event.verdict->effective;
  for (const Action& action : actions) {
    if (action.dry_run) {
      event.details["would_kill_task"] = action.task_id;
      continue;
    }
    const auto killed = signaller.kill_task(action.slot);
    if (!killed) {
      // The kernel says task_killed when it has refused the task everything from here on and killed
      // the one process; that the others are gone is not true yet.
      if (effective == model::Effect::task_killed) {
        effective = model::Effect::killed;
      }
      event.details["kill_task_failed"] = killed.error().message;
      return std::unexpected(killed.error());
    }
    effective = model::Effect::task_killed;
    // None: the kernel or the holder had ended them all by now.
    if (*killed > 0) event.details["killed_processes"] = std::to_string(*killed);
  }
  return {};
}

}  // namespace ambit::response
