/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* From a dentry up to the root of its mount namespace, across mounts. */
#ifndef AMBIT_WALK_BPF_H
#define AMBIT_WALK_BPF_H

#include "bpf/lib/scratch.bpf.h"

CORE_INLINE const struct core_rule *core_find_inode(void *seam, const struct core_inode_key *key)
{
	return bpf_map_lookup_elem(&inodes, key);
}

CORE_INLINE const struct core_anchor *core_find_anchor(void *seam, const struct core_inode_key *key)
{
	return bpf_map_lookup_elem(&anchors, key);
}

CORE_INLINE const struct core_rule *core_find_name(void *seam, const struct core_name_key *key)
{
	return bpf_map_lookup_elem(&names, key);
}

CORE_INLINE const struct core_space *core_find_space(void *seam, __u32 space)
{
	return bpf_map_lookup_elem(&spaces, &space);
}

CORE_INLINE int core_read_name(void *seam, struct core_walk *walk, __u32 level, __u32 prefix,
			       __u32 suffix)
{
	struct dentry *dentry = (void *)walk->path[level & (CORE_MAX_DEPTH - 1)];
	const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
	__u32 length = BPF_CORE_READ(dentry, d_name.len);
	__u32 take = length;

	if (length >= CORE_NAME_SIZE)
		return -1;
	if (suffix) {
		if (suffix > length)
			return -1;
		name += length - suffix;
		take = suffix;
	} else if (prefix != CORE_SHAPE_WHOLE) {
		if (prefix > length)
			return -1;
		take = prefix;
	}
	walk->name_length = take;
	take &= CORE_NAME_SIZE - 1;
	/* Clang would see the mask as redundant and drop it; the 6.1 verifier wants it
	 * (every file test of tests/kernel shows it: the object does not load).
	 */
	asm volatile("" : "+r"(take));
	return take ? bpf_probe_read_kernel(&walk->name, take & (CORE_NAME_SIZE - 1), name) : 0;
}

#define BTRFS_SUPER_MAGIC 0x9123683E

/* The device that stat() gives. Each subvolume of btrfs has one of its own, and numbers of inodes
 * are used again in each. Without the type (no btrfs here, or not loaded yet) there is nothing to
 * ask.
 */
CORE_INLINE __u32 device_of(struct inode *inode)
{
	struct btrfs_inode *own;

	if (bpf_core_type_exists(struct btrfs_root) &&
	    BPF_CORE_READ(inode, i_sb, s_magic) == BTRFS_SUPER_MAGIC) {
		own = (void *)inode - bpf_core_field_offset(struct btrfs_inode, vfs_inode);
		return BPF_CORE_READ(own, root, anon_dev);
	}
	return BPF_CORE_READ(inode, i_sb, s_dev);
}

CORE_INLINE void inode_key(struct core_inode_key *key, struct inode *inode, __u32 space)
{
	key->ino = BPF_CORE_READ(inode, i_ino);
	key->dev = device_of(inode);
	key->space = space;
}

CORE_INLINE void climb_from(struct ambit_climb *climb, __u64 dentry, __u64 mnt)
{
	climb->dentry = dentry;
	climb->mount = mnt ? mnt - bpf_core_field_offset(struct mount, mnt) : 0;
	climb->depth = 0;
	climb->done = 0;
	climb->bound = 0;
	climb->cut = 0;
	climb->length = 0;
}

#define AMBIT_STEP_NAME 0    /* climb->dentry is a component; the caller goes to its parent */
#define AMBIT_STEP_CROSSED 1 /* from a mount's root to the directory below it */
#define AMBIT_STEP_TOP 2

/* Stands on a mount's root: goes to the mount point below, or says that this is the top. */
CORE_INLINE int climb_mount(struct ambit_climb *climb)
{
	struct dentry *dentry = (void *)climb->dentry;
	struct mount *mount = (void *)climb->mount, *parent;

	if (!mount || BPF_CORE_READ(mount, mnt.mnt_root) != dentry)
		return BPF_CORE_READ(dentry, d_parent) == dentry ? AMBIT_STEP_TOP : AMBIT_STEP_NAME;
	if (BPF_CORE_READ(dentry, d_parent) != dentry)
		climb->bound = 1;
	parent = BPF_CORE_READ(mount, mnt_parent);
	if (parent == mount || !parent)
		return AMBIT_STEP_TOP;
	climb->dentry = (__u64)BPF_CORE_READ(mount, mnt_mountpoint);
	climb->mount = (__u64)parent;
	return AMBIT_STEP_CROSSED;
}

CORE_INLINE void match_here(struct ambit_scratch *scratch)
{
	struct dentry *dentry = (void *)scratch->climb.dentry;
	struct core_inode_key key;

	if (!scratch->climb.depth)
		return;
	inode_key(&key, BPF_CORE_READ(dentry, d_inode), scratch->walk.space);
	scratch->walk.depth = scratch->climb.depth;
	core_match_directory(&scratch->walk, &key);
}

static long match_step(__u32 index, void *context)
{
	struct ambit_scratch *scratch = *(struct ambit_scratch **)context;
	struct ambit_climb *climb = &scratch->climb;
	struct dentry *dentry;
	int step = climb_mount(climb);

	if (step == AMBIT_STEP_TOP) {
		climb->done = 1;
		return 1;
	}
	if (step == AMBIT_STEP_NAME) {
		dentry = (void *)climb->dentry;
		scratch->walk.path[climb->depth & (CORE_MAX_DEPTH - 1)] = climb->dentry;
		if (!climb->depth) {
			scratch->walk.depth = 1;
			core_match_anywhere(&scratch->walk);
		}
		climb->depth++;
		climb->dentry = (__u64)BPF_CORE_READ(dentry, d_parent);
	}
	match_here(scratch);
	return 0;
}

/* Climbs from scratch->climb on to the top; < 0 when it does not get there. Inlined: a frame more is
 * one too many in the Unix hooks (eight are allowed).
 */
CORE_INLINE int climb_to_top(struct ambit_scratch *scratch)
{
	if (!scratch)
		return -1;
	CORE_LOOP(AMBIT_MAX_STEPS, match_step, scratch);
	if (scratch->climb.done)
		return 0;
	count_loss(AMBIT_RING_findings, AMBIT_LOSS_path_too_deep);
	return -1;
}

/* What the file at `dentry` is in `space`, by all patterns; < 0 when that cannot be told. Below a
 * bind mount of a directory a file stands in two places: where the mount is, and where its file
 * system has it.
 */
CORE_INLINE int recognise_by_path(struct ambit_scratch *scratch, __u64 dentry, __u64 mnt)
{
	if (!scratch)
		return -1;
	climb_from(&scratch->climb, dentry, mnt);
	if (climb_to_top(scratch) < 0)
		return -1;
	if (scratch->climb.bound) {
		climb_from(&scratch->climb, dentry, 0);
		if (climb_to_top(scratch) < 0)
			return -1;
	}
	core_match_finish(&scratch->walk.match);
	return 0;
}

/* A directory below a credential's that gets another place takes what it is along: its
 * inode becomes an anchor, for files that come into it later. What is asked is what a file in it
 * would be; the directory's own name stands for the file's.
 */
CORE_INLINE void learn_directory(struct ambit_scratch *scratch, struct inode *inode, __u64 dentry,
				 __u64 mnt)
{
	struct core_match *match = &scratch->walk.match;
	struct core_anchor *anchor = &scratch->walk.anchor;
	struct core_inode_key key = {};

	__builtin_memset(match, 0, sizeof(*match));
	scratch->walk.space = scratch->subject.policy.credential_space;
	climb_from(&scratch->climb, dentry, mnt);
	scratch->walk.path[0] = dentry;
	scratch->climb.depth = 1;
	if (climb_to_top(scratch) < 0)
		return;
	core_match_finish(match);
	if (!match->count)
		return;
	__builtin_memset(anchor, 0, sizeof(*anchor));
	anchor->rule.rank = CORE_RANK_INODE;
	anchor->rule.flags = CORE_RULE_SUBTREE;
	anchor->rule.count = match->count;
	__builtin_memcpy(anchor->rule.credential, match->credential, sizeof(match->credential));
	inode_key(&key, inode, scratch->walk.space);
	if (bpf_map_update_elem(&anchors, &key, anchor, BPF_NOEXIST) == -7 /* E2BIG */)
		count_loss(AMBIT_RING_findings, AMBIT_LOSS_map_full);
}

/* A file that its path told is known by its inode from now on. */
CORE_INLINE void teach_inode(struct ambit_scratch *scratch, const struct core_inode_key *key)
{
	struct core_match *match = &scratch->walk.match;
	struct core_rule taught = {}, *rule = &taught; /* 6.1 takes map values from the stack */

	rule->rank = CORE_RANK_INODE;
	rule->flags = match->flags;
	rule->count = match->count;
	__builtin_memcpy(rule->credential, match->credential, sizeof(match->credential));
	rule->mask = match->mask;
	if (bpf_map_update_elem(&inodes, key, rule, BPF_NOEXIST) == -7 /* E2BIG */)
		count_loss(AMBIT_RING_findings, AMBIT_LOSS_map_full);
}

/* What a file is: by its inode, else by where it stands. 0, or < 0 when undecided. */
AMBIT_GLOBAL int recognise(struct ambit_scratch *scratch, __u32 space, __u64 inode, __u64 dentry,
			   __u64 mnt)
{
	struct core_inode_key key;
	const struct core_rule *rule;
	struct core_match *match;

	if (!scratch)
		return -1;
	match = &scratch->walk.match;
	__builtin_memset(match, 0, sizeof(*match));
	scratch->walk.space = space;
	inode_key(&key, (struct inode *)inode, space);
	rule = core_find_inode(0, &key);
	if (rule) {
		core_match_add(match, rule);
		core_match_finish(match);
		return 0;
	}
	if (recognise_by_path(scratch, dentry, mnt) < 0)
		return -1;
	if (match->count)
		teach_inode(scratch, &key);
	return 0;
}

#endif
