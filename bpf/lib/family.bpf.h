/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* A task and what it has delegated. */
#ifndef AMBIT_FAMILY_BPF_H
#define AMBIT_FAMILY_BPF_H

#include "bpf/maps.bpf.h"

/* Tasks that were delegated share what a whole task holds with the first of their chain: their
 * processes hand each other what they like, and all of a family number credentials alike.
 */
static __always_inline struct core_task *family_of(__u32 slot)
{
	struct core_task *task = bpf_map_lookup_elem(&tasks, &slot);
	__u32 first;

	if (!task || !task->family)
		return task;
	first = task->family;
	return bpf_map_lookup_elem(&tasks, &first);
}

/* The slot of that first one, which is there for as long as anything of the family may do anything.
 */
static __always_inline __u32 family_number(__u32 slot)
{
	const struct core_task *task = bpf_map_lookup_elem(&tasks, &slot);

	return task && task->family ? task->family : slot;
}

#endif
