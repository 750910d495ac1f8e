/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What holders write, whoever of their task reads it holds: the ways by which bytes go from one
 * process to another, each with the credentials of those who wrote.
 */
#ifndef AMBIT_CARRY_BPF_H
#define AMBIT_CARRY_BPF_H

#include "bpf/lib/member.bpf.h"

/* Devices that no inode has: the key of a socket is its address, as in own_sockets. */
#define AMBIT_CHANNEL_SOCKET 0xffffffffu

/* Of a family, since a task that has ended is forgotten and what it wrote is still to be read. */
struct ambit_channel {
	__u32 family;
	__u32 mapped; /* somebody reads it without a system call */
	struct core_mask mask;
};
/* By inode (its space is 0) or socket. Ends with the inode, the socket, or the load. */
AMBIT_MAP(channels, BPF_MAP_TYPE_HASH, 65536, BPF_F_NO_PREALLOC, struct core_inode_key,
	  struct ambit_channel);

CORE_INLINE void channel_of_socket(struct core_inode_key *key, __u64 sk)
{
	key->ino = sk;
	key->dev = AMBIT_CHANNEL_SOCKET;
	key->space = 0;
}

/* Where it cannot be followed any more: every process of the task holds it. */
CORE_INLINE void hold_by_task(__u32 slot, const struct core_mask *what, __u32 flags)
{
	struct core_task *task = family_of(slot);

	if (!task)
		return;
	mask_or_atomic(&task->held, what);
	if (flags)
		__sync_fetch_and_or(&task->flags, flags);
}

/* Of what the process holds, what goes along with all that it writes: what is bound to
 * destinations, unless its program is a named reader, or the scope says how it is held. 0: nothing.
 */
AMBIT_GLOBAL int what_spreads(struct core_mask *out)
{
	struct core_mask readers;
	struct core_process *process;
	struct core_policy *policy;
	struct core_task *task;
	__u32 number;

	if (!out)
		return 0;
	process = bpf_task_storage_get(&processes, bpf_get_current_task_btf(), 0, 0);
	if (!process)
		return 0;
	*out = process->held;
	readers = process->readers;
	with_leader(out, &readers, 0);
	if (core_mask_empty(out))
		return 0;
	number = process->slot;
	task = bpf_map_lookup_elem(&tasks, &number);
	if (!task)
		return 0;
	number = task->policy;
	policy = bpf_map_lookup_elem(&policies, &number);
	if (!policy)
		return 0;
	core_mask_keep(out, &policy->restricted);
	core_mask_remove(out, &policy->hold_task);
	core_mask_remove(out, &policy->hold_process);
	core_mask_remove(out, &readers);
	return !core_mask_empty(out);
}

AMBIT_GLOBAL int carry_into(struct core_inode_key *key, struct core_mask *what, __u32 family)
{
	struct ambit_channel fresh = {}, *there; /* 6.1 takes keys and values from the stack */
	struct core_inode_key own;
	struct core_task *task;

	if (!key || !what)
		return 0;
	own = *key;
	there = bpf_map_lookup_elem(&channels, &own);
	if (!there) {
		fresh.family = family;
		bpf_map_update_elem(&channels, &own, &fresh, BPF_NOEXIST);
		there = bpf_map_lookup_elem(&channels, &own);
	}
	task = bpf_map_lookup_elem(&tasks, &family);
	/* No room, another task's as well, or read unseen. */
	if (!there || there->family != family || there->mapped || !task ||
	    (task->flags & CORE_TASK_MAPS_MORE)) {
		hold_by_task(family, what, 0);
		return 0;
	}
	mask_or_atomic(&there->mask, what);
	return 0;
}

/* Whether memory of this process is another one's as well. The leader's storage says it. */
AMBIT_GLOBAL int shares_memory(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct core_process *leader = bpf_task_storage_get(&processes, task->group_leader, 0, 0);

	return leader && (leader->flags & CORE_PROCESS_SHARES);
}

AMBIT_GLOBAL int take_from(struct core_inode_key *key, __u32 family)
{
	struct core_mask what, before = {};
	struct core_process *process;
	struct ambit_channel *there;
	struct core_inode_key own;

	if (!key)
		return 0;
	own = *key;
	there = bpf_map_lookup_elem(&channels, &own);
	if (!there || there->family != family)
		return 0;
	process = bpf_task_storage_get(&processes, bpf_get_current_task_btf(), 0, 0);
	if (!process)
		return 0;
	what = there->mask;
	before = process->held;
	with_leader(&before, 0, 0);
	core_mask_remove(&what, &before);
	if (core_mask_empty(&what))
		return 0;
	mask_or_atomic(&process->held, &what);
	with_leader(0, 0, &what);
	if (shares_memory())
		hold_by_task(family, &what, 0);
	return 0;
}

#endif
