// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* What changes in a task that lives, run by Ambit's own processes. In place: a task that is written
 * as a whole would undo what its processes came to hold, or its end, of the same moment.
 */
#include "bpf/maps.bpf.h"

char _license[] __weak SEC("license") = "GPL";

static __always_inline int is_over(const struct core_task *task, __u64 expires)
{
	return task->flags & (CORE_TASK_REVOKED | CORE_TASK_KILLED) ||
	       (expires && bpf_ktime_get_boot_ns() >= expires);
}

/* Whoever decided by the old deadline has decided, and what has expired stays so. */
static __always_inline int change_deadline(struct core_task *task, __u64 expires)
{
	__u64 before = task->expires_boot_ns;

	if (is_over(task, before))
		return AMBIT_TASK_OVER;
	__sync_val_compare_and_swap(&task->expires_boot_ns, before, expires);
	if (!is_over(task, before))
		return 0;
	__sync_val_compare_and_swap(&task->expires_boot_ns, expires, before);
	return AMBIT_TASK_OVER;
}

SEC("syscall")
int change_task(struct ambit_task_change *change)
{
	struct core_task *task;
	__u32 slot = change->slot;

	task = bpf_map_lookup_elem(&tasks, &slot);
	if (!task)
		return AMBIT_TASK_UNKNOWN;
	switch (change->what) {
	case AMBIT_CHANGE_END:
		__sync_fetch_and_or(&task->flags, change->flags);
		return 0;
	case AMBIT_CHANGE_HELD:
/* Unrolled: of its context a program reads at fixed offsets alone. */
#pragma unroll
		for (int i = 0; i < 4; i++)
			if (change->held.word[i])
				__sync_fetch_and_or(&task->held.word[i], change->held.word[i]);
		return 0;
	case AMBIT_CHANGE_POLICY:
		*(volatile __u32 *)&task->policy = change->policy;
		return 0;
	case AMBIT_CHANGE_DEADLINE:
		return change_deadline(task, change->expires_boot_ns);
	}
	return AMBIT_TASK_UNKNOWN;
}
