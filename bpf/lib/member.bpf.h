/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Who is in a task. */
#ifndef AMBIT_MEMBER_BPF_H
#define AMBIT_MEMBER_BPF_H

#include "bpf/lib/scratch.bpf.h"

enum ambit_membership { AMBIT_OUTSIDER, AMBIT_MEMBER, AMBIT_UNDECIDED };

/* How deep the PID namespace of Ambit's own processes lies; found by find_level. */
__u32 ambit_pid_level __weak SEC(".bss");

/* The number of a pid as Ambit's user space sees it; 0: not at all. In the maps stand the host's.
 */
CORE_INLINE __u32 number_of(struct pid *pid)
{
	__u32 number = 0, level = ambit_pid_level;
	__u64 at = (__u64)pid + bpf_core_field_offset(struct pid, numbers);

	if (!pid || BPF_CORE_READ(pid, level) < level)
		return 0;
	bpf_probe_read_kernel(&number, sizeof(number),
			      (void *)(at + level * bpf_core_type_size(struct upid)));
	return number;
}

AMBIT_GLOBAL int seen_process(__u64 task)
{
	if (!ambit_pid_level)
		return BPF_CORE_READ((struct task_struct *)task, tgid);
	return number_of(BPF_CORE_READ((struct task_struct *)task, signal, pids[PIDTYPE_TGID]));
}

AMBIT_GLOBAL int seen_thread(__u64 task)
{
	if (!ambit_pid_level)
		return BPF_CORE_READ((struct task_struct *)task, pid);
	return number_of(BPF_CORE_READ((struct task_struct *)task, thread_pid));
}

/* Whether the current process has any storage; stands in process.bpf.c. */
extern int has_storage(void);

/* An outsider's whole cost is the first test; 7 instructions instead of 112 (KERNEL-FACTS).
 * Storage that is there and cannot be read (busy under full preemption on 6.1, or another
 * tool's) is settled by the members' hash.
 */
CORE_INLINE int surely_outsider(void)
{
	return !has_storage();
}

CORE_INLINE enum ambit_membership current_membership(struct core_process **process)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct ambit_member *member;
	__u32 tid, slot;

	*process = 0;
	if (surely_outsider())
		return AMBIT_OUTSIDER;
	*process = bpf_task_storage_get(&processes, task, 0, 0);
	if (*process) {
		slot = (*process)->slot;
		return slot && slot != CORE_SLOT_MONITOR ? AMBIT_MEMBER : AMBIT_OUTSIDER;
	}
	tid = (__u32)bpf_get_current_pid_tgid();
	member = bpf_map_lookup_elem(&members, &tid);
	if (!member || member->slot == CORE_SLOT_MONITOR)
		return AMBIT_OUTSIDER;
	count_loss(AMBIT_RING_findings, AMBIT_LOSS_storage_failed);
	return AMBIT_UNDECIDED;
}

CORE_INLINE void mask_or_atomic(struct core_mask *to, const struct core_mask *what)
{
	if (what->word[0])
		__sync_fetch_and_or(&to->word[0], what->word[0]);
	if (what->word[1])
		__sync_fetch_and_or(&to->word[1], what->word[1]);
	if (what->word[2])
		__sync_fetch_and_or(&to->word[2], what->word[2]);
	if (what->word[3])
		__sync_fetch_and_or(&to->word[3], what->word[3]);
}

/* What a process holds stands in its leader's storage, since its threads share it: adds that to
 * `held` and what its program may read to `readers`, and `gained` to what it holds. Each may be
 * null. Nothing for the leader itself. One function, since the way to the leader is dear to verify
 * (has_storage).
 */
AMBIT_GLOBAL int with_leader(struct core_mask *held, struct core_mask *readers,
			     struct core_mask *gained)
{
	struct task_struct *task = bpf_get_current_task_btf(), *first = task->group_leader;
	struct core_process *leader;

	if (first == task)
		return 0;
	leader = bpf_task_storage_get(&processes, first, 0, 0);
	if (!leader)
		return 0;
	if (held)
		core_mask_add(held, &leader->held);
	if (readers)
		core_mask_add(readers, &leader->readers);
	if (gained)
		mask_or_atomic(&leader->held, gained);
	return 0;
}

/* When a thread that is not the leader executes, the leader's storage goes with it. */
CORE_INLINE void take_over_from_leader(struct core_process *process)
{
	struct core_mask held = {};

	with_leader(&held, 0, 0);
	mask_or_atomic(&process->held, &held);
}

/* Everything about the current process that a decision needs; 0 when it is there. */
CORE_INLINE int load_subject(struct core_subject *subject, const struct core_process *process)
{
	__u32 slot = process->slot;
	struct core_task *task = bpf_map_lookup_elem(&tasks, &slot);
	struct core_policy *policy;
	__u32 number;

	if (!task)
		return -1;
	/* Once: it may get another policy at this moment. */
	subject->task = *task;
	number = subject->task.policy;
	policy = bpf_map_lookup_elem(&policies, &number);
	if (!policy)
		return -1;
	subject->policy = *policy;
	subject->held = subject->task.held;
	subject->readers = process->readers;
	core_mask_add(&subject->held, &process->held);
	with_leader(&subject->held, &subject->readers, 0);
	subject->now_boot_ns = bpf_ktime_get_boot_ns();
	return 0;
}

CORE_INLINE void hold(const struct core_subject *subject, struct core_process *process,
		      const struct core_mask *gained)
{
	struct core_mask by_task = *gained, by_process = *gained;
	__u32 slot = process->slot;
	struct core_task *task;

	core_mask_keep(&by_task, &subject->policy.hold_task);
	core_mask_remove(&by_process, &subject->policy.hold_task);
	if (!core_mask_empty(&by_task)) {
		task = bpf_map_lookup_elem(&tasks, &slot);
		if (task)
			mask_or_atomic(&task->held, &by_task);
	}
	if (core_mask_empty(&by_process))
		return;
	mask_or_atomic(&process->held, &by_process);
	with_leader(0, 0, &by_process);
}

#endif
