/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The few kernel types that Ambit reads, with the fields it reads. CO-RE finds
 * where they stand on the running kernel, so nothing here depends on a version.
 */
#ifndef AMBIT_KERNEL_TYPES_H
#define AMBIT_KERNEL_TYPES_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID };

struct qstr {
	union {
		struct {
			__u32 hash;
			__u32 len;
		};
	};
	const unsigned char *name;
};

struct dentry;
struct super_block {
	__u32 s_dev;
	unsigned long s_magic;
	struct dentry *s_root;
};

struct inode {
	__u16 i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	__u32 i_generation;
	__u32 i_rdev;
	void *i_private; /* of a pidfd: its struct pid (pidfs, 6.9+) */
};

struct btrfs_root {
	__u32 anon_dev;
};

struct btrfs_inode {
	struct btrfs_root *root;
	struct inode vfs_inode;
};

struct dentry {
	unsigned int d_flags;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
};

struct ns_common {
	unsigned int inum;
};

struct user_namespace;
struct mnt_namespace {
	struct ns_common ns;
	struct user_namespace *user_ns;
};

struct vfsmount {
	struct dentry *mnt_root;
	int mnt_flags;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_flags;
	unsigned int f_mode;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct thread_info {
	__u32 status; /* x86: TS_COMPAT */
};

struct pt_regs {
	unsigned long orig_ax;
};

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
};

typedef struct {
	__u32 val;
} kuid_t;

/* Two words before 6.3, one since: eight bytes in both. */
typedef struct {
	__u64 val;
} kernel_cap_t;

struct user_namespace {
	int level; /* 0: the host's */
};

struct cred {
	kuid_t euid;
	kuid_t fsuid;
	kernel_cap_t cap_permitted;
	kernel_cap_t cap_effective;
	struct user_namespace *user_ns;
};

struct linux_binprm {
	struct cred *cred;
	struct file *file;
	const char *filename;
	const char *interp;
};

struct fs_struct {
	struct path pwd;
};

struct net;
struct nsproxy {
	struct net *net_ns;
};

struct hlist_node {
	struct hlist_node *next;
	struct hlist_node **pprev;
};
struct hlist_head {
	struct hlist_node *first;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	__u64 ino; /* never another one's: pidfs numbers processes for good (6.9+) */
	struct hlist_head tasks[4];
	struct upid numbers[]; /* one for each level; how long one is, BTF says */
};

struct signal_struct {
	struct pid *pids[4];
};

struct ctl_table_header;
struct proc_inode {
	struct pid *pid;
	struct ctl_table_header *sysctl;
	struct inode vfs_inode;
};

struct pt_regs___kernel {
	unsigned long di;
	unsigned long orig_ax;
};

struct bpf_local_storage;
struct task_struct {
	struct thread_info thread_info;
	struct files_struct *files;
	int pid;
	int tgid;
	struct pid *thread_pid;
	struct signal_struct *signal;
	__u64 start_boottime;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct bpf_local_storage *bpf_storage;
	const struct cred *cred;
	struct nsproxy *nsproxy;
	struct hlist_node pid_links[4];
	char comm[16];
};

struct bpf_iter_meta;
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct net {
	struct ns_common ns;
	__u64 net_cookie;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};

struct sock_common {
	union {
		struct {
			__u32 skc_daddr;
			__u32 skc_rcv_saddr;
		};
	};
	union {
		struct {
			__u16 skc_dport;
			__u16 skc_num;
		};
	};
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned char skc_reuse : 4;
	unsigned char skc_reuseport : 1;
	unsigned char skc_ipv6only : 1;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	struct hlist_node skc_node;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_type;
	__u16 sk_protocol;
	struct pid *sk_peer_pid; /* of a listener: who called listen() */
};

struct mptcp_sock {
	struct sock *first; /* of a listener: the TCP socket that listens */
};

struct ip_options {
	__u32 faddr;
	unsigned char srr;
};

struct ip_options_rcu {
	struct ip_options opt;
};

struct ipv6_txoptions {
	void *srcrt;
};

struct ipv6_pinfo {
	struct ipv6_txoptions *opt;
};

struct inet_sock {
	struct sock sk;
	struct ipv6_pinfo *pinet6;
	struct ip_options_rcu *inet_opt;
	__u16 inet_sport;
};

struct socket {
	short type;
	struct sock *sk;
};

struct unix_address {
	int len;
	struct {
		__u16 sun_family;
	} name[0];
};

#define AF_UNIX 1
struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct path path;
	struct sock *peer;
};

struct msghdr {
	void *msg_name;
	int msg_namelen;
	void *msg_control;
	unsigned long msg_controllen;
	unsigned int msg_flags;
};

#pragma clang attribute pop

#define S_IFMT 0170000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define S_IFSOCK 0140000
#define S_IFDIR 0040000
#define EPERM 1

#endif
