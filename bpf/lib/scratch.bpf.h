/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Memory for one decision. Not per CPU: a program that is preempted in the middle
 * (preempt=full) would find another task's walk in it.
 */
#ifndef AMBIT_SCRATCH_BPF_H
#define AMBIT_SCRATCH_BPF_H

#include "bpf/core/decide.h"
#include "bpf/core/recognise.h"
#include "bpf/lib/plain.bpf.h"

/* Steps of a walk: components and mount crossings together (EVASION F19 asks for 300). */
#define AMBIT_MAX_STEPS 512

struct ambit_climb {
	__u64 dentry;
	__u64 parent; /* of a dentry that is a component */
	__u64 mount;
	__u64 root; /* of the mount */
	__u32 dev;  /* of the mount's file system; 0: each inode is asked (btrfs) */
	__u32 depth;
	__u8 done;
	__u8 loose; /* the way up may change without a rename or a mount */
	__u8 bound; /* below a mount whose root is no file system's */
	__u8 cut;
	__u32 length; /* of the path written so far */
};

struct ambit_place {
	__u64 dentry;
	__u64 mnt;
};

/* A file that is opened, or changed by name. */
struct ambit_opening {
	__u64 inode;
	struct ambit_place place;
	__u32 flags;
};

struct ambit_scratch {
	struct ambit_opening
		opening; /* not on the stack: 6.1 has 512 bytes for a walk and its hook */
	struct ambit_climb climb;
	struct ambit_spot spot;
	struct core_walk walk;
	struct core_subject subject;
	struct core_verdict verdict;
	__u32 slot;    /* of the current process */
	__u64 trusted; /* a mount, or 0 (trust_mount) */
	struct core_mask spread;
	__u64 told; /* the reason for which the socket's use was alerted already */
	union ambit_any_record record;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct ambit_scratch);
} scratches __weak SEC(".maps");

/* Room for a record and its strings while it is put together. */
struct ambit_outbox {
	__u64 busy;
	union ambit_any_record record;
	char data[AMBIT_DATA_SIZE + AMBIT_PATH_SIZE + CORE_NAME_SIZE];
};
#define AMBIT_OUTBOXES 128
AMBIT_MAP(outboxes, BPF_MAP_TYPE_ARRAY, AMBIT_OUTBOXES, 0, __u32, struct ambit_outbox);

/* Functions that a program verifies once, by themselves: inlined into the hooks their paths
 * multiply (the Unix hooks took 250,000 instructions on 6.1, half a minute under emulation).
 * Their arguments can only be numbers and sized memory, so kernel objects come as addresses.
 */
#define AMBIT_GLOBAL __weak __attribute__((noinline))

/* The address of a kernel object as a number; the verifier keeps such pointers apart. */
#define ADDRESS_OF(pointer) \
	({ \
		const void *address_of_pointer = (pointer); \
		__u64 address_of_number = 0; \
		bpf_probe_read_kernel(&address_of_number, sizeof(__u64), &address_of_pointer); \
		address_of_number; \
	})

CORE_INLINE void count_loss(__u32 ring, __u32 cause)
{
	__u32 index = AMBIT_LOSS_INDEX(ring, cause);
	__u64 *counter = bpf_map_lookup_elem(&losses, &index);

	if (counter)
		__sync_fetch_and_add(counter, 1);
}

CORE_INLINE void count_hit(__u32 hook)
{
	__u64 *counter = bpf_map_lookup_elem(&hits, &hook);

	if (counter)
		__sync_fetch_and_add(counter, 1);
}

CORE_INLINE struct ambit_scratch *scratch_of_current(void)
{
	struct ambit_scratch *scratch = bpf_task_storage_get(&scratches, bpf_get_current_task_btf(),
							     0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!scratch)
		count_loss(AMBIT_RING_findings, AMBIT_LOSS_storage_failed);
	return scratch;
}

#endif
