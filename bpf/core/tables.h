/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Keys and values of the tables (words.h: AMBIT_TABLES). They are the ABI of the
 * maps, and the in-memory tables of user space hold the same bytes.
 */
#ifndef AMBIT_CORE_TABLES_H
#define AMBIT_CORE_TABLES_H

#include "bpf/core/types.h"

/* tasks: slot -> what changes during a task's life */
#define CORE_TASK_REVOKED 1u   /* ended: no credential, no network, no new process */
#define CORE_TASK_KILLED 2u    /* kill-task: every process dies at its next hook */
#define CORE_TASK_MAPS_MORE 8u /* a mapping of it was not noted: what is written, all hold */
struct core_task {
	__u32 policy;
	__u32 flags;
	__u64 expires_boot_ns; /* 0: never */
	struct core_mask held; /* by the whole task (holding: task), and by all of a family */
	__u32 family;	       /* of a task that was delegated: the first of its chain; else 0 */
	__u32 reserved;
};

/* policies: number -> what a scope says */
#define CORE_POLICY_SHADOW 1
#define CORE_POLICY_NETWORK_BOUND 2
#define CORE_POLICY_EXEC_BOUND 4
struct core_policy {
	__u8 flags;
	__u8 response_credential;
	__u8 response_network;
	__u8 response_exec;
	__u32 credential_space; /* the space in which credential files are recognised */
	__u32 program_space;	/* the space of this policy's programs and Unix sockets */
	__u32 privileges;	/* granted: 1 << enum core_privilege */
	struct core_mask inside;
	struct core_mask restricted; /* use is bound to destinations */
	struct core_mask readers;    /* only named programs may read */
	struct core_mask hold_process;
	struct core_mask hold_task;
};

/* policy_credentials: which bit a catalogue number has in a policy */
struct core_credential_key {
	__u32 policy;
	__u32 credential;
};
struct core_credential_bit {
	__u32 bit;
};

/* A component with one `*`: how many leading and trailing bytes count. */
#define CORE_MAX_SHAPES 16
#define CORE_SHAPE_WHOLE 0xff /* prefix: the whole name counts */
struct core_shape {
	__u8 level;
	__u8 prefix;
	__u8 suffix;
	__u8 reserved;
};

#define CORE_RULE_SUBTREE 1 /* of an anchor: everything below it */
#define CORE_RULE_EXCLUDE 2 /* with CORE_RULE_PROGRAM: it is none */
#define CORE_RULE_PROGRAM 4
#define CORE_RULE_UNIX 8
#define CORE_RULE_MASK_OUT 16  /* the mask says what is out of others' masks */
#define CORE_RULE_NAMED 32     /* of inner names: a pattern ends with a name directly below */
#define CORE_RANK_OUT 0xffff   /* of no rule */
#define CORE_RANK_INODE 0xfffe /* a file that is known by its inode */
#define CORE_MAX_MATCHES 4
struct core_rule {
	__u16 rank;
	__u8 flags;
	__u8 count;
	__u8 out_count;
	__u8 reserved[3];
	__u16 credential[2 * CORE_MAX_MATCHES]; /* `count` that it is, `out_count` that it is not */
	struct core_mask mask;
};

/* spaces: what holds for a whole space of paths */
struct core_space {
	__u32 shape_count;
	struct core_shape shapes[CORE_MAX_SHAPES]; /* of patterns that hold anywhere */
};

/* inodes, anchors */
struct core_inode_key {
	__u64 ino;
	__u32 dev; /* the kernel's encoding: major << 20 | minor */
	__u32 space;
};
/* What stands in the space of the guard, by the flags of its rule: no pattern leads there. */
#define CORE_SPACE_GUARD 0u
#define CORE_GUARD_EVENTS 1  /* the event file */
#define CORE_GUARD_MONITOR 2 /* another file of the monitor's */
#define CORE_GUARD_WAY 4     /* a directory on the way to the event file */
#define CORE_MAX_DEPTH 16
struct core_anchor {
	__u32 id;
	__u8 max_depth;
	__u8 shape_count;
	__u16 reserved;
	struct core_shape shapes[CORE_MAX_SHAPES];
	struct core_rule rule;
};

/* names: (space, anchor, hash of the names below it) -> rule. Each beginning of a pattern that goes
 * on has an entry as well (core_hash_inner), so that a walk ends where no pattern does go on.
 */
#define CORE_ANCHOR_ANYWHERE 0u
#define CORE_ANCHOR_ABSTRACT 0xffffffffu
struct core_name_key {
	__u32 space;
	__u32 anchor;
	__u64 hash;
};

/* prefixes (LPM): address -> set of ports */
#define CORE_PREFIX_POLICY_BITS 32
struct core_prefix_key {
	__u32 prefixlen;
	__u32 policy;
	__u8 address[16]; /* IPv4 as ::ffff:a.b.c.d */
};
struct core_prefix {
	__u32 set;
};

/* ports (LPM): (set, protocol, port) -> who may go there */
#define CORE_PORT_FIXED_BITS 40
#define CORE_PORT_NETWORK 1
#define CORE_PORT_ALWAYS 2
struct core_port_key {
	__u32 prefixlen;
	__u32 set;
	__u8 protocol;
	__u8 port[2]; /* big endian, so that leading bits are a prefix */
	__u8 reserved;
};
struct core_port {
	__u8 flags;
	__u8 endpoint_count;
	__u16 endpoint[2];
	__u16 reserved;
	struct core_mask allowed;
};

/* listeners: where to find the socket by which a task listens on a port; what it covers is asked of
 * the socket itself
 */
#define CORE_LISTENER_PORT 0
#define CORE_LISTENER_CLIENT 1 /* portable: the near end of a connection that a task made */
struct core_listener_key {
	__u32 netns;
	__u16 port; /* host order */
	__u8 protocol;
	__u8 kind;
	__u8 address[16]; /* as bound; IPv4 as ::ffff:a.b.c.d */
};
struct core_listener {
	__u32 slot;
	__u16 peer_port; /* of a client: where it is connected to */
	__u16 reserved;
	__u64 sock; /* of a port: its address; own_sockets knows it while it is there */
};

/* A process of a task; kept in the task storage of each thread, where the
 * leader's copy counts for what the process holds. Its size is frozen: pinned
 * storage outlives the program that made it (KERNEL-FACTS).
 */
#define CORE_PROCESS_EXEC_REPORTED 1u
#define CORE_PROCESS_UNLISTED 2u      /* the table of members was full: it ends at its next hook */
#define CORE_PROCESS_SHARES 4u	      /* its memory is another process's as well */
#define CORE_SLOT_MONITOR 0xffffffffu /* a process of Ambit's own: in no task, and guarded */
struct core_process {
	__u32 slot; /* 0: in no task */
	__u32 flags;
	struct core_mask held;
	struct core_mask readers;	  /* what the running program may read */
	struct core_mask pending_readers; /* the same for the program being executed */
	__u64 pending_verdict;		  /* reason and response of an exec that goes on */
	__u64 reserved[4];
};
CORE_ASSERT(sizeof(struct core_process) == 144, "frozen");

#endif
