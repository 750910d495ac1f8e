/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* One body, two attach points: an LSM program, and a program that modifies the return
 * value of the kernel's own security_*() function. An earlier program's refusal stands.
 */
#ifndef AMBIT_HOOK_BPF_H
#define AMBIT_HOOK_BPF_H

#include "bpf/lib/emit.bpf.h"

#define AMBIT_DENY_HOOK(hook, lsm_name, function, names, ...) \
	SEC("lsm/" #lsm_name) \
	int BPF_PROG(lsm_##hook, __VA_ARGS__, int ret) \
	{ \
		if (ret) \
			return ret; \
		if (hook names) \
			return -EPERM; \
		return 0; \
	} \
	SEC("fmod_ret/" #function) \
	int BPF_PROG(fmod_##hook, __VA_ARGS__, int ret) \
	{ \
		if (ret) \
			return ret; \
		if (hook names) \
			return -EPERM; \
		return 0; \
	}

/* What every hook starts with: 0 and no process is an outsider. */
struct ambit_entry {
	struct core_process *process;
	struct ambit_scratch *scratch;
};

#define AMBIT_PASS 0
#define AMBIT_REFUSE 1
#define AMBIT_DECIDE 2

CORE_INLINE int enter(struct ambit_entry *entry, __u32 hook)
{
	enum ambit_membership membership = current_membership(&entry->process);

	if (membership == AMBIT_OUTSIDER)
		return AMBIT_PASS;
	count_hit(hook);
	if (membership == AMBIT_UNDECIDED || !entry->process)
		return AMBIT_REFUSE;
	if (entry->process->flags & CORE_PROCESS_UNLISTED) {
		bpf_send_signal(9);
		return AMBIT_REFUSE;
	}
	entry->scratch = scratch_of_current();
	if (!entry->scratch || load_subject(&entry->scratch->subject, entry->process))
		return AMBIT_REFUSE;
	entry->scratch->slot = entry->process->slot;
	entry->scratch->spot.dir_ino = 0;
	core_verdict_start(&entry->scratch->subject, &entry->scratch->verdict);
	if (entry->scratch->subject.task.flags & CORE_TASK_KILLED) {
		bpf_send_signal(9);
		return AMBIT_REFUSE;
	}
	return AMBIT_DECIDE;
}

#endif
