// SPDX-License-Identifier: Apache-2.0
// A policy in force that outlives the process which compiled it. The kernel goes on with its bits:
// they are the same for whoever goes on with the policy.
#include <algorithm>
#include <functional>

#include "userspace/pipeline/policy_in_force.h"
#include "userspace/policy/filesystem.h"

namespace ambit::pipeline {

namespace {

bool has_bit(const model::CredentialMask& mask, std::size_t bit) {
  return (mask.at(bit / 64) >> (bit % 64) & 1U) != 0;
}

void set_bit(model::CredentialMask& mask, std::size_t bit) {
  mask.at(bit / 64) |= 1ULL << (bit % 64);
}

bool knows(const model::Catalogue& catalogue, const std::string& name) {
  return std::ranges::find(catalogue.credentials, name, &model::Credential::name) !=
         catalogue.credentials.end();
}

std::vector<PolicyBit> bits_of(const model::CompiledPolicy& compiled) {
  std::vector<PolicyBit> bits;
  for (std::size_t bit = 0; bit < compiled.credential_of_bit.size(); ++bit) {
    const std::string& name = compiled.credential_of_bit[bit];
    PolicyBit one{.credential = name,
                  .number = {},
                  .listed = has_bit(compiled.listed, bit),
                  .holding = has_bit(compiled.hold_task, bit)      ? model::Holding::task
                             : has_bit(compiled.hold_process, bit) ? model::Holding::process
                                                                   : model::Holding::tree,
                  .use = compiled.use_of_bit[bit]};
    bits.push_back(std::move(one));
  }
  for (const auto& [number, bit] : compiled.bit_of_credential) bits.at(bit).number = number;
  return bits;
}

model::CompiledPolicy former_of(const std::vector<PolicyBit>& bits) {
  model::CompiledPolicy former;
  for (std::size_t bit = 0; bit < bits.size(); ++bit) {
    const PolicyBit& one = bits[bit];
    former.credential_of_bit.push_back(one.credential);
    former.use_of_bit.push_back(one.use);
    if (one.number) former.bit_of_credential[*one.number] = static_cast<std::uint8_t>(bit);
    if (one.listed) set_bit(former.listed, bit);
    if (one.holding == model::Holding::process) set_bit(former.hold_process, bit);
    if (one.holding == model::Holding::task) set_bit(former.hold_task, bit);
  }
  return former;
}

/// A name that the catalogue has lost is no mistake of a scope that was accepted with it.
model::Catalogue with_names(const model::Catalogue& catalogue, const std::vector<PolicyBit>& bits) {
  model::Catalogue all = catalogue;
  for (const PolicyBit& bit : bits)
    if (!knows(all, bit.credential)) all.credentials.push_back({.name = bit.credential});
  return all;
}

}  // namespace

PolicyRecord record_of(const PolicyInForce& policy) {
  PolicyRecord record{.number = policy.numbers.policy,
                      .credential_space = policy.numbers.credential_space,
                      .scope = policy.text,
                      .mode = policy.scope.mode,
                      .credentials = {},
                      .bits = bits_of(policy.plan.policy),
                      .keys = policy.taken_over};
  for (const model::ScopeCredential& listed : policy.scope.credentials)
    record.credentials.push_back(listed.name);
  if (!record.keys.empty()) return record;
  for (model::TableEntry& entry : policy::encode_policy(policy.plan.policy, policy.numbers))
    if (entry.table != model::Table::prefixes && entry.table != model::Table::ports)
      record.keys.emplace_back(entry.table, std::move(entry.key));
  return record;
}

Result<std::unique_ptr<PolicyInForce>> restore_policy(const PolicyRecord& record,
                                                      const model::Catalogue& catalogue) {
  auto scope = read_scope(record.scope, "scope", with_names(catalogue, record.bits));
  if (!scope) return fail("its scope has mistakes");
  auto policy = std::make_unique<PolicyInForce>();
  policy->scope = std::move(*scope);
  policy->scope.mode = record.mode;
  const auto is_in_force = [&](const model::ScopeCredential& listed) {
    return knows(catalogue, listed.name) &&
           std::ranges::find(record.credentials, listed.name) != record.credentials.end();
  };
  std::erase_if(policy->scope.credentials, std::not_fn(is_in_force));
  const model::CompiledPolicy former = former_of(record.bits);
  const policy::FormerPolicy before{.policy = former, .readers_changed = {}};
  auto expanded = expand_scope(policy->scope, {});
  if (!expanded) return std::unexpected(expanded.error());
  const policy::RealFileSystem machine;
  auto plan = compile_scope(std::move(*expanded), catalogue, policy::RememberedFileSystem(machine),
                            &before);
  if (!plan) return std::unexpected(plan.error());
  policy->plan = std::move(*plan);
  policy->numbers = {.policy = record.number,
                     .credential_space = record.credential_space,
                     .program_space = program_space_of(record.number)};
  policy->text = record.scope;
  policy->taken_over = record.keys;
  keep_programs_open(*policy);
  return policy;
}

}  // namespace ambit::pipeline
