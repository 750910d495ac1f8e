// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/policy_in_force.h"

#include <fcntl.h>

#include <chrono>
#include <ranges>

#include "userspace/policy/filesystem.h"
#include "userspace/policy/within.h"

namespace ambit::pipeline {

void keep_programs_open(PolicyInForce& policy) {
  for (const std::string& program : policy.plan.policy.pinned)
    policy.pinned.emplace_back(::open(program.c_str(), O_PATH | O_CLOEXEC));
}

Result<void> write_policy(model::TableWriter& tables, PolicyInForce& policy,
                          policy::SetNumbers& sets, const KnownNames& known) {
  keep_programs_open(policy);
  if (auto put = policy::put_all(tables, policy::encode_policy(policy.plan.policy, policy.numbers));
      !put)
    return put;
  policy.destinations = std::make_unique<Destinations>(
      policy.plan, policy.numbers.policy, sets,
      known.above == nullptr ? nullptr : known.above->destinations.get());
  if (known.former != nullptr) policy.destinations->take_over(*known.former->destinations);
  // Whoever is in a task does not make the node wait.
  const std::chrono::milliseconds first_look_up{known.above == nullptr ? 1000 : 100};
  return policy.destinations->refresh(tables, first_look_up);
}

Result<std::vector<policy::Diagnostic>> beyond_in_force(const PolicyInForce& upper,
                                                        const PolicyInForce& lower,
                                                        const model::Catalogue& catalogue) {
  const policy::RealFileSystem machine;
  return policy::beyond_parent({.scope = upper.scope,
                                .policy = upper.plan.policy,
                                .left = std::chrono::nanoseconds::max(),
                                .held = {}},
                               lower.plan.expanded, catalogue,
                               policy::RememberedFileSystem(machine));
}

void remove_policy(model::TableWriter& tables, const PolicyInForce& policy) {
  // What is left takes space and means nothing: its numbers are not used again.
  const std::vector<model::TableEntry> entries =
      policy.taken_over.empty()
          ? policy::encode_policy(policy.plan.policy, policy.numbers)
          : policy::encode_destinations(policy.plan.policy.destinations, policy.numbers.policy);
  for (const model::TableEntry& entry : std::views::reverse(entries))
    if (entry.table != model::Table::ports)
      static_cast<void>(tables.remove(entry.table, entry.key));
  remove_keys(tables, policy.taken_over);
}

void remove_keys(model::TableWriter& tables, const std::vector<TableKey>& keys) {
  for (const auto& [table, key] : std::views::reverse(keys))
    if (table != model::Table::ports) static_cast<void>(tables.remove(table, key));
}

}  // namespace ambit::pipeline
