// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Files: opened, received, truncated; links and renames teach. The guard is asked first. */
#include "bpf/lib/credential.bpf.h"
#include "bpf/lib/guard_open.bpf.h"

char _license[] __weak SEC("license") = "GPL";

#define PIPEFS_MAGIC 0x50495045
#define SOCKFS_MAGIC 0x534f434b
#define O_ACCMODE 3
#define O_WRONLY 1
#define O_RDWR 2
#define O_TRUNC 01000
#define RENAME_EXCHANGE 2
#define FMODE_EXEC_FLAG 040 /* __FMODE_EXEC, set in f_flags by do_open_execat */

static __always_inline __u32 open_flags(struct file *file)
{
	__u32 flags = file->f_flags, out = 0;

	if (flags & FMODE_EXEC_FLAG)
		out |= AMBIT_FILE_EXEC;
	else if ((flags & O_ACCMODE) != O_WRONLY)
		out |= AMBIT_FILE_READ;
	if ((flags & O_ACCMODE) == O_WRONLY || (flags & O_ACCMODE) == O_RDWR)
		out |= AMBIT_FILE_WRITE;
	if (flags & O_TRUNC)
		out |= AMBIT_FILE_TRUNCATE;
	return out;
}

/* The short way: a file that is no credential by its inode, where no pattern says anything. All
 * is read straight from the objects, and nothing that only a decision needs is loaded. Not inlined:
 * its stack would be the walk's as well (512 bytes along the calls on 6.1).
 */
static __attribute__((noinline)) int is_plain(struct core_process *process, struct dentry *dentry,
					      struct vfsmount *mnt, struct inode *inode)
{
	struct core_inode_key key;
	struct core_policy *policy;
	struct core_task *task;
	struct ambit_spot spot;
	__u32 number = process->slot;

	task = bpf_map_lookup_elem(&tasks, &number);
	if (!task || (task->flags & CORE_TASK_KILLED))
		return 0;
	number = task->policy;
	policy = bpf_map_lookup_elem(&policies, &number);
	if (!policy)
		return 0;
	key.ino = inode->i_ino;
	key.dev = device_of_known(inode);
	key.space = policy->credential_space;
	if (bpf_map_lookup_elem(&inodes, &key))
		return 0;
	spot.space = key.space;
	spot.dev = key.dev;
	if (find_spot(&spot, dentry, mnt, inode))
		return 0;
	return is_remembered(&spot, 1) || is_remembered(&spot, 0);
}

static __always_inline int on_object(struct dentry *dentry, struct vfsmount *mnt,
				     struct inode *inode, __u32 flags, __u32 hook)
{
	struct ambit_opening *opening;
	struct core_process *process;
	struct ambit_entry entry;
	struct ambit_spot *spot;
	int state;

	if (current_membership(&process) == AMBIT_OUTSIDER)
		return 0;
	if ((inode->i_mode & S_IFMT) == S_IFDIR)
		return 0;
	if (process && is_plain(process, dentry, mnt, inode))
		return 0;
	state = enter(&entry, hook);
	if (state != AMBIT_DECIDE)
		return state;
	/* Before the walk begins, so that what is moved meanwhile is noticed. */
	spot = &entry.scratch->spot;
	spot->space = entry.scratch->subject.policy.credential_space;
	spot->dev = device_of_known(inode);
	find_spot(spot, dentry, mnt, inode);
	opening = &entry.scratch->opening;
	opening->place.dentry = ADDRESS_OF(dentry);
	opening->place.mnt = ADDRESS_OF(mnt);
	opening->inode = ADDRESS_OF(inode);
	opening->flags = flags;
	return open_credential(entry.scratch, opening);
}

static __always_inline int on_file(struct file *file, __u32 flags, __u32 hook)
{
	return on_object(file->f_path.dentry, file->f_path.mnt, file->f_inode, flags, hook);
}

/* What happens less often than opening goes without the short way: following pointers is dear to
 * verify (see fill_head). Whether a file is there is asked of a number: the verifier of 6.12 takes
 * d_inode for never NULL.
 */
static __always_inline int on_entry(struct dentry *dentry, struct vfsmount *mnt, __u32 flags,
				    __u32 hook)
{
	struct ambit_opening *opening;
	struct ambit_entry entry;
	int state = enter(&entry, hook);
	struct inode *inode;

	if (state != AMBIT_DECIDE)
		return state;
	inode = BPF_CORE_READ(dentry, d_inode);
	if (!inode || (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR)
		return 0;
	opening = &entry.scratch->opening;
	opening->inode = (__u64)inode;
	opening->place.dentry = ADDRESS_OF(dentry);
	opening->place.mnt = (__u64)mnt;
	opening->flags = flags;
	return open_credential(entry.scratch, opening);
}

static __always_inline int on_path(struct path *path, __u32 flags, __u32 hook)
{
	return on_entry(BPF_CORE_READ(path, dentry), BPF_CORE_READ(path, mnt), flags, hook);
}

/* The guard comes first, and is asked only where it may have something to say: what is merely read
 * goes the short way.
 */
static __always_inline int guards_open(struct file *file, __u32 hook)
{
	struct ambit_entry entry;
	int state;

	if (surely_outsider() || !may_be_guarded(file))
		return 0;
	state = enter(&entry, hook);
	return state == AMBIT_DECIDE ? guard_open(&entry, file) : state;
}

static __always_inline int guards_name(struct dentry *dentry, __u64 mnt, __u32 operation,
				       __u32 hook)
{
	struct ambit_entry entry;
	int state;

	if (surely_outsider() || !guarded_as(BPF_CORE_READ(dentry, d_inode)))
		return 0;
	state = enter(&entry, hook);
	if (state != AMBIT_DECIDE)
		return state;
	return guard_name(entry.scratch, ADDRESS_OF(dentry), mnt, operation);
}

/* Directories on the way to what is guarded are others' as well: /tmp, a home. */
static __always_inline int guards_change(struct path *path, __u32 hook)
{
	struct dentry *dentry = BPF_CORE_READ(path, dentry);

	if (surely_outsider() || !(guarded_as(BPF_CORE_READ(dentry, d_inode)) &
				   (CORE_GUARD_EVENTS | CORE_GUARD_MONITOR)))
		return 0;
	return guards_name(dentry, (__u64)BPF_CORE_READ(path, mnt), CORE_OPERATION_change, hook);
}

static __always_inline int file_open(struct file *file)
{
	return guards_open(file, AMBIT_HOOK_file_open) ||
	       on_file(file, open_flags(file), AMBIT_HOOK_file_open);
}
AMBIT_DENY_HOOK(file_open, file_open, security_file_open, (file), struct file *file)

static __always_inline int file_receive(struct file *file)
{
	return guards_open(file, AMBIT_HOOK_file_receive) ||
	       on_file(file, AMBIT_FILE_RECEIVE, AMBIT_HOOK_file_receive);
}
AMBIT_DENY_HOOK(file_receive, file_receive, security_file_receive, (file), struct file *file)

static __always_inline int path_truncate(struct path *path)
{
	return guards_name(BPF_CORE_READ(path, dentry), (__u64)BPF_CORE_READ(path, mnt),
			   CORE_OPERATION_truncate, AMBIT_HOOK_path_truncate) ||
	       on_path(path, AMBIT_FILE_WRITE | AMBIT_FILE_TRUNCATE, AMBIT_HOOK_path_truncate);
}
AMBIT_DENY_HOOK(path_truncate, path_truncate, security_path_truncate, (path), struct path *path)

/* A credential file that is open stays readable until the scope ends, and no longer. */
static __always_inline int file_permission(struct file *file, int mask)
{
	unsigned long kind = file->f_inode->i_sb->s_magic;
	struct core_process *process;
	struct core_task *task;
	__u32 slot;

	/* Pipes and sockets without a name are no files; every byte passes here. */
	if (surely_outsider() || kind == PIPEFS_MAGIC || kind == SOCKFS_MAGIC)
		return 0;
	if (current_membership(&process) != AMBIT_MEMBER || !process)
		return 0;
	slot = process->slot;
	task = bpf_map_lookup_elem(&tasks, &slot);
	if (!task)
		return 0;
	if (!(task->flags & (CORE_TASK_REVOKED | CORE_TASK_KILLED)) &&
	    (!task->expires_boot_ns || bpf_ktime_get_boot_ns() < task->expires_boot_ns))
		return 0;
	return on_entry(BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt),
			mask & 2 ? AMBIT_FILE_WRITE : AMBIT_FILE_READ, AMBIT_HOOK_file_permission);
}
AMBIT_DENY_HOOK(file_permission, file_permission, security_file_permission, (file, mask),
		struct file *file, int mask)

static __always_inline int path_unlink(struct path *dir, struct dentry *dentry)
{
	return guards_name(dentry, (__u64)BPF_CORE_READ(dir, mnt), CORE_OPERATION_unlink,
			   AMBIT_HOOK_path_unlink) ||
	       on_entry(dentry, BPF_CORE_READ(dir, mnt), AMBIT_FILE_REMOVE, AMBIT_HOOK_path_unlink);
}
AMBIT_DENY_HOOK(path_unlink, path_unlink, security_path_unlink, (dir, dentry), struct path *dir,
		struct dentry *dentry)

static __always_inline int path_chmod(struct path *path)
{
	return guards_change(path, AMBIT_HOOK_path_chmod) ||
	       on_path(path, AMBIT_FILE_ATTRIBUTES, AMBIT_HOOK_path_chmod);
}
AMBIT_DENY_HOOK(path_chmod, path_chmod, security_path_chmod, (path), struct path *path,
		unsigned short mode)

static __always_inline int path_chown(struct path *path)
{
	return guards_change(path, AMBIT_HOOK_path_chown) ||
	       on_path(path, AMBIT_FILE_ATTRIBUTES, AMBIT_HOOK_path_chown);
}
AMBIT_DENY_HOOK(path_chown, path_chown, security_path_chown, (path), struct path *path,
		unsigned int uid, unsigned int gid)

static __always_inline int learn_inode(struct ambit_scratch *scratch,
				       const struct ambit_opening *opening)
{
	struct inode *inode = (struct inode *)opening->inode;

	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR)
		return learn_directory(scratch, opening->inode, opening->place.dentry,
				       opening->place.mnt);
	return recognise(scratch, scratch->subject.policy.credential_space, opening->inode,
			 opening->place.dentry, opening->place.mnt);
}

/* A second name, or a new one, must not lose what the file is: its inode is learned
 * before the name changes. Refuses only where that cannot be had.
 */
static __always_inline int learn(struct ambit_entry *entry, struct dentry *dentry, struct path *dir)
{
	struct ambit_opening *opening = &entry->scratch->opening;
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	__u8 effect;

	if (!inode)
		return 0;
	opening->inode = (__u64)inode;
	opening->place.dentry = ADDRESS_OF(dentry);
	opening->place.mnt = (__u64)BPF_CORE_READ(dir, mnt);
	opening->flags = 0;
	if (!learn_inode(entry->scratch, opening))
		return 0;
	core_decide_undecided(&entry->scratch->verdict);
	effect = core_effect(&entry->scratch->verdict, 1);
	fill_head(entry->scratch, entry->process->slot, AMBIT_KIND_file_open, effect);
	emit_file(entry->scratch, opening);
	return respond(entry->process->slot, effect);
}

static __always_inline int path_link(struct dentry *old_dentry, struct path *new_dir)
{
	struct ambit_entry entry;
	int state = enter(&entry, AMBIT_HOOK_path_link);

	if (state != AMBIT_DECIDE)
		return state;
	return guard_name(entry.scratch, ADDRESS_OF(old_dentry), (__u64)BPF_CORE_READ(new_dir, mnt),
			  CORE_OPERATION_link) ||
	       learn(&entry, old_dentry, new_dir);
}
AMBIT_DENY_HOOK(path_link, path_link, security_path_link, (old_dentry, new_dir),
		struct dentry *old_dentry, struct path *new_dir, struct dentry *new_dentry)

/* What stood under the new name is replaced. */
static __always_inline int judge_replaced(struct ambit_entry *entry, struct path *dir,
					  struct dentry *dentry)
{
	struct ambit_opening opening = {.flags = AMBIT_FILE_REPLACE};
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);

	if (!inode || (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR)
		return 0;
	opening.place.dentry = ADDRESS_OF(dentry);
	opening.place.mnt = (__u64)BPF_CORE_READ(dir, mnt);
	opening.inode = (__u64)inode;
	return open_credential(entry->scratch, &opening);
}

static __always_inline int path_rename(struct path *old_dir, struct dentry *old_dentry,
				       struct path *new_dir, struct dentry *new_dentry,
				       unsigned int flags)
{
	struct ambit_entry entry;
	int state = enter(&entry, AMBIT_HOOK_path_rename);

	if (state != AMBIT_DECIDE)
		return state;
	if (guard_name(entry.scratch, ADDRESS_OF(old_dentry), (__u64)BPF_CORE_READ(old_dir, mnt),
		       CORE_OPERATION_rename) ||
	    guard_name(entry.scratch, ADDRESS_OF(new_dentry), (__u64)BPF_CORE_READ(new_dir, mnt),
		       CORE_OPERATION_rename))
		return 1;
	if (learn(&entry, old_dentry, old_dir) ||
	    ((flags & RENAME_EXCHANGE) && learn(&entry, new_dentry, new_dir)))
		return 1;
	return judge_replaced(&entry, new_dir, new_dentry);
}
AMBIT_DENY_HOOK(path_rename, path_rename, security_path_rename,
		(old_dir, old_dentry, new_dir, new_dentry, flags), struct path *old_dir,
		struct dentry *old_dentry, struct path *new_dir, struct dentry *new_dentry,
		unsigned int flags)
