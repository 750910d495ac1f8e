// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* What one process of a task reads and hands to another (lsm, fmod_ret; EVASION N17): files, pipes,
 * Unix sockets, memory, tracing. Attached only while a live scope has a credential that is bound to
 * destinations. Nothing is refused here: the destination is, later.
 */
#include "bpf/lib/credential.bpf.h"

char _license[] __weak SEC("license") = "GPL";

#define MAY_WRITE 2
#define MAY_READ 4
#define AMBIT_PROT_WRITE 2
#define AMBIT_MAP_TYPE 3
#define AMBIT_MAP_PRIVATE 2

/* The family of a member; 0: the process is none. */
static __always_inline __u32 family_of_current(void)
{
	struct core_process *process;

	if (current_membership(&process) != AMBIT_MEMBER || !process)
		return 0;
	return family_number(process->slot);
}

/* Bytes that stay where they were written until somebody takes them. 0: `key` is one. */
static __always_inline int channel_of_file(struct core_inode_key *key, __u64 file)
{
	struct inode *inode = BPF_CORE_READ((struct file *)file, f_inode);
	__u32 type = BPF_CORE_READ(inode, i_mode) & S_IFMT;

	if (type != S_IFREG && type != S_IFIFO)
		return -1;
	inode_key(key, inode, 0);
	return 0;
}

AMBIT_GLOBAL int use_channel(struct core_inode_key *key, __u32 family, __u32 how)
{
	struct core_mask what = {};

	if (!key)
		return 0;
	if ((how & MAY_WRITE) && what_spreads(&what))
		carry_into(key, &what, family);
	if (how & MAY_READ)
		take_from(key, family);
	return 0;
}

static __always_inline int carry_file(struct file *file, int mask)
{
	struct core_inode_key key = {};
	__u32 family;

	if (surely_outsider())
		return 0;
	family = family_of_current();
	if (family && !channel_of_file(&key, ADDRESS_OF(file)))
		use_channel(&key, family, mask);
	return 0;
}
AMBIT_DENY_HOOK(carry_file, file_permission, security_file_permission, (file, mask),
		struct file *file, int mask)

/* From now on bytes pass here without a system call: what is written to the file later, the whole
 * task holds (`mapped`), and so does what this process opens later (CORE_PROCESS_SHARES).
 */
AMBIT_GLOBAL int note_mapping(struct core_inode_key *key, __u32 family)
{
	struct ambit_channel fresh = {.family = family, .mapped = 1}, *there;
	struct core_inode_key own;

	if (!key)
		return 0;
	own = *key;
	there = bpf_map_lookup_elem(&channels, &own);
	if (there)
		there->mapped = 1;
	else if (bpf_map_update_elem(&channels, &own, &fresh, BPF_NOEXIST))
		return -1;
	return 0;
}

static __always_inline void share_memory(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct core_process *leader = bpf_task_storage_get(&processes, task->group_leader, 0, 0);

	if (leader)
		__sync_fetch_and_or(&leader->flags, CORE_PROCESS_SHARES);
}

/* `file` is a number: 0 for memory of no file, which the verifier of 6.12 would not believe. */
static __always_inline int on_map(__u64 file, unsigned long protection, unsigned long flags)
{
	int shared = (flags & AMBIT_MAP_TYPE) != AMBIT_MAP_PRIVATE;
	struct core_inode_key key = {};
	struct core_mask none = {};
	__u32 family;

	if (surely_outsider() || (!file && !shared))
		return 0;
	family = family_of_current();
	if (!family)
		return 0;
	if (shared && (!file || (protection & AMBIT_PROT_WRITE)))
		share_memory();
	if (!file || channel_of_file(&key, file))
		return 0;
	use_channel(&key, family, shared ? MAY_READ | MAY_WRITE : MAY_READ);
	if (note_mapping(&key, family))
		hold_by_task(family, &none, CORE_TASK_MAPS_MORE);
	return 0;
}

SEC("lsm/mmap_file")
int BPF_PROG(lsm_carry_map, struct file *file, unsigned long asked, unsigned long protection,
	     unsigned long flags)
{
	on_map(ADDRESS_OF(file), protection, flags);
	return 0;
}

SEC("fmod_ret/security_mmap_file")
int BPF_PROG(fmod_carry_map, struct file *file, unsigned long protection, unsigned long flags)
{
	on_map(ADDRESS_OF(file), protection, flags);
	return 0;
}

static __always_inline int carry_send(struct socket *sock)
{
	struct sock *sk = BPF_CORE_READ(sock, sk);
	struct core_inode_key key = {};
	__u64 peer;
	__u32 family;

	if (surely_outsider() || BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX)
		return 0;
	peer = (__u64)BPF_CORE_READ((struct unix_sock *)sk, peer);
	family = family_of_current();
	if (!family || !peer)
		return 0;
	channel_of_socket(&key, peer);
	use_channel(&key, family, MAY_WRITE);
	return 0;
}
AMBIT_DENY_HOOK(carry_send, socket_sendmsg, security_socket_sendmsg, (sock), struct socket *sock,
		struct msghdr *msg, int size)

static __always_inline int carry_datagram(struct socket *other)
{
	struct core_inode_key key = {};
	__u32 family;

	if (surely_outsider())
		return 0;
	family = family_of_current();
	if (!family)
		return 0;
	channel_of_socket(&key, (__u64)BPF_CORE_READ(other, sk));
	use_channel(&key, family, MAY_WRITE);
	return 0;
}
AMBIT_DENY_HOOK(carry_datagram, unix_may_send, security_unix_may_send, (other), struct socket *sock,
		struct socket *other)

static __always_inline int carry_receive(struct socket *sock)
{
	struct sock *sk = BPF_CORE_READ(sock, sk);
	struct core_inode_key key = {};
	__u32 family;

	if (surely_outsider() || BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX)
		return 0;
	family = family_of_current();
	if (!family)
		return 0;
	channel_of_socket(&key, (__u64)sk);
	use_channel(&key, family, MAY_READ);
	return 0;
}
AMBIT_DENY_HOOK(carry_receive, socket_recvmsg, security_socket_recvmsg, (sock), struct socket *sock,
		struct msghdr *msg, int size, int flags)

#define AMBIT_TRACE_ATTACH 2u

/* Who may read the memory of another may write to it as well: both hold what either does. */
static __always_inline int carry_trace(struct task_struct *child, __u32 mode)
{
	struct core_mask what = {}, theirs;
	struct core_process *own, *other;

	if (surely_outsider() || !(mode & AMBIT_TRACE_ATTACH))
		return 0;
	if (current_membership(&own) != AMBIT_MEMBER || !own)
		return 0;
	other = bpf_task_storage_get(&processes, child->group_leader, 0, 0);
	if (!other || family_number(other->slot) != family_number(own->slot))
		return 0;
	theirs = other->held;
	if (what_spreads(&what))
		mask_or_atomic(&other->held, &what);
	mask_or_atomic(&own->held, &theirs);
	with_leader(0, 0, &theirs);
	return 0;
}
AMBIT_DENY_HOOK(carry_trace, ptrace_access_check, security_ptrace_access_check, (child, mode),
		struct task_struct *child, unsigned int mode)
