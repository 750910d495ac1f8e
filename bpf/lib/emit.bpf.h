/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* From a decision to a record in its ring. */
#ifndef AMBIT_EMIT_BPF_H
#define AMBIT_EMIT_BPF_H

#include "bpf/lib/member.bpf.h"
#include "bpf/lib/walk.bpf.h"

CORE_INLINE void fill_head(struct ambit_scratch *scratch, __u32 slot, __u8 kind, __u8 effective)
{
	struct ambit_record *head = &scratch->record.head;
	struct task_struct *task = bpf_get_current_task_btf();

	head->kind = kind;
	head->reason = scratch->verdict.reason;
	head->requested = scratch->verdict.requested;
	head->effective = effective;
	head->shadow = scratch->verdict.shadow;
	head->backend = ambit_backend;
	head->cwd_form = AMBIT_CWD_UNKNOWN;
	head->cwd_cut = 0;
	head->cwd_length = 0;
	head->reserved = 0;
	head->slot = slot;
	head->boot_ns = bpf_ktime_get_boot_ns();
	/* Not `->`: for each pointer that is followed so the verifier of 6.12 reads all names of
	 * the kernel's BTF, which took as long as all the rest of verifying (a third of a start).
	 */
	head->start_boot_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	head->pid = seen_process(ADDRESS_OF(task));
	head->tid = seen_thread(ADDRESS_OF(task));
	head->uid = (__u32)bpf_get_current_uid_gid();
	head->ppid = seen_process((__u64)BPF_CORE_READ(task, real_parent));
	bpf_get_current_comm(head->comm, sizeof(head->comm));
	head->held = scratch->subject.held;
	head->blocking = scratch->verdict.blocking;
}

struct ambit_claim {
	__u32 start;
	__u32 index; /* AMBIT_OUTBOXES: none is free */
};

static long claim_step(__u32 step, void *context)
{
	struct ambit_claim *claim = context;
	__u32 index = (claim->start + step) & (AMBIT_OUTBOXES - 1);
	struct ambit_outbox *box = bpf_map_lookup_elem(&outboxes, &index);

	if (!box || __sync_val_compare_and_swap(&box->busy, 0, 1))
		return 0;
	claim->index = index;
	return 1;
}

CORE_INLINE struct ambit_outbox *claim_outbox(void)
{
	struct ambit_claim claim = {.start = bpf_get_prandom_u32(), .index = AMBIT_OUTBOXES};

	bpf_loop(32, claim_step, &claim, 0);
	return bpf_map_lookup_elem(&outboxes, &claim.index);
}

CORE_INLINE void release_outbox(struct ambit_outbox *box)
{
	__sync_lock_test_and_set(&box->busy, 0);
}

/* The climb is not on the stack: its values there would be tracked, and 6.12 verifies a loop
 * until they settle (40,000 instructions a path).
 */
struct ambit_writer {
	struct ambit_climb *climb;
	char *data;
};

static long write_name_step(__u32 index, void *context)
{
	struct ambit_writer *writer = context;
	struct ambit_climb *climb = writer->climb;
	struct dentry *dentry = (void *)climb->dentry;
	const unsigned char *name;
	__u32 length, at;
	int step = climb_mount(climb);

	/* A file that stands in no directory (memfd) is at the top at once, and has a name. */
	if (step == AMBIT_STEP_TOP && (index || is_mount_root(climb)))
		return 1;
	if (step == AMBIT_STEP_CROSSED)
		return 0;
	dentry = (void *)climb->dentry;
	name = BPF_CORE_READ(dentry, d_name.name);
	length = BPF_CORE_READ(dentry, d_name.len);
	at = climb->length;
	if (at + length + 1 > AMBIT_PATH_SIZE || length >= CORE_NAME_SIZE) {
		climb->cut = 1;
		return 1;
	}
	at &= AMBIT_PATH_SIZE - 1;
	length &= CORE_NAME_SIZE - 1;
	asm volatile("" : "+r"(at), "+r"(length));
	at &= AMBIT_PATH_SIZE - 1;
	length &= CORE_NAME_SIZE - 1;
	if (length && bpf_probe_read_kernel(writer->data + at, length, name)) {
		climb->cut = 1;
		return 1;
	}
	writer->data[at + length] = 0;
	climb->length = at + length + 1;
	climb->dentry = climb->parent;
	return 0;
}

/* Writes the names from the file up to the root at `base` of the box; gives the bytes written. */
AMBIT_GLOBAL int write_path(struct ambit_scratch *scratch, struct ambit_outbox *box, __u32 base,
			    struct ambit_place *place)
{
	struct ambit_writer writer;

	if (!scratch || !box || !place)
		return 0;
	writer.climb = &scratch->climb;
	writer.data = box->data + (base & (AMBIT_DATA_SIZE - 1));
	climb_from(&scratch->climb, place->dentry, place->mnt);
	bpf_loop(AMBIT_MAX_STEPS, write_name_step, &writer, 0);
	return scratch->climb.length & (AMBIT_DATA_SIZE - 1);
}

/* Hands `size` bytes to the ring that findings, or observations, have. */
CORE_INLINE void send_record(void *record, __u32 size, int finding)
{
	long failed = finding ? bpf_ringbuf_output(&findings, record, size, 0)
			      : bpf_ringbuf_output(&observations, record, size, 0);

	if (failed)
		count_loss(finding ? AMBIT_RING_findings : AMBIT_RING_observations,
			   AMBIT_LOSS_ring_full);
}

/* Programs of portable that decide by a signal alone; where its hooks can refuse they say so. */
CORE_INLINE int can_deny(void)
{
	return ambit_backend != AMBIT_BACKEND_portable;
}

/* Only findings pay for it: the path of a directory costs as much as that of a file. Another
 * thread can change the directory meanwhile, which mixes two paths and nothing worse.
 */
CORE_INLINE __u32 write_cwd(struct ambit_scratch *scratch, struct ambit_outbox *box, __u32 base)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	struct ambit_place place = {};
	__u32 length;

	if (!fs)
		return 0;
	place.dentry = (__u64)BPF_CORE_READ(fs, pwd.dentry);
	place.mnt = (__u64)BPF_CORE_READ(fs, pwd.mnt);
	length = write_path(scratch, box, base, &place);
	scratch->record.head.cwd_form = AMBIT_CWD_NAMES;
	scratch->record.head.cwd_cut = scratch->climb.cut;
	return length & (AMBIT_PATH_SIZE - 1);
}

/* Sends scratch->record with the `length` bytes that stand in the box, which may be none. */
AMBIT_GLOBAL int send_box(struct ambit_scratch *scratch, struct ambit_outbox *box, __u32 length)
{
	__u32 cwd = 0, size = sizeof(union ambit_any_record);
	int finding;

	if (!scratch)
		return 0;
	finding = scratch->verdict.requested != CORE_RESPONSE_none;
	if (!box) {
		scratch->record.head.size = size;
		send_record(&scratch->record, size, finding);
		return 0;
	}
	length &= AMBIT_DATA_SIZE - 1;
	if (finding)
		cwd = write_cwd(scratch, box, length);
	scratch->record.head.cwd_length = cwd;
	size += (length & (AMBIT_DATA_SIZE - 1)) + (cwd & (AMBIT_PATH_SIZE - 1));
	scratch->record.head.size = size;
	box->record = scratch->record;
	send_record(&box->record, size, finding);
	release_outbox(box);
	return 0;
}

/* What has to be done besides refusing: the signals. Gives 1 when the operation is refused. */
CORE_INLINE int respond(__u32 slot, __u8 effective)
{
	struct core_task *task;

	if (effective == CORE_EFFECT_task_killed) {
		task = bpf_map_lookup_elem(&tasks, &slot);
		if (task)
			__sync_fetch_and_or(&task->flags, CORE_TASK_KILLED);
	}
	if (effective == CORE_EFFECT_killed || effective == CORE_EFFECT_task_killed)
		bpf_send_signal(9);
	return effective == CORE_EFFECT_denied || effective == CORE_EFFECT_killed ||
	       effective == CORE_EFFECT_task_killed;
}

#endif
