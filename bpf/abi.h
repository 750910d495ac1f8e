/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The one contract between the BPF programs and user space: records, counters,
 * configuration. Included by bpf/ and userspace/kernel/ alone.
 */
#ifndef AMBIT_ABI_H
#define AMBIT_ABI_H

#include "bpf/core/tables.h"

#define AMBIT_ABI_VERSION 1

#define AMBIT_PATH_SIZE 4096
#define AMBIT_ARGV_SIZE 4096
#define AMBIT_DATA_SIZE (AMBIT_PATH_SIZE + AMBIT_ARGV_SIZE)

#define AMBIT_KIND(word) AMBIT_KIND_##word,
enum ambit_kind { AMBIT_KINDS(AMBIT_KIND) };
#define AMBIT_BACKEND(word) AMBIT_BACKEND_##word,
enum ambit_backend { AMBIT_BACKENDS(AMBIT_BACKEND) };
#define AMBIT_LOSS(word) AMBIT_LOSS_##word,
enum ambit_loss_cause { AMBIT_LOSS_CAUSES(AMBIT_LOSS) AMBIT_LOSS_COUNT };
#define AMBIT_RING(word) AMBIT_RING_##word,
enum ambit_ring { AMBIT_RINGS(AMBIT_RING) AMBIT_RING_COUNT };

/* Hooks in the order of `ambit doctor`; the BPF program of a hook is named
 * <backend>_<hook> or, where all backends share it, <hook>.
 */
#define AMBIT_HOOKS(X) \
	X(task_alloc) \
	X(task_newtask) \
	X(process_exec) \
	X(process_exit) \
	X(file_open) \
	X(file_receive) \
	X(file_permission) \
	X(carry_file) \
	X(carry_map) \
	X(carry_send) \
	X(carry_datagram) \
	X(carry_receive) \
	X(carry_trace) \
	X(path_truncate) \
	X(path_link) \
	X(path_rename) \
	X(path_unlink) \
	X(path_chmod) \
	X(path_chown) \
	X(inode_free) \
	X(bprm_check) \
	X(socket_create) \
	X(socket_post_create) \
	X(udp_port) \
	X(socket_listen) \
	X(socket_getsockname) \
	X(socket_setsockopt) \
	X(socket_connect) \
	X(socket_sendmsg) \
	X(socket_splice) \
	X(socket_recvmsg) \
	X(sctp_connect) \
	X(tun_create) \
	X(tun_open) \
	X(unix_stream_connect) \
	X(unix_may_send) \
	X(unix_data_ready) \
	X(sk_free) \
	X(set_state) \
	X(sys_exit) \
	X(cgroup_sock_create) \
	X(cgroup_sock_release) \
	X(cgroup_post_bind) \
	X(cgroup_setsockopt) \
	X(cgroup_connect) \
	X(cgroup_sendmsg) \
	X(cgroup_egress) \
	X(sockops) \
	X(sk_msg) \
	X(bpf) \
	X(perf_event_open) \
	X(task_kill) \
	X(file_send_sigiotask) \
	X(ptrace_access_check) \
	X(ptrace_traceme) \
	X(task_setnice) \
	X(task_setscheduler) \
	X(task_setioprio) \
	X(task_setrlimit) \
	X(kernel_read_file) \
	X(kernel_load_data) \
	X(locked_down) \
	X(sb_mount) \
	X(move_mount) \
	X(sb_umount) \
	X(file_ioctl) \
	X(file_ioctl_compat) \
	X(bprm_committing_creds) \
	X(task_fix_setuid) \
	X(create_user_ns)
#define AMBIT_HOOK(word) AMBIT_HOOK_##word,
enum ambit_hook { AMBIT_HOOKS(AMBIT_HOOK) AMBIT_HOOK_COUNT };

#define AMBIT_CWD_UNKNOWN 0
#define AMBIT_CWD_NAMES 1 /* from the directory up, each with a NUL behind it */
#define AMBIT_CWD_PATH 2

/* The last cwd_length bytes of `data` are the directory of the process; findings have it. */
struct ambit_record {
	__u32 size; /* of the whole record */
	__u8 kind;
	__u8 reason;
	__u8 requested;
	__u8 effective;
	__u8 shadow;
	__u8 backend;
	__u8 cwd_form;
	__u8 cwd_cut;
	__u32 slot;
	__u32 cwd_length;
	__u32 ppid;
	__u64 boot_ns;
	__u64 start_boot_ns; /* of the process */
	__u32 pid;
	__u32 tid;
	__u32 uid;
	__u32 reserved;
	char comm[16];
	struct core_mask held;
	struct core_mask blocking;
};

#define AMBIT_FILE_READ 1u
#define AMBIT_FILE_WRITE 2u
#define AMBIT_FILE_TRUNCATE 4u
#define AMBIT_FILE_EXEC 8u
#define AMBIT_FILE_RECEIVE 16u
#define AMBIT_FILE_CONNECT 32u
#define AMBIT_FILE_REMOVE 64u
#define AMBIT_FILE_REPLACE 128u
#define AMBIT_FILE_ATTRIBUTES 256u
#define AMBIT_FILE_FLAGS(X) \
	X(AMBIT_FILE_READ, read) \
	X(AMBIT_FILE_WRITE, write) \
	X(AMBIT_FILE_TRUNCATE, truncate) \
	X(AMBIT_FILE_EXEC, exec) \
	X(AMBIT_FILE_RECEIVE, receive) \
	X(AMBIT_FILE_CONNECT, connect) \
	X(AMBIT_FILE_REMOVE, remove) \
	X(AMBIT_FILE_REPLACE, replace) \
	X(AMBIT_FILE_ATTRIBUTES, attributes)

/* In `data`: the path of path_length bytes. Names run from the file up, each with
 * a NUL behind it, when path_reversed; it is a plain path otherwise.
 */
struct ambit_file_record {
	struct ambit_record head;
	__u64 ino;
	__u32 dev;
	__u32 flags;
	__u16 credential[CORE_MAX_MATCHES];
	__u8 credential_count;
	__u8 path_reversed;
	__u8 path_cut;
	__u8 reserved;
	__u32 path_length;
};

/* Of a connect record: no socket, but a network interface of the process's own (TUN, TAP). */
#define AMBIT_FAMILY_TUN 0xffffu

/* In `data`: the Unix path as for files, or the abstract name behind a NUL. */
struct ambit_connect_record {
	struct ambit_record head;
	__u16 family;
	__u16 port;
	__u8 protocol;
	__u8 credential_count;
	__u8 path_reversed;
	__u8 path_cut;
	__u16 credential[CORE_MAX_MATCHES];
	__u8 address[16];
	__u32 path_length;
	__u32 reserved;
};

/* In `data`: the path, then argv_length bytes of NUL-separated arguments. */
struct ambit_exec_record {
	struct ambit_record head;
	__u64 ino;
	__u32 dev;
	__u32 path_length;
	__u32 argv_length;
	__u8 path_reversed;
	__u8 path_cut;
	__u8 argv_cut;
	__u8 in_place; /* the process is this program now; else it was refused before */
};

/* No event: a process of a task was started, and is what its starter is until it executes.
 * It is known by a kind that no event has; it has no strings.
 */
#define AMBIT_KIND_FORK 255
struct ambit_fork_record {
	__u32 size;
	__u8 kind;
	__u8 reserved[3];
	__u32 slot;
	__u32 uid;
	__u64 boot_ns;
	__u64 start_boot_ns;
	__u64 parent_start_boot_ns;
	__u32 pid;
	__u32 parent_pid; /* who started it, also where CLONE_PARENT names another */
};

/* Kinds guard and privilege. In `data`: the path of the file, if there is one (ino is not 0). */
struct ambit_guard_record {
	struct ambit_record head;
	__u64 ino;
	__u32 dev;
	__u32 path_length;
	__u8 path_reversed;
	__u8 path_cut;
	__u8 operation; /* enum core_operation */
	__u8 privilege; /* enum core_privilege: would allow it; none: nothing does */
	__u32 target;	/* process id; 0: no process */
	__u32 number;	/* signal, command of bpf() or ioctl(), reason of lockdown */
	__u32 user;	/* that it becomes */
	__u64 gained;	/* capabilities */
};

/* Every record starts with this much; its strings (`data`) come behind. */
union ambit_any_record {
	struct ambit_record head;
	struct ambit_file_record file;
	struct ambit_connect_record connect;
	struct ambit_exec_record exec;
	struct ambit_guard_record guard;
};

/* The list of kernel records: enum values, the decoder's switch and its size
 * checks are made from it.
 */
#define AMBIT_RECORDS(X) \
	X(file_open, struct ambit_file_record) \
	X(connect, struct ambit_connect_record) \
	X(exec, struct ambit_exec_record) \
	X(guard, struct ambit_guard_record) \
	X(privilege, struct ambit_guard_record)

/* losses: one counter for each (ring, cause) on each CPU */
#define AMBIT_LOSS_INDEX(ring, cause) ((__u32)(ring) * (__u32)AMBIT_LOSS_COUNT + (__u32)(cause))
#define AMBIT_LOSS_SLOTS ((__u32)AMBIT_RING_COUNT * (__u32)AMBIT_LOSS_COUNT)

/* holder_recognise: what a descriptor of the asking process is in a space of paths. */
struct ambit_question {
	__s32 descriptor;
	__u32 space;
	/* the answer */
	__u16 credential[CORE_MAX_MATCHES];
	__u64 mask[4];
	__u32 undecided;
	__u32 count;
	__u32 flags; /* CORE_RULE_PROGRAM, CORE_RULE_UNIX */
	/* asked as well: what is named in the space is permitted thereby (lib/walk.bpf.h) */
	__u32 permits;
};

/* hold_for: what a process holds from now on. */
struct ambit_gain {
	__s32 process; /* its pidfd, of the asking process */
	__u32 reserved;
	struct core_mask held;
};

/* move_thread: a thread that goes from one task into another, and what became of it */
#define AMBIT_MOVE_GONE 0u	/* there is none of these numbers */
#define AMBIT_MOVE_BLANK 1u	/* being born, and in no task yet; or in none at all */
#define AMBIT_MOVE_THERE 2u	/* it was there before */
#define AMBIT_MOVE_MOVED 3u	/* by this call */
#define AMBIT_MOVE_ELSEWHERE 4u /* in a third task, and stays there */
/* The words of `ambit_move`: four that are asked, and the answer. */
#define AMBIT_MOVE_TID 0
#define AMBIT_MOVE_PID 1
#define AMBIT_MOVE_FROM 2
#define AMBIT_MOVE_TO 3
#define AMBIT_MOVE_STATE 4
#define AMBIT_MOVE_WORDS 5

/* change_task: one change of a task that lives; the answer is the program's. */
#define AMBIT_CHANGE_END 1u	 /* `flags` as well: CORE_TASK_REVOKED, CORE_TASK_KILLED */
#define AMBIT_CHANGE_HELD 2u	 /* `held` as well, by the whole task and its family */
#define AMBIT_CHANGE_POLICY 3u	 /* another one */
#define AMBIT_CHANGE_DEADLINE 4u /* another one; not of a task that is over */
#define AMBIT_TASK_UNKNOWN 1
#define AMBIT_TASK_OVER 2
struct ambit_task_change {
	__u32 slot;
	__u32 what;
	__u32 policy;
	__u32 flags;
	__u64 expires_boot_ns;
	struct core_mask held;
};

/* members: thread id -> task; what user space lists, and what tells an undecided
 * member from an outsider when task storage is busy.
 */
struct ambit_member {
	__u32 slot;
	__u32 pid;
};

/* about: stands beside programs that are pinned. `abi_version` to `generation` are at the same
 * place in every version: by them a daemon tells whether it may go on with what another one left. A
 * new AMBIT_ABI_VERSION is wanted for every change of what stands in maps that survive, also where
 * their sizes stay as they are.
 */
struct ambit_about {
	__u32 abi_version;
	__u32 backend;
	__u64 layout; /* of the maps and of .bss, by their names, types and sizes */
	__u64 generation;
	/* What user space counts on with: */
	__u64 seq;
	__u64 findings;
	__u64 last_number; /* of a slot, a policy or a space */
	__u64 told_ns;	   /* when losses were told last, by the wall clock */
	__u64 reported[AMBIT_LOSS_SLOTS];
};

/* known_inodes: (inode, device, 0) -> the space that knows it, or this */
#define AMBIT_SEVERAL_SPACES 0xffffffffu
/* guarded_ids: kernel objects of Ambit's own that bpf() could name by their number */
#define AMBIT_ID_MAP 1u
#define AMBIT_ID_PROGRAM 2u
#define AMBIT_ID_LINK 3u
struct ambit_guarded_id {
	__u32 kind;
	__u32 id;
};

#endif
