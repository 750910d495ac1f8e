/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* From what a hook saw to the guard's verdict, its record and its effect. */
#ifndef AMBIT_GUARD_BPF_H
#define AMBIT_GUARD_BPF_H

#include "bpf/core/guard.h"
#include "bpf/lib/hook.bpf.h"

/* One operation that the guard may refuse, or a gain of privilege. */
struct ambit_guarded {
	__u64 dentry; /* 0: no file */
	__u64 mnt;
	__u64 gained;
	__u32 operation;
	__u32 aim;
	__u32 privilege;
	__u32 target;
	__u32 number;
	__u32 user;
	__u32 quiet; /* refused without a word: it was not aimed at what is guarded */
	__u32 reserved;
};

/* The task of a process; CORE_SLOT_MONITOR for Ambit's own, 0 for everybody else. */
CORE_INLINE __u32 slot_of_task(struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	struct core_process *process;
	struct ambit_member *member;
	__u32 tgid;

	if (!leader || !leader->bpf_storage)
		return 0;
	process = bpf_task_storage_get(&processes, leader, 0, 0);
	if (process)
		return process->slot;
	tgid = task->tgid;
	member = bpf_map_lookup_elem(&members, &tgid);
	return member ? member->slot : 0;
}

/* What the guard's space says of an inode; 0: nothing. */
CORE_INLINE __u32 guarded_as(struct inode *inode)
{
	struct core_inode_key key = {};
	const struct core_rule *rule;

	if (!inode)
		return 0;
	inode_key(&key, inode, CORE_SPACE_GUARD);
	rule = bpf_map_lookup_elem(&inodes, &key);
	return rule ? rule->flags : 0;
}

CORE_INLINE __u32 aim_of(__u32 guarded)
{
	return guarded & CORE_GUARD_MONITOR ? CORE_AIM_MONITOR : CORE_AIM_EVENTS;
}

AMBIT_GLOBAL int emit_guard(struct ambit_scratch *scratch, struct ambit_guarded *what)
{
	struct ambit_guard_record *record;
	struct ambit_outbox *box;
	struct ambit_place place;
	struct dentry *dentry;
	__u32 length = 0;

	if (!scratch || !what)
		return 0;
	record = &scratch->record.guard;
	dentry = (struct dentry *)what->dentry;
	place.dentry = what->dentry;
	place.mnt = what->mnt;
	record->ino = dentry ? BPF_CORE_READ(dentry, d_inode, i_ino) : 0;
	record->dev = dentry ? device_of(BPF_CORE_READ(dentry, d_inode)) : 0;
	record->operation = what->operation;
	record->privilege = what->privilege;
	record->target = what->target;
	record->number = what->number;
	record->user = what->user;
	record->gained = what->gained;
	record->path_reversed = 1;
	record->path_cut = !!dentry;
	box = claim_outbox();
	if (box && dentry) {
		length = write_path(scratch, box, 0, &place);
		record->path_cut = scratch->climb.cut;
	}
	record->path_length = length;
	return send_box(scratch, box, length);
}

/* 1: refused. When the operation goes on, the verdict is as it was before. */
AMBIT_GLOBAL int guard(struct ambit_scratch *scratch, struct ambit_guarded *what)
{
	struct core_process *process;
	int refused;
	__u8 effect;

	if (!scratch || !what)
		return 1;
	process = bpf_task_storage_get(&processes, bpf_get_current_task_btf(), 0, 0);
	if (!process)
		return 1;
	core_decide_guard(&scratch->subject, &scratch->verdict, what->aim, what->privilege);
	effect = core_effect(&scratch->verdict, 1);
	if (effect == CORE_EFFECT_allowed)
		return 0;
	if (what->quiet)
		return effect != CORE_EFFECT_alerted;
	fill_head(scratch, process->slot, AMBIT_KIND_guard, effect);
	emit_guard(scratch, what);
	refused = respond(process->slot, effect);
	core_verdict_start(&scratch->subject, &scratch->verdict);
	return refused;
}

/* A name of the guard's space: unlinked, renamed, linked, changed. A function of its own, so that
 * the hooks' stack stays free for the walk (6.1 refuses more than 512 bytes along the calls).
 */
AMBIT_GLOBAL int guard_name(struct ambit_scratch *scratch, __u64 dentry_address, __u64 mnt,
			    __u32 operation)
{
	struct ambit_guarded what = {.operation = operation};
	struct dentry *dentry = (struct dentry *)dentry_address;
	__u32 guarded;

	if (!scratch)
		return 1;
	guarded = guarded_as(BPF_CORE_READ(dentry, d_inode));
	if (!guarded)
		return 0;
	what.aim = aim_of(guarded);
	what.dentry = dentry_address;
	what.mnt = mnt;
	return guard(scratch, &what);
}

#endif
