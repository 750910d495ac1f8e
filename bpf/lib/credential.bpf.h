/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The credentials in scratch->walk.match are opened by the current process. */
#ifndef AMBIT_CREDENTIAL_BPF_H
#define AMBIT_CREDENTIAL_BPF_H

#include "bpf/lib/hook.bpf.h"

CORE_INLINE const struct core_credential_bit *core_find_bit(void *seam,
							    const struct core_credential_key *key)
{
	return bpf_map_lookup_elem(&policy_credentials, key);
}

AMBIT_GLOBAL int decide_matched(struct ambit_scratch *scratch)
{
	const struct core_match *match;

	if (!scratch)
		return 0;
	match = &scratch->walk.match;
	for (int i = 0; i < CORE_MAX_MATCHES; i++) {
		if (i >= match->count)
			break;
		core_decide_credential(0, &scratch->subject, &scratch->verdict,
				       match->credential[i]);
	}
	return 0;
}

/* After the record: signals, and what is held from now on. 1: the operation is refused. */
AMBIT_GLOBAL int settle(struct ambit_scratch *scratch, __u32 effect)
{
	struct core_process *process;

	if (!scratch)
		return 1;
	process = bpf_task_storage_get(&processes, bpf_get_current_task_btf(), 0, 0);
	if (!process || respond(process->slot, (__u8)effect))
		return 1;
	hold(&scratch->subject, process, &scratch->verdict.gained);
	return 0;
}

struct ambit_opening {
	__u64 inode;
	__u64 dentry;
	__u64 mnt;
	__u32 flags;
};

AMBIT_GLOBAL int emit_file(struct ambit_scratch *scratch, struct ambit_opening *opening)
{
	__u32 size = sizeof(union ambit_any_record);
	struct ambit_file_record *record;
	const struct core_match *match;
	struct ambit_outbox *box;
	struct inode *inode;
	int finding;

	if (!scratch || !opening)
		return 0;
	record = &scratch->record.file;
	match = &scratch->walk.match;
	finding = scratch->verdict.requested != CORE_RESPONSE_none;
	inode = (struct inode *)opening->inode;
	box = claim_outbox();
	record->ino = BPF_CORE_READ(inode, i_ino);
	record->dev = device_of(inode);
	record->flags = opening->flags;
	record->credential_count = match->count;
	__builtin_memcpy(record->credential, match->credential, sizeof(record->credential));
	record->path_reversed = 1;
	record->path_cut = 1;
	record->path_length = 0;
	if (!box) {
		record->head.size = size;
		send_record(&scratch->record, size, finding);
		return 0;
	}
	record->path_length =
		write_path(scratch, box, opening->dentry, opening->mnt, &record->path_cut);
	size += record->path_length & (AMBIT_DATA_SIZE - 1);
	record->head.size = size;
	box->record = scratch->record;
	send_record(&box->record, size, finding);
	release_outbox(box);
	return 0;
}

/* Gives 1 when the opening is refused. Files that are no credential cost only the walk. */
AMBIT_GLOBAL int open_credential(struct ambit_scratch *scratch, struct ambit_opening *opening)
{
	struct core_process *process;
	__u8 effect;

	if (!scratch || !opening)
		return 1;
	process = bpf_task_storage_get(&processes, bpf_get_current_task_btf(), 0, 0);
	if (!process)
		return 1;
	if (recognise(scratch, scratch->subject.policy.credential_space, opening->inode,
		      opening->dentry, opening->mnt))
		core_decide_undecided(&scratch->verdict);
	else if (!scratch->walk.match.count)
		return 0;
	decide_matched(scratch);
	effect = core_effect(&scratch->verdict, 1);
	fill_head(scratch, process->slot, AMBIT_KIND_file_open, effect);
	emit_file(scratch, opening);
	return settle(scratch, effect);
}

#endif
