/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Files that are the machine's, the monitor's or another process's, whoever may open them. */
#ifndef AMBIT_GUARD_OPEN_BPF_H
#define AMBIT_GUARD_OPEN_BPF_H

#include "bpf/lib/guard.bpf.h"

#define AMBIT_FMODE_WRITE 2u
#define AMBIT_O_TRUNC 01000u

/* Magic numbers of file systems. */
#define AMBIT_PROC 0x9fa0
#define AMBIT_CGROUP 0x27e0eb
#define AMBIT_CGROUP2 0x63677270

#define AMBIT_DEVICE(major, minor) ((__u32)(major) << 20 | (minor))
#define AMBIT_MAJOR(device) ((device) >> 20)

/* Kernel file systems whose files are settings of the machine. */
CORE_INLINE int holds_settings(unsigned long magic)
{
	switch (magic) {
	case 0x62656572: /* sysfs */
	case 0x73636673: /* securityfs */
	case 0x64626720: /* debugfs */
	case 0x74726163: /* tracefs */
	case 0x62656570: /* configfs */
	case 0xde5e81e4: /* efivarfs */
	case 0x42494e4d: /* binfmt_misc */
	case 0xf97cff8c: /* selinuxfs */
	case 0x43415d53: /* smackfs */
		return 1;
	}
	return 0;
}

/* What a character device gives power over. */
CORE_INLINE __u32 privilege_of_device(__u32 device)
{
	switch (device) {
	case AMBIT_DEVICE(1, 1):  /* mem */
	case AMBIT_DEVICE(1, 2):  /* kmem */
	case AMBIT_DEVICE(1, 4):  /* port */
	case AMBIT_DEVICE(1, 12): /* oldmem */
		return CORE_PRIVILEGE_kernel_memory;
	case AMBIT_DEVICE(10, 223): /* uinput */
		return CORE_PRIVILEGE_terminal;
	}
	switch (AMBIT_MAJOR(device)) {
	case 21:  /* sg */
	case 162: /* raw */
		return CORE_PRIVILEGE_block_devices;
	case 202: /* msr */
		return CORE_PRIVILEGE_kernel_memory;
	}
	return CORE_PRIVILEGE_none;
}

struct ambit_word {
	__u64 half[2];
};

CORE_INLINE void read_word(struct ambit_word *word, struct dentry *dentry)
{
	word->half[0] = word->half[1] = 0;
	bpf_probe_read_kernel_str(word, sizeof(*word), BPF_CORE_READ(dentry, d_name.name));
}

/* Of at most eight letters, the first one lowest. */
#define AMBIT_WORD_MEM 0x6d656dULL
#define AMBIT_WORD_NET 0x74656eULL
#define AMBIT_WORD_ENVIRON 0x6e6f7269766e65ULL
#define AMBIT_WORD_KCORE 0x65726f636bULL
#define AMBIT_WORD_VMCORE 0x65726f636d76ULL

CORE_INLINE int is_word(struct dentry *dentry, __u64 letters)
{
	struct ambit_word word;

	read_word(&word, dentry);
	return word.half[0] == letters && !word.half[1];
}

/* /proc/sys/net/… in a network namespace of the task's own. */
CORE_INLINE int is_own_net_setting(struct dentry *dentry)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct dentry *below = dentry, *parent;
	__u32 space;

	space = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	if (space == ambit_net_namespaces[0] || space == ambit_net_namespaces[1])
		return 0;
	for (int i = 0; i < 8; i++) {
		parent = BPF_CORE_READ(dentry, d_parent);
		if (BPF_CORE_READ(parent, d_parent) == parent)
			break;
		below = dentry;
		dentry = parent;
	}
	return is_word(below, AMBIT_WORD_NET);
}

CORE_INLINE __u32 slot_of_pid(struct pid *pid, __u32 *tgid)
{
	struct hlist_node *node = BPF_CORE_READ(pid, tasks[0].first);
	struct ambit_member *member;
	struct task_struct *task;
	__u32 key;

	*tgid = 0;
	if (!node)
		return 0;
	task = (void *)node - bpf_core_field_offset(struct task_struct, pid_links);
	key = BPF_CORE_READ(task, tgid);
	*tgid = seen_process((__u64)task);
	member = bpf_map_lookup_elem(&members, &key); /* 6.1 takes keys from the stack alone */
	return member ? member->slot : 0;
}

/* 1: `what` is to be asked of the guard. */
AMBIT_GLOBAL int look_at_proc(struct ambit_guarded *what, __u64 inode, __u32 writes, __u32 own_slot)
{
	struct proc_inode *proc;
	struct dentry *dentry;
	struct pid *pid;
	__u32 slot;

	if (!what)
		return 0;
	dentry = (struct dentry *)what->dentry;
	proc = (void *)inode - bpf_core_field_offset(struct proc_inode, vfs_inode);
	pid = BPF_CORE_READ(proc, pid);
	if (pid) {
		slot = slot_of_pid(pid, &what->target);
		if (slot == own_slot)
			return 0;
		if (!is_word(dentry, AMBIT_WORD_MEM) && !is_word(dentry, AMBIT_WORD_ENVIRON) &&
		    !(writes && slot == CORE_SLOT_MONITOR))
			return 0;
		what->aim = slot == CORE_SLOT_MONITOR ? CORE_AIM_MONITOR : CORE_AIM_PROCESS;
		what->privilege =
			slot == CORE_SLOT_MONITOR ? CORE_PRIVILEGE_none : CORE_PRIVILEGE_ptrace;
		return 1;
	}
	what->aim = CORE_AIM_MACHINE;
	if (is_word(dentry, AMBIT_WORD_KCORE) || is_word(dentry, AMBIT_WORD_VMCORE)) {
		what->privilege = CORE_PRIVILEGE_kernel_memory;
		return 1;
	}
	what->privilege = CORE_PRIVILEGE_host_settings;
	return writes && !(BPF_CORE_READ(proc, sysctl) && is_own_net_setting(dentry));
}

/* May write where root may, in the host's user namespace. */
CORE_INLINE int overrides_owners(void)
{
	const struct cred *cred = bpf_get_current_task_btf()->cred;
	__u64 effective = 0;

	if (BPF_CORE_READ(cred, fsuid.val) == 0)
		return 1;
	bpf_probe_read_kernel(&effective, sizeof(effective),
			      (void *)ADDRESS_OF(cred) +
				      bpf_core_field_offset(struct cred, cap_effective));
	return (effective >> 1 & 1) && BPF_CORE_READ(cred, user_ns, level) == 0;
}

AMBIT_GLOBAL int look_at_opened(struct ambit_guarded *what, __u64 inode_address, __u32 writes,
				__u32 own_slot)
{
	struct inode *inode = (struct inode *)inode_address;
	__u32 type, guarded;
	unsigned long magic;

	if (!what)
		return 0;
	type = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	magic = BPF_CORE_READ(inode, i_sb, s_magic);
	what->aim = CORE_AIM_MACHINE;
	if (type == S_IFBLK) {
		what->privilege = CORE_PRIVILEGE_block_devices;
		return 1;
	}
	if (type == S_IFCHR) {
		what->privilege = privilege_of_device(BPF_CORE_READ(inode, i_rdev));
		return what->privilege != CORE_PRIVILEGE_none;
	}
	if (magic == AMBIT_PROC)
		return look_at_proc(what, inode_address, writes, own_slot);
	/* Whoever reads from a pipe takes its events away. */
	if (!writes && type != S_IFIFO)
		return 0;
	guarded = guarded_as(inode);
	if (guarded & (CORE_GUARD_EVENTS | CORE_GUARD_MONITOR)) {
		what->aim = aim_of(guarded);
		return 1;
	}
	if (magic == AMBIT_CGROUP || magic == AMBIT_CGROUP2) {
		what->aim = CORE_AIM_MONITOR;
		return ambit_cgroup_delegated || overrides_owners();
	}
	what->privilege = CORE_PRIVILEGE_host_settings;
	return holds_settings(magic);
}

AMBIT_GLOBAL int guard_opened(struct ambit_scratch *scratch, __u64 file_address, __u32 writes,
			      __u32 own_slot)
{
	struct ambit_guarded what = {.operation = CORE_OPERATION_open};
	struct file *file = (struct file *)file_address;

	if (!scratch)
		return 1;
	what.dentry = (__u64)BPF_CORE_READ(file, f_path.dentry);
	what.mnt = (__u64)BPF_CORE_READ(file, f_path.mnt);
	if (!look_at_opened(&what, (__u64)BPF_CORE_READ(file, f_inode), writes, own_slot))
		return 0;
	return guard(scratch, &what);
}

CORE_INLINE __u32 writes(struct file *file)
{
	return (file->f_mode & AMBIT_FMODE_WRITE) || (file->f_flags & AMBIT_O_TRUNC);
}

/* Directories, and files that are only read and not in /proc, cost three loads. */
CORE_INLINE int may_be_guarded(struct file *file)
{
	struct inode *inode = file->f_inode;
	__u32 type = inode->i_mode & S_IFMT;

	return type != S_IFDIR &&
	       (writes(file) || type != S_IFREG || inode->i_sb->s_magic == AMBIT_PROC);
}

CORE_INLINE int guard_open(struct ambit_entry *entry, struct file *file)
{
	return guard_opened(entry->scratch, ADDRESS_OF(file), writes(file), entry->process->slot);
}

#endif
