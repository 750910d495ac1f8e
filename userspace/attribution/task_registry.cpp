// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/task_registry.h"

#include <utility>

namespace ambit::attribution {

void TaskRegistry::add(std::shared_ptr<const model::Task> task) {
  if (task) {
    const std::uint32_t slot = task->slot;
    entries_[slot] = Entry{.task = std::move(task), .name_of_address = {}};
  }
}

void TaskRegistry::remove(std::uint32_t slot) { entries_.erase(slot); }

std::shared_ptr<const model::Task> TaskRegistry::find(std::uint32_t slot) const {
  const auto found = entries_.find(slot);
  return found == entries_.end() ? nullptr : found->second.task;
}

void TaskRegistry::set_names(std::uint32_t slot,
                             std::map<std::string, std::string> name_of_address) {
  const auto found = entries_.find(slot);
  if (found != entries_.end()) {
    found->second.name_of_address = std::move(name_of_address);
  }
}

std::optional<std::string> TaskRegistry::name_of(std::uint32_t slot, const std::string& ip) const {
  const auto task = entries_.find(slot);
  if (task == entries_.end()) {
    return std::nullopt;
  }
  const auto name = task->second.name_of_address.find(ip);
  return name == task->second.name_of_address.end() ? std::nullopt : std::optional(name->second);
}

}  // namespace ambit::attribution
