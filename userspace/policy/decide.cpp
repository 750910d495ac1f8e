// SPDX-License-Identifier: Apache-2.0
#include "userspace/policy/decide.h"

#include <algorithm>

#include "userspace/policy/core.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wunused-function"
#include "bpf/core/decide.h"
#include "bpf/core/guard.h"
#include "bpf/core/recognise.h"
#pragma GCC diagnostic pop

namespace ambit::policy {

namespace {

/// What a look-up found stays here until the next one of its kind, as a map's value would.
struct Seam {
  const model::TableReader* tables = nullptr;
  const PathFacts* facts = nullptr;
  core_credential_bit bit{};
  core_rule inode{};
  core_rule name{};
  core_anchor anchor{};
  core_space space{};
};

template <typename Key, typename Value>
const Value* find(Seam* seam, model::Table table, const Key& key, Value& value) {
  const bool found = seam->tables->find(table, std::as_bytes(std::span(&key, 1)),
                                        std::as_writable_bytes(std::span(&value, 1)));
  return found ? &value : nullptr;
}

}  // namespace

}  // namespace ambit::policy

// The seam of bpf/core/seam.h, declared there with internal linkage.
static inline const core_credential_bit* core_find_bit(void* context,
                                                       const core_credential_key* key) {
  auto* seam = static_cast<ambit::policy::Seam*>(context);
  return ambit::policy::find(seam, ambit::model::Table::policy_credentials, *key, seam->bit);
}
static inline const core_rule* core_find_inode(void* context, const core_inode_key* key) {
  auto* seam = static_cast<ambit::policy::Seam*>(context);
  return ambit::policy::find(seam, ambit::model::Table::inodes, *key, seam->inode);
}
static inline const core_anchor* core_find_anchor(void* context, const core_inode_key* key) {
  auto* seam = static_cast<ambit::policy::Seam*>(context);
  return ambit::policy::find(seam, ambit::model::Table::anchors, *key, seam->anchor);
}
static inline const core_rule* core_find_name(void* context, const core_name_key* key) {
  auto* seam = static_cast<ambit::policy::Seam*>(context);
  return ambit::policy::find(seam, ambit::model::Table::names, *key, seam->name);
}
static inline const core_space* core_find_space(void* context, __u32 space) {
  auto* seam = static_cast<ambit::policy::Seam*>(context);
  return ambit::policy::find(seam, ambit::model::Table::spaces, space, seam->space);
}
static inline int core_read_name(void* context, core_walk* walk, __u32 level, __u32 prefix,
                                 __u32 suffix) {
  const ambit::policy::PathFacts& facts = *static_cast<ambit::policy::Seam*>(context)->facts;
  std::string_view name = facts.components[facts.count - 1 - level].name;
  if (name.size() >= CORE_NAME_SIZE) return -1;
  if (suffix != 0) {
    if (suffix > name.size()) return -1;
    name = name.substr(name.size() - suffix);
  } else if (prefix != CORE_SHAPE_WHOLE) {
    if (prefix > name.size()) return -1;
    name = name.substr(0, prefix);
  }
  std::memcpy(&walk->name, name.data(), name.size());
  walk->name_length = static_cast<__u32>(name.size());
  return 0;
}

namespace ambit::policy {

namespace {

struct Loaded {
  core_subject subject{};
  core_verdict verdict{};
  bool known = false;
};

Loaded load(const model::TableReader& tables, const Subject& subject) {
  Loaded out;
  Seam seam{.tables = &tables};
  if (find(&seam, model::Table::tasks, subject.slot, out.subject.task) == nullptr) return out;
  const __u32 policy = out.subject.task.policy;
  if (find(&seam, model::Table::policies, policy, out.subject.policy) == nullptr) return out;
  out.subject.held = to_core(subject.held);
  core_mask_add(&out.subject.held, &out.subject.task.held);
  out.subject.readers = to_core(subject.readers);
  out.subject.now_boot_ns = subject.now_boot_ns;
  core_verdict_start(&out.subject, &out.verdict);
  out.known = true;
  return out;
}

Decision finish(const Loaded& loaded) {
  Decision out;
  out.decided = loaded.known;
  if (!loaded.known) return out;
  out.reason = static_cast<model::Reason>(loaded.verdict.reason);
  out.requested = static_cast<model::Response>(loaded.verdict.requested);
  out.effect = static_cast<model::Effect>(core_effect(&loaded.verdict, 1));
  out.shadow = loaded.verdict.shadow != 0;
  out.credential_space = loaded.subject.policy.credential_space;
  out.held = from_core(loaded.subject.held);
  out.blocking = from_core(loaded.verdict.blocking);
  core_mask by_process = loaded.verdict.gained;
  core_mask by_task = loaded.verdict.gained;
  core_mask_remove(&by_process, &loaded.subject.policy.hold_task);
  core_mask_keep(&by_task, &loaded.subject.policy.hold_task);
  out.gained = from_core(by_process);
  out.gained_by_task = from_core(by_task);
  return out;
}

}  // namespace

Recognised recognise(const model::TableReader& tables, std::uint32_t space, const PathFacts& facts,
                     bool by_inode) {
  Seam seam{.tables = &tables, .facts = &facts};
  core_walk walk{};
  walk.seam = &seam;
  walk.space = space;
  const core_inode_key key{
      .ino = facts.file.ino, .dev = static_cast<__u32>(facts.file.dev), .space = space};
  const core_rule* rule = by_inode ? core_find_inode(&seam, &key) : nullptr;
  bool plain = false;
  if (rule != nullptr) {
    core_match_add(&walk.match, rule);
    core_match_finish(&walk.match);
  } else if (facts.count > 0) {
    walk.depth = 1;
    core_match_anywhere(&walk);
    for (std::size_t i = facts.count; i-- > 0;) {
      const model::FileId& directory = facts.components[i].directory;
      const core_inode_key at{
          .ino = directory.ino, .dev = static_cast<__u32>(directory.dev), .space = space};
      walk.depth = static_cast<__u32>(facts.count - i);
      core_match_directory(&walk, &at);
    }
    plain = walk.named == 0 && core_nothing_said(&walk.match) != 0;
    core_match_finish(&walk.match);
  }
  Recognised out;
  out.plain_directory = plain;
  out.count = walk.match.count;
  out.undecided = walk.match.overflow != 0;
  std::copy_n(walk.match.credential, out.count, out.credentials.begin());
  out.program = (walk.match.flags & CORE_RULE_PROGRAM) != 0;
  out.unix_socket = (walk.match.flags & CORE_RULE_UNIX) != 0;
  out.mask = from_core(walk.match.mask);
  return out;
}

model::CredentialMask held_by_task(const model::TableReader& tables, std::uint32_t slot) {
  Seam seam{.tables = &tables};
  core_task task{};
  if (find(&seam, model::Table::tasks, slot, task) == nullptr) return {};
  return from_core(task.held);
}

Spaces spaces_of(const model::TableReader& tables, std::uint32_t slot) {
  const Loaded loaded = load(tables, {.slot = slot});
  return {.credentials = loaded.subject.policy.credential_space,
          .programs = loaded.subject.policy.program_space};
}

Decision decide_file(const model::TableReader& tables, const Subject& subject,
                     std::span<const std::uint16_t> credentials, bool undecided) {
  Loaded loaded = load(tables, subject);
  Seam seam{.tables = &tables};
  if (loaded.known && undecided) core_decide_undecided(&loaded.verdict);
  if (loaded.known)
    for (const std::uint16_t credential : credentials)
      core_decide_credential(&seam, &loaded.subject, &loaded.verdict, credential);
  return finish(loaded);
}

Decision decide_exec(const model::TableReader& tables, const Subject& subject, bool program) {
  Loaded loaded = load(tables, subject);
  if (loaded.known)
    core_decide_exec(&loaded.subject, &loaded.verdict,
                     static_cast<__u8>(program ? CORE_RULE_PROGRAM : 0));
  return finish(loaded);
}

Decision decide_guard(const model::TableReader& tables, const Subject& subject, Aim aim,
                      model::Privilege privilege) {
  Loaded loaded = load(tables, subject);
  if (loaded.known)
    core_decide_guard(&loaded.subject, &loaded.verdict, static_cast<__u32>(aim),
                      static_cast<__u32>(privilege));
  return finish(loaded);
}

Decision decide_destination(const model::TableReader& tables, const Subject& subject,
                            const DestinationFacts& destination) {
  Loaded loaded = load(tables, subject);
  if (!loaded.known) return finish(loaded);
  Seam seam{.tables = &tables};
  core_prefix_key prefix_key{};
  prefix_key.prefixlen = CORE_PREFIX_POLICY_BITS + 128;
  prefix_key.policy = loaded.subject.task.policy;
  std::ranges::copy(destination.address, prefix_key.address);
  core_prefix prefix{};
  core_port port{};
  const core_port* known = nullptr;
  if (!destination.other && find(&seam, model::Table::prefixes, prefix_key, prefix) != nullptr) {
    core_port_key port_key{};
    port_key.prefixlen = CORE_PORT_FIXED_BITS + 16;
    port_key.set = prefix.set;
    port_key.protocol = destination.protocol;
    port_key.port[0] = static_cast<__u8>(destination.port >> 8U);
    port_key.port[1] = static_cast<__u8>(destination.port & 0xffU);
    known = find(&seam, model::Table::ports, port_key, port);
  }
  if (known != nullptr)
    for (std::size_t i = 0; i < known->endpoint_count && i < 2; ++i)
      core_decide_credential(&seam, &loaded.subject, &loaded.verdict, known->endpoint[i]);
  core_decide_destination(&loaded.subject, &loaded.verdict, known,
                          destination.own ? CORE_DESTINATION_OWN : 0);
  return finish(loaded);
}

}  // namespace ambit::policy
