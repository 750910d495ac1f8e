// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/encode.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

#include "userspace/policy/core.h"

namespace ambit::policy {

namespace {

using model::Table;
using model::TableEntry;

core_shape to_core(const model::NameShape& shape) {
  return {.level = shape.level, .prefix = shape.prefix, .suffix = shape.suffix, .reserved = 0};
}

core_rule to_core(const model::CompiledRule& rule) {
  core_rule out{};
  out.rank = rule.rank;
  out.flags = static_cast<__u8>(
      (rule.subtree ? CORE_RULE_SUBTREE : 0) | (rule.exclude ? CORE_RULE_EXCLUDE : 0) |
      (rule.program ? CORE_RULE_PROGRAM : 0) | (rule.unix_socket ? CORE_RULE_UNIX : 0) |
      (rule.mask_out ? CORE_RULE_MASK_OUT : 0) | (rule.named ? CORE_RULE_NAMED : 0));
  out.count = static_cast<__u8>(std::min<std::size_t>(rule.credentials.size(), CORE_MAX_MATCHES));
  std::copy_n(rule.credentials.begin(), out.count, out.credential);
  out.out_count = static_cast<__u8>(std::min<std::size_t>(rule.out.size(), CORE_MAX_MATCHES));
  std::copy_n(rule.out.begin(), out.out_count, out.credential + out.count);
  out.mask = policy::to_core(rule.mask);
  return out;
}

core_anchor to_core(const model::Anchor& anchor) {
  core_anchor out{};
  out.id = anchor.id;
  out.max_depth = anchor.max_depth;
  out.shape_count = static_cast<__u8>(anchor.shapes.size());
  for (std::size_t i = 0; i < anchor.shapes.size() && i < CORE_MAX_SHAPES; ++i)
    out.shapes[i] = to_core(anchor.shapes[i]);
  out.rule = to_core(anchor.rule);
  return out;
}

core_inode_key inode_key(const model::FileId& id, std::uint32_t space) {
  return {.ino = id.ino, .dev = static_cast<__u32>(id.dev), .space = space};
}

}  // namespace

model::FileId inode_of(const TableEntry& inode) {
  core_inode_key key{};
  std::memcpy(&key, inode.key.data(), std::min(inode.key.size(), sizeof(key)));
  return {.dev = key.dev, .ino = key.ino};
}

std::optional<TableEntry> learned_in(const TableEntry& inode, std::uint32_t from, std::uint32_t to,
                                     const std::function<bool(std::uint16_t)>& lives) {
  core_inode_key key{};
  core_rule rule{};
  if (inode.key.size() != sizeof(key) || inode.value.size() != sizeof(rule)) return std::nullopt;
  std::memcpy(&key, inode.key.data(), sizeof(key));
  std::memcpy(&rule, inode.value.data(), sizeof(rule));
  if (key.space != from || rule.count == 0) return std::nullopt;
  const std::span numbers(rule.credential, std::min<std::size_t>(rule.count, CORE_MAX_MATCHES));
  if (!std::ranges::all_of(numbers, lives)) return std::nullopt;
  key.space = to;
  return TableEntry{.table = Table::inodes, .key = bytes_of(key), .value = inode.value};
}

std::string encode_inode_key(const model::FileId& id, std::uint32_t space) {
  return bytes_of(inode_key(id, space));
}

std::string encode_rule(const model::CompiledRule& rule) { return bytes_of(to_core(rule)); }

std::vector<TableEntry> encode_paths(const model::CompiledPaths& paths, std::uint32_t space) {
  std::vector<TableEntry> out;
  core_space whole{};
  whole.shape_count = static_cast<__u32>(paths.anywhere.size());
  for (std::size_t i = 0; i < paths.anywhere.size() && i < CORE_MAX_SHAPES; ++i)
    whole.shapes[i] = to_core(paths.anywhere[i]);
  out.push_back({.table = Table::spaces, .key = bytes_of(space), .value = bytes_of(whole)});
  for (const auto& [key, rule] : paths.names)
    out.push_back(
        {.table = Table::names,
         .key = bytes_of(core_name_key{.space = space, .anchor = key.first, .hash = key.second}),
         .value = encode_rule(rule)});
  for (const auto& [id, anchor] : paths.anchors)
    out.push_back({.table = Table::anchors,
                   .key = encode_inode_key(id, space),
                   .value = bytes_of(to_core(anchor))});
  for (const auto& [id, rule] : paths.inodes)
    out.push_back(
        {.table = Table::inodes, .key = encode_inode_key(id, space), .value = encode_rule(rule)});
  return out;
}

std::vector<TableEntry> encode_destinations(const model::CompiledDestinations& destinations,
                                            std::uint32_t policy) {
  std::vector<TableEntry> out;
  for (const model::CompiledPort& port : destinations.ports) {
    core_port_key key{};
    key.prefixlen = CORE_PORT_FIXED_BITS + port.prefix;
    key.set = port.set;
    key.protocol = port.protocol;
    key.port[0] = static_cast<__u8>(port.port >> 8U);
    key.port[1] = static_cast<__u8>(port.port & 0xffU);
    core_port value{};
    value.flags = static_cast<__u8>((port.in_network ? CORE_PORT_NETWORK : 0) |
                                    (port.always ? CORE_PORT_ALWAYS : 0));
    value.endpoint_count = static_cast<__u8>(std::min<std::size_t>(port.endpoint_of.size(), 2));
    std::copy_n(port.endpoint_of.begin(), value.endpoint_count, value.endpoint);
    value.allowed = policy::to_core(port.allowed);
    out.push_back({.table = Table::ports, .key = bytes_of(key), .value = bytes_of(value)});
  }
  for (const model::CompiledPrefix& prefix : destinations.prefixes) {
    core_prefix_key key{};
    key.prefixlen = CORE_PREFIX_POLICY_BITS + prefix.range.prefix;
    key.policy = policy;
    std::ranges::copy(prefix.range.address, key.address);
    out.push_back({.table = Table::prefixes,
                   .key = bytes_of(key),
                   .value = bytes_of(core_prefix{.set = prefix.set})});
  }
  return out;
}

namespace {

/// Bits that this policy does not know are of another task's of its family, given out later: what
/// is held by them may be used nowhere.
model::CredentialMask with_unknown(model::CredentialMask mask, std::size_t known) {
  for (std::size_t bit = known; bit < model::kMaxPolicyCredentials; ++bit)
    mask.at(bit / 64) |= 1ULL << (bit % 64);
  return mask;
}

}  // namespace

std::vector<TableEntry> encode_policy(const model::CompiledPolicy& policy,
                                      const PolicyNumbers& numbers) {
  std::vector<TableEntry> out;
  for (const auto& [credential, bit] : policy.bit_of_credential)
    out.push_back(
        {.table = Table::policy_credentials,
         .key = bytes_of(core_credential_key{.policy = numbers.policy, .credential = credential}),
         .value = bytes_of(core_credential_bit{.bit = bit})});
  core_policy value{};
  value.flags = static_cast<__u8>((policy.shadow ? CORE_POLICY_SHADOW : 0) |
                                  (policy.network_bound ? CORE_POLICY_NETWORK_BOUND : 0) |
                                  (policy.exec_bound ? CORE_POLICY_EXEC_BOUND : 0));
  value.response_credential = static_cast<__u8>(policy.response.credential);
  value.response_network = static_cast<__u8>(policy.response.network);
  value.response_exec = static_cast<__u8>(policy.response.exec);
  for (const model::Privilege privilege : policy.privileges)
    value.privileges |= 1U << static_cast<unsigned>(privilege);
  value.credential_space = numbers.credential_space;
  value.program_space = numbers.program_space;
  value.inside = policy::to_core(policy.inside);
  value.restricted =
      policy::to_core(with_unknown(policy.restricted, policy.credential_of_bit.size()));
  value.readers = policy::to_core(policy.readers);
  value.hold_process = policy::to_core(policy.hold_process);
  value.hold_task = policy::to_core(policy.hold_task);
  const auto paths = encode_paths(policy.paths, numbers.program_space);
  out.insert(out.end(), paths.begin(), paths.end());
  const auto destinations = encode_destinations(policy.destinations, numbers.policy);
  out.insert(out.end(), destinations.begin(), destinations.end());
  // Last, since it makes the rest count.
  out.push_back(
      {.table = Table::policies, .key = bytes_of(numbers.policy), .value = bytes_of(value)});
  return out;
}

TableEntry encode_task(const TaskState& state) {
  core_task value{};
  value.policy = state.policy;
  value.flags = state.revoked ? CORE_TASK_REVOKED : 0;
  value.expires_boot_ns = state.expires_boot_ns;
  value.family = state.family;
  return {.table = Table::tasks, .key = bytes_of(state.slot), .value = bytes_of(value)};
}

TableEntry encode_known_file(const model::FileId& id, std::uint32_t space,
                             const std::vector<std::uint16_t>& credentials,
                             const model::CredentialMask& mask) {
  return {
      .table = Table::inodes,
      .key = encode_inode_key(id, space),
      .value = encode_rule({.rank = CORE_RANK_INODE, .credentials = credentials, .mask = mask})};
}

TableEntry encode_guarded(const model::FileId& id, Guarded as) {
  core_rule rule{};
  rule.flags = static_cast<__u8>(as == Guarded::events    ? CORE_GUARD_EVENTS
                                 : as == Guarded::monitor ? CORE_GUARD_MONITOR
                                                          : CORE_GUARD_WAY);
  return {.table = Table::inodes,
          .key = encode_inode_key(id, CORE_SPACE_GUARD),
          .value = bytes_of(rule)};
}

namespace {

std::uint32_t number_at(const std::string& key, std::size_t offset) {
  std::uint32_t number = 0;
  if (key.size() >= offset + sizeof(number))
    std::memcpy(&number, key.data() + offset, sizeof(number));
  return number;
}

}  // namespace

std::uint32_t policy_of_prefix(const std::string& key) {
  return number_at(key, offsetof(core_prefix_key, policy));
}

std::uint32_t set_of_port(const std::string& key) {
  return number_at(key, offsetof(core_port_key, set));
}

std::optional<TaskState> task_of(const TableEntry& entry) {
  core_task value{};
  if (entry.key.size() != sizeof(std::uint32_t) || entry.value.size() != sizeof(value))
    return std::nullopt;
  std::memcpy(&value, entry.value.data(), sizeof(value));
  return TaskState{.slot = number_at(entry.key, 0),
                   .policy = value.policy,
                   .expires_boot_ns = value.expires_boot_ns,
                   .revoked = (value.flags & (CORE_TASK_REVOKED | CORE_TASK_KILLED)) != 0};
}

Result<void> put_all(model::TableWriter& tables, const std::vector<TableEntry>& entries) {
  for (const TableEntry& entry : entries)
    if (auto put = tables.put(entry); !put) return put;
  return {};
}

}  // namespace ambit::policy
