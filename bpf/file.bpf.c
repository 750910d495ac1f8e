// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Files: opened, received, truncated; links and renames teach. */
#include "bpf/lib/credential.bpf.h"

char _license[] __weak SEC("license") = "GPL";

#define O_ACCMODE 3
#define O_WRONLY 1
#define O_RDWR 2
#define O_TRUNC 01000
#define RENAME_EXCHANGE 2
#define FMODE_EXEC_FLAG 040 /* __FMODE_EXEC, set in f_flags by do_open_execat */

static __always_inline __u32 open_flags(struct file *file)
{
	__u32 flags = BPF_CORE_READ(file, f_flags), out = 0;

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

static __always_inline int on_path(struct path *path, __u32 flags, __u32 hook)
{
	struct ambit_entry entry;
	struct ambit_opening opening = {.flags = flags};
	int state = enter(&entry, hook);
	struct dentry *dentry;
	struct inode *inode;

	if (state != AMBIT_DECIDE)
		return state;
	dentry = BPF_CORE_READ(path, dentry);
	inode = BPF_CORE_READ(dentry, d_inode);
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR)
		return 0;
	opening.dentry = (__u64)dentry;
	opening.mnt = (__u64)BPF_CORE_READ(path, mnt);
	opening.inode = (__u64)inode;
	return open_credential(entry.scratch, &opening);
}

static __always_inline int on_file(struct file *file, __u32 flags, __u32 hook)
{
	struct ambit_entry entry;
	struct ambit_opening opening = {.flags = flags};
	int state = enter(&entry, hook);
	struct inode *inode;

	if (state != AMBIT_DECIDE)
		return state;
	opening.dentry = (__u64)BPF_CORE_READ(file, f_path.dentry);
	opening.mnt = (__u64)BPF_CORE_READ(file, f_path.mnt);
	inode = BPF_CORE_READ(file, f_inode);
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR)
		return 0;
	opening.inode = (__u64)inode;
	if (!flags)
		opening.flags = open_flags(file);
	return open_credential(entry.scratch, &opening);
}

static __always_inline int file_open(struct file *file)
{
	return on_file(file, 0, AMBIT_HOOK_file_open);
}
AMBIT_DENY_HOOK(file_open, file_open, security_file_open, (file), struct file *file)

static __always_inline int file_receive(struct file *file)
{
	return on_file(file, AMBIT_FILE_RECEIVE, AMBIT_HOOK_file_receive);
}
AMBIT_DENY_HOOK(file_receive, file_receive, security_file_receive, (file), struct file *file)

static __always_inline int path_truncate(struct path *path)
{
	return on_path(path, AMBIT_FILE_WRITE | AMBIT_FILE_TRUNCATE, AMBIT_HOOK_path_truncate);
}
AMBIT_DENY_HOOK(path_truncate, path_truncate, security_path_truncate, (path), struct path *path)

/* A credential file that is open stays readable until the scope ends, and no longer. */
static __always_inline int file_permission(struct file *file, int mask)
{
	struct core_process *process;
	struct core_task *task;
	__u32 slot;

	if (current_membership(&process) != AMBIT_MEMBER || !process)
		return 0;
	slot = process->slot;
	task = bpf_map_lookup_elem(&tasks, &slot);
	if (!task)
		return 0;
	if (!(task->flags & (CORE_TASK_REVOKED | CORE_TASK_KILLED)) &&
	    (!task->expires_boot_ns || bpf_ktime_get_boot_ns() < task->expires_boot_ns))
		return 0;
	return on_file(file, mask & 2 ? AMBIT_FILE_WRITE : AMBIT_FILE_READ,
		       AMBIT_HOOK_file_permission);
}
AMBIT_DENY_HOOK(file_permission, file_permission, security_file_permission, (file, mask),
		struct file *file, int mask)

/* What is changed without being opened. The directory's mount is the file's. */
static __always_inline int judge_entry(struct ambit_entry *entry, struct path *dir,
				       struct dentry *dentry, __u32 flags)
{
	struct ambit_opening opening = {.flags = flags};
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);

	if (!inode || (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR)
		return 0;
	opening.dentry = ADDRESS_OF(dentry);
	opening.mnt = (__u64)BPF_CORE_READ(dir, mnt);
	opening.inode = (__u64)inode;
	return open_credential(entry->scratch, &opening);
}

static __always_inline int path_unlink(struct path *dir, struct dentry *dentry)
{
	struct ambit_entry entry;
	int state = enter(&entry, AMBIT_HOOK_path_unlink);

	return state == AMBIT_DECIDE ? judge_entry(&entry, dir, dentry, AMBIT_FILE_REMOVE) : state;
}
AMBIT_DENY_HOOK(path_unlink, path_unlink, security_path_unlink, (dir, dentry), struct path *dir,
		struct dentry *dentry)

static __always_inline int path_chmod(struct path *path)
{
	return on_path(path, AMBIT_FILE_ATTRIBUTES, AMBIT_HOOK_path_chmod);
}
AMBIT_DENY_HOOK(path_chmod, path_chmod, security_path_chmod, (path), struct path *path,
		unsigned short mode)

static __always_inline int path_chown(struct path *path)
{
	return on_path(path, AMBIT_FILE_ATTRIBUTES, AMBIT_HOOK_path_chown);
}
AMBIT_DENY_HOOK(path_chown, path_chown, security_path_chown, (path), struct path *path,
		unsigned int uid, unsigned int gid)

/* A second name, or a new one, must not lose what the file is: its inode is learned
 * before the name changes. Never refuses.
 */
static __always_inline void learn(struct ambit_entry *entry, struct dentry *dentry,
				  struct path *dir)
{
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	__u64 mnt = (__u64)BPF_CORE_READ(dir, mnt);

	if (!inode)
		return;
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR)
		learn_directory(entry->scratch, inode, ADDRESS_OF(dentry), mnt);
	else
		recognise(entry->scratch, entry->scratch->subject.policy.credential_space,
			  (__u64)inode, ADDRESS_OF(dentry), mnt);
}

static __always_inline int path_link(struct dentry *old_dentry, struct path *new_dir)
{
	struct ambit_entry entry;

	if (enter(&entry, AMBIT_HOOK_path_link) == AMBIT_DECIDE)
		learn(&entry, old_dentry, new_dir);
	return 0;
}
AMBIT_DENY_HOOK(path_link, path_link, security_path_link, (old_dentry, new_dir),
		struct dentry *old_dentry, struct path *new_dir, struct dentry *new_dentry)

/* What stood under the new name is replaced. */
static __always_inline int path_rename(struct path *old_dir, struct dentry *old_dentry,
				       struct path *new_dir, struct dentry *new_dentry,
				       unsigned int flags)
{
	struct ambit_entry entry;
	int state = enter(&entry, AMBIT_HOOK_path_rename);

	if (state != AMBIT_DECIDE)
		return state;
	learn(&entry, old_dentry, old_dir);
	if (flags & RENAME_EXCHANGE)
		learn(&entry, new_dentry, new_dir);
	return judge_entry(&entry, new_dir, new_dentry, AMBIT_FILE_REPLACE);
}
AMBIT_DENY_HOOK(path_rename, path_rename, security_path_rename,
		(old_dir, old_dentry, new_dir, new_dentry, flags), struct path *old_dir,
		struct dentry *old_dentry, struct path *new_dir, struct dentry *new_dentry,
		unsigned int flags)
