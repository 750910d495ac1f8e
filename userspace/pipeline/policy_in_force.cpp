// SPDX-License-Identifier: Apache-2.0
#include "userspace/pipeline/policy_in_force.h"

#include <fcntl.h>

#include <chrono>
#include <ranges>

namespace ambit::pipeline {

void keep_programs_open(PolicyInForce& policy) {
  for (const std::string& program : policy.plan.policy.pinned)
    policy.pinned.emplace_back(::open(program.c_str(), O_PATH | O_CLOEXEC));
}

Result<void> write_policy(model::TableWriter& tables, PolicyInForce& policy,
                          policy::SetNumbers& sets, const PolicyInForce* former) {
  keep_programs_open(policy);
  if (auto put = policy::put_all(tables, policy::encode_policy(policy.plan.policy, policy.numbers));
      !put)
    return put;
  policy.destinations = std::make_unique<Destinations>(policy.plan, policy.numbers.policy, sets);
  if (former != nullptr) policy.destinations->take_over(*former->destinations);
  constexpr std::chrono::milliseconds kFirstLookUp{1000};
  return policy.destinations->refresh(tables, kFirstLookUp);
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
