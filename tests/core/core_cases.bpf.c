// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* The decisions in the kernel over real maps, one case a run. A raw tracepoint program, since those
 * of type `syscall` sleep, and may not look into an LPM trie.
 */
#include "tests/core/core_cases.bpf.h"

#include "bpf/core/decide.h"
#include "bpf/core/guard.h"
#include "bpf/core/recognise.h"

#define CASE_MAP(map_name, map_type, entries, map_flags_, key_type, value_type) \
  struct {                                                                      \
    __uint(type, map_type);                                                     \
    __uint(max_entries, entries);                                               \
    __uint(map_flags, map_flags_);                                              \
    __type(key, key_type);                                                      \
    __type(value, value_type);                                                  \
  } map_name SEC(".maps")

CASE_MAP(tasks, BPF_MAP_TYPE_HASH, 64, BPF_F_NO_PREALLOC, __u32, struct core_task);
CASE_MAP(policies, BPF_MAP_TYPE_HASH, 64, BPF_F_NO_PREALLOC, __u32, struct core_policy);
CASE_MAP(policy_credentials, BPF_MAP_TYPE_HASH, 1024, BPF_F_NO_PREALLOC, struct core_credential_key,
         struct core_credential_bit);
CASE_MAP(spaces, BPF_MAP_TYPE_HASH, 64, BPF_F_NO_PREALLOC, __u32, struct core_space);
CASE_MAP(inodes, BPF_MAP_TYPE_HASH, 4096, BPF_F_NO_PREALLOC, struct core_inode_key,
         struct core_rule);
CASE_MAP(anchors, BPF_MAP_TYPE_HASH, 4096, BPF_F_NO_PREALLOC, struct core_inode_key,
         struct core_anchor);
CASE_MAP(names, BPF_MAP_TYPE_HASH, 4096, BPF_F_NO_PREALLOC, struct core_name_key, struct core_rule);
CASE_MAP(prefixes, BPF_MAP_TYPE_LPM_TRIE, 4096, BPF_F_NO_PREALLOC, struct core_prefix_key,
         struct core_prefix);
CASE_MAP(ports, BPF_MAP_TYPE_LPM_TRIE, 4096, BPF_F_NO_PREALLOC, struct core_port_key,
         struct core_port);

struct case_memory {
  struct core_walk walk;
  struct core_subject subject;
  struct core_verdict verdict;
};
CASE_MAP(inputs, BPF_MAP_TYPE_ARRAY, 1, 0, __u32, struct case_input);
CASE_MAP(memories, BPF_MAP_TYPE_ARRAY, 1, 0, __u32, struct case_memory);
CASE_MAP(outputs, BPF_MAP_TYPE_ARRAY, 1, 0, __u32, struct case_output);

CORE_INLINE struct case_input* the_input(void) {
  __u32 zero = 0;

  return bpf_map_lookup_elem(&inputs, &zero);
}

CORE_INLINE struct case_output* the_output(void) {
  __u32 zero = 0;

  return bpf_map_lookup_elem(&outputs, &zero);
}

CORE_INLINE const struct core_credential_bit* core_find_bit(void* seam,
                                                            const struct core_credential_key* key) {
  return bpf_map_lookup_elem(&policy_credentials, key);
}

CORE_INLINE const struct core_rule* core_find_inode(void* seam, const struct core_inode_key* key) {
  return bpf_map_lookup_elem(&inodes, key);
}

CORE_INLINE const struct core_anchor* core_find_anchor(void* seam,
                                                       const struct core_inode_key* key) {
  return bpf_map_lookup_elem(&anchors, key);
}

CORE_INLINE const struct core_rule* core_find_name(void* seam, const struct core_name_key* key) {
  return bpf_map_lookup_elem(&names, key);
}

CORE_INLINE const struct core_space* core_find_space(void* seam, __u32 space) {
  return bpf_map_lookup_elem(&spaces, &space);
}

/* As bpf/lib/walk.bpf.h reads dentries, over the names of the case. */
CORE_INLINE int core_read_name(void* seam, struct core_walk* walk, __u32 level, __u32 prefix,
                               __u32 suffix) {
  __u64 index = walk->path[level & (CORE_MAX_DEPTH - 1)];
  struct case_input* input = the_input();
  const char* name;
  __u32 length, take;

  if (!input || index >= CASE_MAX_COMPONENTS) return -1;
  name = input->components[index].name;
  length = input->components[index].length;
  take = length;
  if (length >= CORE_NAME_SIZE) return -1;
  if (suffix) {
    if (suffix > length) return -1;
    name += length - suffix;
    take = suffix;
  } else if (prefix != CORE_SHAPE_WHOLE) {
    if (prefix > length) return -1;
    take = prefix;
  }
  walk->name_length = take;
  take &= CORE_NAME_SIZE - 1;
  asm volatile("" : "+r"(take)); /* Clang would drop the mask, which the verifier wants. */
  return take ? bpf_probe_read_kernel(&walk->name, take & (CORE_NAME_SIZE - 1), name) : 0;
}

static long climb_step(__u32 index, void* context) {
  struct case_memory* memory = *(struct case_memory**)context;
  struct core_walk* walk = &memory->walk;
  struct case_input* input = the_input();
  struct core_inode_key key = {};

  if (!input || index >= CASE_MAX_COMPONENTS || index >= input->count) return 1;
  walk->path[index & (CORE_MAX_DEPTH - 1)] = index;
  walk->depth = 1;
  if (!index) core_match_anywhere(walk);
  key.ino = input->components[index].ino;
  key.dev = input->components[index].dev;
  key.space = walk->space;
  walk->depth = index + 1;
  core_match_directory(walk, &key);
  return 0;
}

static __attribute__((noinline)) int run_recognise(struct case_memory* memory,
                                                   const struct case_input* input) {
  struct case_output* output = the_output();
  struct core_inode_key key = {};
  const struct core_rule* rule = 0;
  struct core_match* match;

  if (!memory || !input || !output) return 0;
  match = &memory->walk.match;
  memory->walk.space = input->space;
  key.ino = input->ino;
  key.dev = input->dev;
  key.space = input->space;
  if (input->by_inode) rule = core_find_inode(0, &key);
  if (rule) {
    core_match_add(match, rule);
    core_match_finish(match);
  } else {
    CORE_LOOP(CASE_MAX_COMPONENTS, climb_step, memory);
    core_match_finish(match);
  }
  output->count = match->count;
  output->overflow = match->overflow;
  output->flags = match->flags & (CORE_RULE_PROGRAM | CORE_RULE_UNIX);
  output->mask = match->mask;
  __builtin_memcpy(output->credential, match->credential, sizeof(match->credential));
  return 0;
}

CORE_INLINE const struct core_port* port_of(const struct case_input* input, __u32 policy) {
  struct core_prefix_key prefix_key = {.prefixlen = CORE_PREFIX_POLICY_BITS + 128,
                                       .policy = policy};
  struct core_port_key port_key = {.prefixlen = CORE_PORT_FIXED_BITS + 16,
                                   .protocol = input->protocol};
  const struct core_prefix* prefix;

  __builtin_memcpy(prefix_key.address, input->address, 16);
  prefix = bpf_map_lookup_elem(&prefixes, &prefix_key);
  if (!prefix) return 0;
  port_key.set = prefix->set;
  port_key.port[0] = input->port >> 8;
  port_key.port[1] = (__u8)input->port;
  return bpf_map_lookup_elem(&ports, &port_key);
}

CORE_INLINE void open_all(struct case_memory* memory, const __u16* credential, __u32 count) {
  for (int i = 0; i < CASE_MAX_CREDENTIALS; i++) {
    if (i >= (int)count) break;
    core_decide_credential(0, &memory->subject, &memory->verdict, credential[i]);
  }
}

CORE_INLINE void run_reach(struct case_memory* memory, const struct case_input* input) {
  const struct core_port* port = 0;

  if (!input->other) port = port_of(input, memory->subject.task.policy);
  if (port && port->endpoint_count > 0)
    core_decide_credential(0, &memory->subject, &memory->verdict, port->endpoint[0]);
  if (port && port->endpoint_count > 1)
    core_decide_credential(0, &memory->subject, &memory->verdict, port->endpoint[1]);
  core_decide_destination(&memory->subject, &memory->verdict, port,
                          input->own ? CORE_DESTINATION_OWN : 0);
}

static __attribute__((noinline)) int run_decide(struct case_memory* memory,
                                                const struct case_input* input) {
  struct case_output* output = the_output();
  const struct core_policy* policy;
  const struct core_task* task;
  struct core_subject* subject;
  __u32 slot;

  if (!memory || !input || !output) return 0;
  subject = &memory->subject;
  slot = input->slot;
  task = bpf_map_lookup_elem(&tasks, &slot);
  if (!task) return 0;
  subject->task = *task;
  policy = bpf_map_lookup_elem(&policies, &subject->task.policy);
  if (!policy) return 0;
  subject->policy = *policy;
  subject->held = input->held;
  core_mask_add(&subject->held, &subject->task.held);
  subject->readers = input->readers;
  subject->now_boot_ns = input->now_boot_ns;
  core_verdict_start(subject, &memory->verdict);
  if (input->operation == CASE_OPEN)
    open_all(memory, input->credential, input->credential_count);
  else if (input->operation == CASE_REACH)
    run_reach(memory, input);
  else if (input->operation == CASE_GUARD)
    core_decide_guard(subject, &memory->verdict, input->aim, input->privilege);
  else
    core_decide_exec(subject, &memory->verdict, input->program ? CORE_RULE_PROGRAM : 0);
  output->decided = 1;
  output->reason = memory->verdict.reason;
  output->requested = memory->verdict.requested;
  output->effect = core_effect(&memory->verdict, 1);
  output->shadow = memory->verdict.shadow;
  output->blocking = memory->verdict.blocking;
  output->gained = memory->verdict.gained;
  return 0;
}

SEC("raw_tp")
int run_case(void* context) {
  __u32 zero = 0;
  struct case_memory* memory = bpf_map_lookup_elem(&memories, &zero);
  struct case_input* input = the_input();

  if (!memory || !input) return 1;
  /* User space has zeroed the memory. */
  if (input->operation == CASE_RECOGNISE)
    run_recognise(memory, input);
  else
    run_decide(memory, input);
  return 0;
}

char _license[] SEC("license") = "GPL";
