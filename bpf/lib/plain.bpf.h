/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Where no credential is: directories, and files, of which a walk found that no pattern says
 * anything. Only what the path says is remembered; the inode is asked about at every open.
 *
 * What a walk found stays true as long as nothing is moved or mounted by anyone, and no table
 * changes. The kernel itself counts the first two (rename_lock, mount_lock: every d_move() and
 * every change of a mount tree is between two increments), so that no hook can be late, skipped
 * or missing, and an outsider's rename costs nothing.
 */
#ifndef AMBIT_PLAIN_BPF_H
#define AMBIT_PLAIN_BPF_H

#include "bpf/maps.bpf.h"

/* Addresses of the kernel's sequence counts; 0: not found, nothing is remembered. */
__u64 ambit_rename_lock __weak SEC(".bss");
__u64 ambit_mount_lock __weak SEC(".bss");
/* Counts writes to the tables of paths; user space adds one after each. */
__u64 ambit_path_tables __weak SEC(".bss");

/* A dentry of such a file system may be moved without a rename here (network, FUSE). */
#define DCACHE_OP_REVALIDATE 4u

/* A file's directory, and the file. Neither the address of a dentry nor an inode's number is
 * enough: both are given again to others.
 */
struct ambit_spot {
	__u64 mnt;
	__u64 above; /* the directory's parent */
	__u64 dir_name;
	__u64 dir_ino; /* 0: a spot of which nothing is remembered */
	__u64 dev;     /* of the directory and the file: subvolumes use inodes' numbers again */
	__u32 dir_generation;
	__u32 space;
	__u32 renames;
	__u32 mounts;
	__u64 tables;
	/* 0: any file of the directory */
	__u64 name;
	__u64 ino;
	__u64 generation;
};

/* Written by whoever makes `version` odd; read when it is even and stays what it was. */
struct ambit_plain {
	__u64 version;
	struct ambit_spot spot;
};
#define AMBIT_PLAINS 16384
AMBIT_MAP(plains, BPF_MAP_TYPE_ARRAY, AMBIT_PLAINS, 0, __u32, struct ambit_plain);

#define AMBIT_NAME_OF(dentry) ((__u64)(dentry)->d_name.hash | (__u64)(dentry)->d_name.len << 32)

CORE_INLINE int read_counts(struct ambit_spot *spot)
{
	spot->renames = 1;
	spot->mounts = 1;
	if (!ambit_rename_lock || !ambit_mount_lock)
		return -1;
	bpf_probe_read_kernel(&spot->renames, 4, (void *)ambit_rename_lock);
	bpf_probe_read_kernel(&spot->mounts, 4, (void *)ambit_mount_lock);
	spot->tables = *(volatile __u64 *)&ambit_path_tables;
	/* Odd: something is being moved right now. */
	return (spot->renames | spot->mounts) & 1 ? -1 : 0;
}

/* Where a file stands, read straight from its objects; < 0: nothing can be remembered of it. */
CORE_INLINE int find_spot(struct ambit_spot *spot, struct dentry *dentry, struct vfsmount *mnt,
			  struct inode *inode)
{
	struct dentry *dir = dentry->d_parent;
	struct inode *dir_inode = dir->d_inode;

	spot->dir_ino = 0;
	/* A file that is a mount of its own stands elsewhere; one without a parent nowhere. */
	if (dentry == mnt->mnt_root || dentry == dir || (dir->d_flags & DCACHE_OP_REVALIDATE))
		return -1;
	if (read_counts(spot))
		return -1;
	spot->mnt = (__u64)mnt;
	spot->above = (__u64)dir->d_parent;
	spot->dir_name = AMBIT_NAME_OF(dir);
	spot->dir_ino = dir_inode->i_ino;
	spot->dir_generation = dir_inode->i_generation;
	spot->name = AMBIT_NAME_OF(dentry);
	spot->ino = inode->i_ino;
	spot->generation = inode->i_generation;
	return 0;
}

CORE_INLINE struct ambit_plain *plain_slot(const struct ambit_spot *spot, int whole)
{
	__u64 hash = core_mix(spot->dir_ino, spot->space);
	__u32 index;

	if (!whole)
		hash = core_mix(hash, spot->ino);
	index = (__u32)(hash >> 32) & (AMBIT_PLAINS - 1);
	return bpf_map_lookup_elem(&plains, &index);
}

/* Of the whole directory, or of the file alone. */
CORE_INLINE int is_remembered(const struct ambit_spot *spot, int whole)
{
	struct ambit_plain *slot = plain_slot(spot, whole);
	const struct ambit_spot *there;
	__u64 version;

	if (!slot)
		return 0;
	there = &slot->spot;
	version = *(volatile __u64 *)&slot->version;
	if ((version & 1) || there->mnt != spot->mnt || there->above != spot->above ||
	    there->dir_name != spot->dir_name || there->dir_ino != spot->dir_ino ||
	    there->dir_generation != spot->dir_generation || there->dev != spot->dev ||
	    there->space != spot->space || there->renames != spot->renames ||
	    there->mounts != spot->mounts || there->tables != spot->tables)
		return 0;
	if (there->name != (whole ? 0 : spot->name) || there->ino != (whole ? 0 : spot->ino) ||
	    there->generation != (whole ? 0 : spot->generation))
		return 0;
	/* x86-64 keeps the order of loads; the compiler must. */
	CORE_OPAQUE(version);
	return *(volatile __u64 *)&slot->version == version;
}

/* The counts in `spot` were read before the walk began, so what changed since makes it void. */
CORE_INLINE void remember(const struct ambit_spot *spot, int whole)
{
	struct ambit_plain *slot = plain_slot(spot, whole);
	__u64 version;

	if (!slot)
		return;
	version = *(volatile __u64 *)&slot->version;
	if ((version & 1) ||
	    __sync_val_compare_and_swap(&slot->version, version, version + 1) != version)
		return; /* another one writes */
	slot->spot = *spot;
	if (whole) {
		slot->spot.name = 0;
		slot->spot.ino = 0;
		slot->spot.generation = 0;
	}
	__sync_fetch_and_add(&slot->version, 1);
}

#endif
