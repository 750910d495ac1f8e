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

/* The same of an inode that the verifier knows: read without a call, but for btrfs. */
CORE_INLINE __u32 device_of_known(struct inode *inode)
{
	if (bpf_core_type_exists(struct btrfs_root) && inode->i_sb->s_magic == BTRFS_SUPER_MAGIC)
		return device_of(inode);
	return inode->i_sb->s_dev;
}

/* Of all inodes of a file system; 0: each has to be asked. */
CORE_INLINE __u32 device_of_all(struct super_block *sb)
{
	if (bpf_core_type_exists(struct btrfs_root) &&
	    BPF_CORE_READ(sb, s_magic) == BTRFS_SUPER_MAGIC)
		return 0;
	return BPF_CORE_READ(sb, s_dev);
}

CORE_INLINE void inode_key(struct core_inode_key *key, struct inode *inode, __u32 space)
{
	key->ino = BPF_CORE_READ(inode, i_ino);
	key->dev = device_of(inode);
	key->space = space;
}

/* Onto a mount, where the file system and the top are others. */
CORE_INLINE void enter_mount(struct ambit_climb *climb, __u64 dentry, __u64 mount)
{
	climb->dentry = dentry;
	climb->mount = mount;
	climb->root = mount ? (__u64)BPF_CORE_READ((struct mount *)mount, mnt.mnt_root) : 0;
	climb->dev = device_of_all(BPF_CORE_READ((struct dentry *)dentry, d_sb));
}

CORE_INLINE void climb_from(struct ambit_climb *climb, __u64 dentry, __u64 mnt)
{
	enter_mount(climb, dentry, mnt ? mnt - bpf_core_field_offset(struct mount, mnt) : 0);
	climb->depth = 0;
	climb->done = 0;
	climb->loose = 0;
	climb->bound = 0;
	climb->cut = 0;
	climb->length = 0;
}

/* Which way up a name that permits something may take. Anybody can mount what they like over a
 * directory of the machine in a user namespace of their own: there the names that count are those
 * of the file system itself. 0: no mounts.
 */
AMBIT_GLOBAL int trust_mount(struct ambit_scratch *scratch, __u64 mnt)
{
	struct mount *mount = (void *)(mnt - bpf_core_field_offset(struct mount, mnt));

	if (!scratch)
		return 0;
	/* Not given back: the frames above a walk have no room to keep it (6.1: a Unix socket's
	 * hook has exactly the 512 bytes of all calls together).
	 */
	scratch->trusted = mnt && !BPF_CORE_READ(mount, mnt_ns, user_ns, level) ? mnt : 0;
	return 0;
}

#define AMBIT_STEP_NAME 0    /* climb->dentry is a component; the caller goes to climb->parent */
#define AMBIT_STEP_CROSSED 1 /* from a mount's root to the directory below it */
#define AMBIT_STEP_TOP 2

CORE_INLINE int is_mount_root(struct ambit_climb *climb)
{
	return climb->mount && climb->root == climb->dentry;
}

/* Stands on a mount's root: goes to the mount point below, or says that this is the top. */
CORE_INLINE int climb_mount(struct ambit_climb *climb)
{
	struct dentry *dentry = (void *)climb->dentry, *mountpoint;
	struct mount *mount = (void *)climb->mount, *parent;

	if (!is_mount_root(climb)) {
		climb->parent = (__u64)BPF_CORE_READ(dentry, d_parent);
		if (climb->parent != climb->dentry)
			return AMBIT_STEP_NAME;
		/* Without a mount the file system's root is the top; else it is not connected yet,
		 * or gone.
		 */
		if (climb->mount || BPF_CORE_READ(dentry, d_sb, s_root) != dentry)
			climb->loose = 1;
		return AMBIT_STEP_TOP;
	}
	if (BPF_CORE_READ(dentry, d_parent) != dentry)
		climb->bound = 1;
	parent = BPF_CORE_READ(mount, mnt_parent);
	if (parent == mount || !parent)
		return AMBIT_STEP_TOP;
	mountpoint = BPF_CORE_READ(mount, mnt_mountpoint);
	if (BPF_CORE_READ(mountpoint, d_flags) & DCACHE_OP_REVALIDATE)
		climb->loose = 1;
	enter_mount(climb, (__u64)mountpoint, (__u64)parent);
	return AMBIT_STEP_CROSSED;
}

CORE_INLINE void match_here(struct ambit_scratch *scratch)
{
	struct dentry *dentry = (void *)scratch->climb.dentry;
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	struct core_inode_key key;

	if (!scratch->climb.depth)
		return;
	key.ino = BPF_CORE_READ(inode, i_ino);
	key.dev = scratch->climb.dev ? scratch->climb.dev : device_of(inode);
	key.space = scratch->walk.space;
	scratch->walk.depth = scratch->climb.depth;
	core_match_directory(&scratch->walk, &key);
}

static long match_step(__u32 index, void *context)
{
	struct ambit_scratch *scratch = *(struct ambit_scratch **)context;
	struct ambit_climb *climb = &scratch->climb;
	int step = climb_mount(climb);

	if (step == AMBIT_STEP_TOP) {
		climb->done = 1;
		return 1;
	}
	if (step == AMBIT_STEP_NAME) {
		scratch->walk.path[climb->depth & (CORE_MAX_DEPTH - 1)] = climb->dentry;
		if (!climb->depth) {
			scratch->walk.depth = 1;
			core_match_anywhere(&scratch->walk);
		}
		climb->depth++;
		climb->dentry = climb->parent;
	}
	match_here(scratch);
	return 0;
}

/* Climbs from scratch->climb on to the top; < 0 when it does not get there. Inlined: from a Unix
 * socket's hook down to a shape there are as many frames as the verifier takes (8).
 */
CORE_INLINE int climb_to_top(struct ambit_scratch *scratch)
{
	/* Levels are other components' on another way up. */
	__builtin_memset(scratch->walk.token_level, 0, sizeof(scratch->walk.token_level));
	CORE_LOOP(AMBIT_MAX_STEPS, match_step, scratch);
	if (scratch->climb.done)
		return 0;
	count_loss(AMBIT_RING_findings, AMBIT_LOSS_path_too_deep);
	return -1;
}

/* From the dentry, or with one component below it that is there already. Below a bind mount of a
 * directory a file stands in two places: where the mount is, and where its file system has it.
 */
CORE_INLINE int climb_everywhere(struct ambit_scratch *scratch, __u64 dentry, __u64 mnt,
				 __u32 depth)
{
	__u8 loose;

	climb_from(&scratch->climb, dentry, mnt);
	scratch->climb.depth = depth;
	if (climb_to_top(scratch) < 0)
		return -1;
	if (!scratch->climb.bound)
		return 0;
	loose = scratch->climb.loose;
	climb_from(&scratch->climb, dentry, 0);
	scratch->climb.depth = depth;
	scratch->climb.loose = loose;
	return climb_to_top(scratch);
}

/* Where no pattern said anything, in any place of the file, none will while all stays where it is:
 * the places of one dentry below one mount change by renames and mounts only.
 */
CORE_INLINE void remember_plain(struct ambit_scratch *scratch)
{
	if (!scratch->spot.dir_ino || scratch->climb.loose ||
	    !core_nothing_said(&scratch->walk.match))
		return;
	remember(&scratch->spot, !scratch->walk.named && !scratch->walk.anywhere);
}

/* What the file at `dentry` is in `space`, by all patterns; < 0 when that cannot be told. */
CORE_INLINE int recognise_by_path(struct ambit_scratch *scratch, __u64 dentry, __u64 mnt)
{
	if (!scratch)
		return -1;
	scratch->walk.named = 0;
	scratch->walk.anywhere = 0;
	if (climb_everywhere(scratch, dentry, mnt, 0) < 0)
		return -1;
	remember_plain(scratch);
	core_match_finish(&scratch->walk.match);
	return scratch->walk.match.overflow ? -1 : 0;
}

/* Notes that `key->space` knows the inode; before it does, so that it can be forgotten. */
CORE_INLINE int note_inode(const struct core_inode_key *key)
{
	struct core_inode_key bare = *key;
	__u32 space = key->space, *known;

	bare.space = 0;
	if (!bpf_map_update_elem(&known_inodes, &bare, &space, BPF_NOEXIST))
		return 0;
	known = bpf_map_lookup_elem(&known_inodes, &bare);
	if (!known)
		return -1;
	if (*known != space)
		*known = AMBIT_SEVERAL_SPACES;
	return 0;
}

/* What all files below the directory are from now on. An anchor that was there keeps its patterns;
 * what it says of all below by itself goes along as it is.
 */
AMBIT_GLOBAL int teach_anchor(struct ambit_scratch *scratch, __u64 inode)
{
	struct core_anchor anchor = {}; /* 6.1 takes keys and values from the stack */
	const struct core_anchor *there;
	struct core_inode_key key = {};
	struct core_match *match;

	if (!scratch)
		return -1;
	match = &scratch->walk.match;
	inode_key(&key, (struct inode *)inode, scratch->walk.space);
	there = core_find_anchor(0, &key);
	if (there)
		anchor = *there;
	if (anchor.rule.flags & CORE_RULE_SUBTREE)
		return 0;
	anchor.rule.rank = CORE_RANK_INODE;
	anchor.rule.flags = CORE_RULE_SUBTREE;
	anchor.rule.count = match->count;
	__builtin_memcpy(anchor.rule.credential, match->credential, sizeof(match->credential));
	if (note_inode(&key) || bpf_map_update_elem(&anchors, &key, &anchor, BPF_ANY)) {
		count_loss(AMBIT_RING_findings, AMBIT_LOSS_map_full);
		return -1;
	}
	/* The rename that follows makes void what is remembered; one that fails does not. */
	__sync_fetch_and_add(&ambit_path_tables, 1);
	return 0;
}

/* A directory below a credential's that gets another place takes what it is along: its inode
 * becomes an anchor, for files that come into it later. What is asked is what a file in it would
 * be; the directory's own name stands for the file's. < 0: it could not be told or noted.
 */
AMBIT_GLOBAL int learn_directory(struct ambit_scratch *scratch, __u64 inode, __u64 dentry,
				 __u64 mnt)
{
	struct core_match *match;

	if (!scratch)
		return -1;
	match = &scratch->walk.match;
	__builtin_memset(match, 0, sizeof(*match));
	scratch->walk.space = scratch->subject.policy.credential_space;
	scratch->walk.path[0] = dentry;
	if (climb_everywhere(scratch, dentry, mnt, 1) < 0)
		return -1;
	core_match_finish(match);
	if (match->overflow)
		return -1;
	return match->count ? teach_anchor(scratch, inode) : 0;
}

/* A file that its path told is known by its inode from now on. < 0: it could not be noted, and a
 * name that the task gives it next would hide what it is. On portable nothing would tell when the
 * number is another file's. A function of its own, since its stack would be the walk's as well.
 */
AMBIT_GLOBAL int teach_inode(struct ambit_scratch *scratch, struct core_inode_key *key)
{
	struct core_rule taught = {},
			 *rule = &taught; /* 6.1 takes keys and values from the stack */
	struct core_inode_key own;
	struct core_match *match;
	long failed;

	if (!scratch || !key)
		return -1;
	own = *key;
	match = &scratch->walk.match;
	rule->rank = CORE_RANK_INODE;
	rule->flags = match->flags;
	rule->count = match->count;
	__builtin_memcpy(rule->credential, match->credential, sizeof(match->credential));
	rule->mask = match->mask;
	failed = note_inode(&own) ? -7 : bpf_map_update_elem(&inodes, &own, rule, BPF_NOEXIST);
	if (!failed || failed == -17 /* EEXIST */)
		return 0;
	count_loss(AMBIT_RING_findings, AMBIT_LOSS_map_full);
	return -1;
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
	if (!match->count || ambit_backend == AMBIT_BACKEND_portable)
		return 0;
	return teach_inode(scratch, &key);
}

#endif
