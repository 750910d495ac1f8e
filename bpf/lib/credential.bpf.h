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

CORE_INLINE void decide_matched(struct ambit_scratch *scratch)
{
	const struct core_match *match = &scratch->walk.match;

	for (int i = 0; i < CORE_MAX_MATCHES; i++) {
		if (i >= match->count)
			break;
		core_decide_credential(0, &scratch->subject, &scratch->verdict,
				       match->credential[i]);
	}
}

struct ambit_opening {
	struct inode *inode;
	struct dentry *dentry;
	struct vfsmount *mnt;
	__u32 flags;
	__u8 can_deny;
};

CORE_INLINE void emit_file(struct ambit_scratch *scratch, const struct ambit_opening *opening)
{
	struct ambit_file_record *record = &scratch->record.file;
	const struct core_match *match = &scratch->walk.match;
	int finding = scratch->verdict.requested != CORE_RESPONSE_none;
	struct ambit_outbox *box = claim_outbox();
	__u32 size = sizeof(union ambit_any_record);
	struct inode *inode = opening->inode;

	record->ino = BPF_CORE_READ(inode, i_ino);
	record->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	record->flags = opening->flags;
	record->credential_count = match->count;
	__builtin_memcpy(record->credential, match->credential, sizeof(record->credential));
	record->path_reversed = 1;
	record->path_cut = 1;
	record->path_length = 0;
	if (!box) {
		record->head.size = size;
		send_record(&scratch->record, size, finding);
		return;
	}
	record->path_length = write_path(box, opening->dentry, opening->mnt, &record->path_cut);
	size += record->path_length & (AMBIT_DATA_SIZE - 1);
	record->head.size = size;
	box->record = scratch->record;
	send_record(&box->record, size, finding);
	release_outbox(box);
}

/* Gives 1 when the opening is refused. Files that are no credential cost only the walk. */
static __attribute__((noinline)) int open_credential(struct ambit_scratch *scratch,
						     struct ambit_opening *opening)
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
	effect = core_effect(&scratch->verdict, opening->can_deny);
	fill_head(scratch, process->slot, AMBIT_KIND_file_open, effect);
	emit_file(scratch, opening);
	if (respond(process->slot, effect))
		return 1;
	hold(&scratch->subject, process, &scratch->verdict.gained);
	return 0;
}

#endif
