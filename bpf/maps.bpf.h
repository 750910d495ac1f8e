/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The maps. They are weak, since each object of bpf/ names them and the linker joins them. */
#ifndef AMBIT_MAPS_BPF_H
#define AMBIT_MAPS_BPF_H

#include "bpf/abi.h"
#include "bpf/lib/kernel_types.h"

#define AMBIT_MAP(map_name, map_type, entries, extra_flags, key_type, value_type) \
	struct { \
		__uint(type, map_type); \
		__uint(max_entries, entries); \
		__uint(map_flags, extra_flags); \
		__type(key, key_type); \
		__type(value, value_type); \
	} map_name __weak SEC(".maps")

AMBIT_MAP(tasks, BPF_MAP_TYPE_HASH, 65536, BPF_F_NO_PREALLOC, __u32, struct core_task);
AMBIT_MAP(policies, BPF_MAP_TYPE_HASH, 65536, BPF_F_NO_PREALLOC, __u32, struct core_policy);
AMBIT_MAP(policy_credentials, BPF_MAP_TYPE_HASH, 262144, BPF_F_NO_PREALLOC,
	  struct core_credential_key, struct core_credential_bit);
AMBIT_MAP(spaces, BPF_MAP_TYPE_HASH, 65536, BPF_F_NO_PREALLOC, __u32, struct core_space);
AMBIT_MAP(inodes, BPF_MAP_TYPE_HASH, 262144, BPF_F_NO_PREALLOC, struct core_inode_key,
	  struct core_rule);
/* (inode, device, 0) -> the space whose `inodes` or `anchors` know it, or that several do: an inode
 * that is freed costs the host one look-up unless some policy knows it.
 */
AMBIT_MAP(known_inodes, BPF_MAP_TYPE_HASH, 262144, BPF_F_NO_PREALLOC, struct core_inode_key, __u32);
/* Ten thousand policies have some twenty names and a few anchors each of their own. */
AMBIT_MAP(anchors, BPF_MAP_TYPE_HASH, 262144, BPF_F_NO_PREALLOC, struct core_inode_key,
	  struct core_anchor);
AMBIT_MAP(names, BPF_MAP_TYPE_HASH, 524288, BPF_F_NO_PREALLOC, struct core_name_key,
	  struct core_rule);
AMBIT_MAP(prefixes, BPF_MAP_TYPE_LPM_TRIE, 1048576, BPF_F_NO_PREALLOC, struct core_prefix_key,
	  struct core_prefix);
AMBIT_MAP(ports, BPF_MAP_TYPE_LPM_TRIE, 1048576, BPF_F_NO_PREALLOC, struct core_port_key,
	  struct core_port);
AMBIT_MAP(listeners, BPF_MAP_TYPE_HASH, 65536, BPF_F_NO_PREALLOC, struct core_listener_key,
	  struct core_listener);
AMBIT_MAP(members, BPF_MAP_TYPE_HASH, 262144, BPF_F_NO_PREALLOC, __u32, struct ambit_member);

/* Sockets that tasks made, by address: least recently used ones go first, which can only cost a
 * task its own port. (portable has it for that alone, and keeps the rest in the socket.)
 */
#define AMBIT_DOUBT_NARROWED 1u /* a datagram socket that was connected once */
#define AMBIT_DOUBT_SHARED 2u	/* somebody else may have got the same port */
struct ambit_own_socket {
	__u32 slot;
	__u16 doubt;
	__u16 reported; /* the reason for which its use was alerted already */
};
AMBIT_MAP(own_sockets, BPF_MAP_TYPE_LRU_HASH, 131072, 0, __u64, struct ambit_own_socket);

/* portable: processes of tasks, by the number of their struct pid. A listening Unix socket keeps
 * the pid of who listens, and that is all that is there to tell a task's own ones by.
 */
AMBIT_MAP(own_pids, BPF_MAP_TYPE_LRU_HASH, 131072, 0, __u64, __u32);

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct core_process);
} processes __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} findings __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} observations __weak SEC(".maps");

AMBIT_MAP(losses, BPF_MAP_TYPE_PERCPU_ARRAY, AMBIT_LOSS_SLOTS, 0, __u32, __u64);
AMBIT_MAP(hits, BPF_MAP_TYPE_PERCPU_ARRAY, AMBIT_HOOK_COUNT, 0, __u32, __u64);

AMBIT_MAP(guarded_ids, BPF_MAP_TYPE_HASH, 1024, BPF_F_NO_PREALLOC, struct ambit_guarded_id, __u8);

AMBIT_MAP(about, BPF_MAP_TYPE_ARRAY, 1, BPF_F_MMAPABLE, __u32, struct ambit_about);

/* The monitor's own namespaces and the machine's, set before the load: what a task does in others
 * is its own affair. They are two in a container, and behind a unit's ProtectSystem=.
 */
const volatile __u32 ambit_mount_namespaces[2] __weak = {};
const volatile __u32 ambit_net_namespaces[2] __weak = {};
/* Others than root may write to the monitor's cgroup: no process of a task may use cgroup files. */
const volatile __u8 ambit_cgroup_delegated __weak = 0;

/* Which backend this load uses: enum ambit_backend, set before the load. */
const volatile __u8 ambit_backend __weak = AMBIT_BACKEND_none;
/* Whether the kernel has bpf_rdonly_cast; set before the load as well. */
const volatile __u8 ambit_can_cast __weak = 0;
/* Whether what holders write is followed (bpf/carried.bpf.c); likewise. */
const volatile __u8 ambit_carries __weak = 0;
/* Whether it has bpf_send_signal_task; likewise. */
const volatile __u8 ambit_can_signal __weak = 0;

#endif
