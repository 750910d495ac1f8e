/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The credentials in scratch->walk.match are opened by the current process. */
#ifndef AMBIT_CREDENTIAL_BPF_H
#define AMBIT_CREDENTIAL_BPF_H

#include "bpf/lib/carry.bpf.h"
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
	if (respond(scratch->slot, (__u8)effect))
		return 1;
	if (core_mask_empty(&scratch->verdict.gained))
		return 0;
	process = bpf_task_storage_get(&processes, bpf_get_current_task_btf(), 0, 0);
	if (!process)
		return 1;
	hold(&scratch->subject, process, &scratch->verdict.gained);
	if (ambit_carries && shares_memory() && what_spreads(&scratch->spread))
		hold_by_task(scratch->slot, &scratch->spread, 0);
	return 0;
}

/* On portable the holder has decided an opening by the time that its system call returns: what it
 * let pass is held.
 */
CORE_INLINE int holds_already(const struct ambit_scratch *scratch, __u8 effect)
{
	struct core_mask more = scratch->verdict.gained;

	core_mask_remove(&more, &scratch->subject.held);
	return core_mask_empty(&more) &&
	       (effect == CORE_EFFECT_allowed || effect == CORE_EFFECT_alerted);
}

#define AMBIT_FILE_AGAIN 0x8000u /* beside the flags of the ABI: decided before, by the holder */

AMBIT_GLOBAL int emit_file(struct ambit_scratch *scratch, struct ambit_opening *opening)
{
	struct ambit_file_record *record;
	const struct core_match *match;
	struct ambit_outbox *box;
	struct inode *inode;
	__u32 length = 0;

	if (!scratch || !opening)
		return 0;
	record = &scratch->record.file;
	match = &scratch->walk.match;
	inode = (struct inode *)opening->inode;
	box = claim_outbox();
	record->ino = BPF_CORE_READ(inode, i_ino);
	record->dev = device_of(inode);
	record->flags = opening->flags & ~AMBIT_FILE_AGAIN;
	record->credential_count = match->count;
	__builtin_memcpy(record->credential, match->credential, sizeof(record->credential));
	record->path_reversed = 1;
	record->path_cut = 1;
	if (box) {
		length = write_path(scratch, box, 0, &opening->place);
		record->path_cut = scratch->climb.cut;
	}
	record->path_length = length;
	return send_box(scratch, box, length);
}

/* Gives 1 when the opening is refused. Files that are no credential cost only the walk. */
AMBIT_GLOBAL int open_credential(struct ambit_scratch *scratch, struct ambit_opening *opening)
{
	__u8 effect;

	if (!scratch || !opening)
		return 1;
	if (recognise(scratch, scratch->subject.policy.credential_space, opening->inode,
		      opening->place.dentry, opening->place.mnt))
		core_decide_undecided(&scratch->verdict);
	else if (!scratch->walk.match.count)
		return 0;
	decide_matched(scratch);
	effect = core_effect(&scratch->verdict, can_deny());
	if (opening->flags & AMBIT_FILE_AGAIN && holds_already(scratch, effect))
		return 0;
	fill_head(scratch, scratch->slot, AMBIT_KIND_file_open, effect);
	emit_file(scratch, opening);
	return settle(scratch, effect);
}

#endif
