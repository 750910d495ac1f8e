// SPDX-License-Identifier: Apache-2.0
#include "userspace/attribution/attribute.h"

#include "userspace/attribution/redact.h"

namespace ambit::attribution {

using model::Event;
using model::Process;

Attribution::Attribution(ProcessSource& source, const Clock& clock, const TaskRegistry& tasks,
                         TableLimits limits)
    : tasks_(tasks), wall_(clock), processes_(source, limits) {}

void Attribution::learn(const model::Fork& fork) { processes_.learn_fork(fork); }

void Attribution::attribute(Event& event) {
  if (event.time_ns == 0 && event.boot_ns != 0) {
    event.time_ns = wall_.of_boot(event.boot_ns);
  }
  if (!event.task) {
    event.task = tasks_.find(event.slot);
  }
  if (event.destination && !event.destination->name && !event.destination->ip.empty()) {
    event.destination->name = tasks_.name_of(event.slot, event.destination->ip);
  }
  if (event.process) {
    attribute_process(event, *event.process);
  }
}

void Attribution::attribute_process(Event& event, Process& process) {
  KnownProcess* known = processes_.find_or_learn(process, event.boot_ns);
  if (known == nullptr) {
    process.argv = presentable(process.argv);
    return;
  }
  const bool new_program = event.kind == model::Kind::exec && !process.exe.empty();
  if (new_program) {
    processes_.learn_image(process, *known);
  } else if (event.finding) {
    processes_.learn_cwd(process, *known);
  }
  if (process.start_boot_ns == 0) {
    process.start_boot_ns = known->start_boot_ns;
    process.uid = known->uid;
  }
  known->uid = process.uid;
  if (known->start_ns == 0) {
    known->start_ns = wall_.of_boot(known->start_boot_ns);
  }
  process.start_ns = known->start_ns;
  process.exe = process.exe.empty() ? known->exe : process.exe;
  const bool told = !process.argv.empty() && !new_program;
  process.argv = told ? presentable(process.argv) : known->argv;
  process.cwd = process.cwd ? process.cwd : known->cwd;
  event.container_id = event.container_id ? event.container_id : known->container_id;
  process.parents = processes_.parents_of(*known);
}

}  // namespace ambit::attribution
