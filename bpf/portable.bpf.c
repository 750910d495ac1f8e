// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* The network where no LSM or trampoline program can be had: cgroup hooks decide who is
 * reached, sk_msg what is sent on a connected TCP socket, the egress hook the rest. They
 * need task storage in cgroup programs, which 6.18 has and 6.12 has not (KERNEL-FACTS).
 */
#include "bpf/lib/reach.bpf.h"

char _license[] __weak SEC("license") = "GPL";

#define CG_ALLOW 1
#define CG_DENY 0
#define TCP_CLOSE 7

/* Sockets of tasks with an established TCP connection, by cookie. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u64);
} connections SEC(".maps");

/* Sockets that tasks made. In the socket itself: a table that forgets would let go of what is sent
 * on a socket that enough others followed. A connection that comes in has its listener's.
 */
struct ambit_socket {
	__u32 slot;
	__u16 port;	  /* of its own, in `listeners` */
	__u16 reported;	  /* the reason for which its use was alerted already */
	__u8 protocol;	  /* of the port */
	__u8 accepted;	  /* it came in to a listener of the task */
	__u8 unjudged;	  /* sk_msg does not see it: `connections` was full */
	__u8 kind;	  /* of the port's key */
	__u8 address[16]; /* of the port, as `listeners` has it */
};
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct ambit_socket);
} task_sockets SEC(".maps");

/* What was alerted for a socket: sk_msg programs cannot ask for a socket's cookie. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} told_sockets SEC(".maps");

/* Makes the port in `key` the task's own, for as long as the socket is there. */
static __always_inline void own_port(struct ambit_socket *own, const struct core_listener_key *key,
				     const struct core_listener *value)
{
	if (bpf_map_update_elem(&listeners, key, value, BPF_ANY)) {
		count_loss(AMBIT_RING_findings, AMBIT_LOSS_map_full);
		return;
	}
	__builtin_memcpy(own->address, key->address, sizeof(own->address));
	own->port = key->port;
	own->protocol = key->protocol;
	own->kind = key->kind;
}

/* A UDP port of the task, named or chosen by the kernel, from the first moment that it is seen. */
static __always_inline void own_udp_port(struct bpf_sock *sk, struct ambit_socket *own, __u32 netns,
					 __u32 family)
{
	struct core_listener_key key = {.netns = netns, .protocol = IPPROTO_UDP};
	struct core_listener value = {.slot = own->slot, .sock = (__u64)sk};
	__u32 *word = (__u32 *)key.address;

	if (own->port || sk->type != SOCK_DGRAM || sk->protocol != IPPROTO_UDP || !sk->src_port)
		return;
	key.port = (__u16)sk->src_port;
	if (family == AF_INET) {
		key_ipv4(&key, sk->src_ip4);
	} else {
		word[0] = sk->src_ip6[0];
		word[1] = sk->src_ip6[1];
		word[2] = sk->src_ip6[2];
		word[3] = sk->src_ip6[3];
	}
	own_port(own, &key, &value);
}

#define AMBIT_SEND 0x100u /* beside `where`: a send on a connection, not a new one */

static __always_inline int reach_telling(struct ambit_entry *entry, struct bpf_sock *sk,
					 struct ambit_address *to, __u32 where)
{
	__u64 *told =
		sk ? bpf_sk_storage_get(&told_sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE) : 0;
	int refused;

	entry->scratch->told = told ? *told : 0;
	refused = reach(entry->scratch, to, where & ~AMBIT_SEND,
			where & AMBIT_SEND ? AMBIT_QUIET : 0);
	if (told)
		*told = entry->scratch->told;
	return refused;
}

static __always_inline void note_connected(__u64 sock)
{
	struct ambit_own_socket *own = bpf_map_lookup_elem(&own_sockets, &sock);

	if (own)
		doubt_connected(own);
}

static __always_inline int reach_address(struct bpf_sock_addr *ctx, struct ambit_address *to,
					 __u32 hook)
{
	struct ambit_entry entry;
	struct ambit_socket *own;
	struct bpf_sock *sk = ctx->sk;
	int state = enter(&entry, hook);
	__u32 where = 0;

	if (state != AMBIT_DECIDE)
		return state == AMBIT_PASS ? CG_ALLOW : CG_DENY;
	own = sk ? bpf_sk_storage_get(&task_sockets, sk, 0, 0) : 0;
	if (own) {
		own_udp_port(sk, own, (__u32)bpf_get_netns_cookie(ctx), sk->family);
		if (hook == AMBIT_HOOK_cgroup_connect && ctx->protocol == IPPROTO_UDP)
			note_connected((__u64)sk);
	}
	to->port = bpf_ntohs((__u16)ctx->user_port);
	to->protocol = ctx->protocol == IPPROTO_MPTCP ? IPPROTO_TCP : (__u8)ctx->protocol;
	to->can_deny = 1;
	if (is_own_port(to, entry.process->slot, (__u32)bpf_get_netns_cookie(ctx)))
		where = CORE_DESTINATION_OWN;
	return reach_telling(&entry, sk, to, where) ? CG_DENY : CG_ALLOW;
}

static __always_inline int reach_ipv4(struct bpf_sock_addr *ctx, __u32 hook)
{
	struct ambit_address to = {.family = AF_INET};
	struct bpf_sock *sk = ctx->sk;
	__u32 ipv4 = ctx->user_ip4;

	if (!ipv4 && sk)
		ipv4 = sk->src_ip4;
	map_ipv4(to.address, ipv4);
	return reach_address(ctx, &to, hook);
}

static __always_inline int reach_ipv6(struct bpf_sock_addr *ctx, __u32 hook)
{
	struct ambit_address to = {.family = AF_INET6};
	__u32 *word = (__u32 *)to.address;
	struct bpf_sock *sk = ctx->sk;

	word[0] = ctx->user_ip6[0];
	word[1] = ctx->user_ip6[1];
	word[2] = ctx->user_ip6[2];
	word[3] = ctx->user_ip6[3];
	if (sk)
		take_nowhere(to.address, sk->src_ip4, sk->src_ip6[2] == bpf_htonl(0xffff));
	take_ipv6(to.address);
	return reach_address(ctx, &to, hook);
}

SEC("cgroup/connect4")
int cgroup_connect4(struct bpf_sock_addr *ctx)
{
	return reach_ipv4(ctx, AMBIT_HOOK_cgroup_connect);
}

SEC("cgroup/connect6")
int cgroup_connect6(struct bpf_sock_addr *ctx)
{
	return reach_ipv6(ctx, AMBIT_HOOK_cgroup_connect);
}

SEC("cgroup/sendmsg4")
int cgroup_sendmsg4(struct bpf_sock_addr *ctx)
{
	return reach_ipv4(ctx, AMBIT_HOOK_cgroup_sendmsg);
}

SEC("cgroup/sendmsg6")
int cgroup_sendmsg6(struct bpf_sock_addr *ctx)
{
	return reach_ipv6(ctx, AMBIT_HOOK_cgroup_sendmsg);
}

SEC("cgroup/sock_create")
int cgroup_sock_create(struct bpf_sock *ctx)
{
	struct ambit_own_socket known = {};
	struct core_process *process;
	struct ambit_socket *own;
	__u64 sock = (__u64)ctx;

	if (current_membership(&process) == AMBIT_OUTSIDER)
		return CG_ALLOW;
	count_hit(AMBIT_HOOK_cgroup_sock_create);
	if (!process)
		return CG_DENY;
	own = bpf_sk_storage_get(&task_sockets, ctx, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!own) {
		count_loss(AMBIT_RING_findings, AMBIT_LOSS_storage_failed);
		return CG_DENY;
	}
	own->slot = process->slot;
	known.slot = process->slot;
	bpf_map_update_elem(&own_sockets, &sock, &known, BPF_ANY);
	return CG_ALLOW;
}

SEC("cgroup/sock_release")
int cgroup_sock_release(struct bpf_sock *ctx)
{
	struct ambit_socket *own = bpf_sk_storage_get(&task_sockets, ctx, 0, 0);
	struct core_listener_key key = {};
	struct core_listener *listener;
	__u64 sock = (__u64)ctx;
	__u32 owner;

	if (!own)
		return CG_ALLOW;
	bpf_map_delete_elem(&own_sockets, &sock);
	if (!own->port)
		return CG_ALLOW;
	owner = own->slot;
	key.kind = own->kind;
	key.port = own->port;
	__builtin_memcpy(key.address, own->address, sizeof(key.address));
	key.netns = (__u32)bpf_get_netns_cookie(ctx);
	key.protocol = own->protocol;
	listener = bpf_map_lookup_elem(&listeners, &key);
	if (listener && listener->slot == owner)
		bpf_map_delete_elem(&listeners, &key);
	return CG_ALLOW;
}

/* The verifier lets each of the two read its own family's address alone. */
static __always_inline int on_bind(struct bpf_sock *ctx, __u32 family)
{
	struct ambit_socket *own = bpf_sk_storage_get(&task_sockets, ctx, 0, 0);

	if (!own)
		return CG_ALLOW;
	count_hit(AMBIT_HOOK_cgroup_post_bind);
	own_udp_port(ctx, own, (__u32)bpf_get_netns_cookie(ctx), family);
	return CG_ALLOW;
}

SEC("cgroup/post_bind4")
int cgroup_post_bind4(struct bpf_sock *ctx)
{
	return on_bind(ctx, AF_INET);
}

SEC("cgroup/post_bind6")
int cgroup_post_bind6(struct bpf_sock *ctx)
{
	return on_bind(ctx, AF_INET6);
}

#define AMBIT_PAGE 4096

SEC("cgroup/setsockopt")
int cgroup_setsockopt(struct bpf_sockopt *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct ambit_own_socket *own;
	__u64 sock = (__u64)sk, address = 0;

	/* Of longer values the kernel hands over a part alone, and wants to be told. */
	if (ctx->optlen > AMBIT_PAGE)
		ctx->optlen = 0;
	if (!sk || surely_outsider())
		return CG_ALLOW;
	/* The verifier would not let the address of a socket be counted with: read, it is a number.
	 */
	bpf_probe_read_kernel(&address, sizeof(address), &sock);
	sock = (__u64)holder_of_port((struct sock *)address);
	own = bpf_map_lookup_elem(&own_sockets, &sock);
	if (!own)
		return CG_ALLOW;
	count_hit(AMBIT_HOOK_cgroup_setsockopt);
	if (sk->src_port && shares_port(ctx->level, ctx->optname, (__u16)sk->protocol))
		own->doubt |= AMBIT_DOUBT_SHARED;
	return CG_ALLOW;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(set_state, struct sock *sk, int old_state, int new_state)
{
	struct core_listener_key key = {};
	struct core_listener value = {.sock = (__u64)sk}, *known;
	struct ambit_own_socket own = {};
	struct core_process *process;

	if (BPF_CORE_READ(sk, sk_protocol) == IPPROTO_MPTCP)
		return 0; /* the socket of TCP behind it follows */
	/* A connection that comes in is cloned from its listener: LISTEN to SYN_RECV is its own. */
	if (new_state != TCP_LISTEN && (old_state != TCP_LISTEN || new_state != TCP_CLOSE))
		return 0;
	key.netns = (__u32)BPF_CORE_READ(sk, __sk_common.skc_net.net, net_cookie);
	key.port = BPF_CORE_READ(sk, __sk_common.skc_num);
	key.protocol = IPPROTO_TCP;
	key_of_sock(&key, sk);
	if (old_state == TCP_LISTEN) {
		if (!key.port)
			key.port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
		known = bpf_map_lookup_elem(&listeners, &key);
		if (known && known->sock == value.sock) {
			bpf_map_delete_elem(&own_sockets, &value.sock);
			bpf_map_delete_elem(&listeners, &key);
		}
		return 0;
	}
	if (!key.port || current_membership(&process) != AMBIT_MEMBER || !process)
		return 0;
	count_hit(AMBIT_HOOK_set_state);
	value.slot = process->slot;
	own.slot = process->slot;
	/* Without doubt: listen() asks once more whether the port is free. */
	bpf_map_update_elem(&own_sockets, &value.sock, &own, BPF_ANY);
	if (bpf_map_update_elem(&listeners, &key, &value, BPF_ANY))
		count_loss(AMBIT_RING_findings, AMBIT_LOSS_map_full);
	return 0;
}

static __always_inline void key_of_connection(struct core_listener_key *key,
					      struct bpf_sock_ops *ctx)
{
	__u32 *word = (__u32 *)key->address;

	key->protocol = IPPROTO_TCP;
	key->netns = (__u32)bpf_get_netns_cookie(ctx);
	key->port = (__u16)ctx->local_port;
	if (ctx->family == AF_INET) {
		key_ipv4(key, ctx->local_ip4);
		return;
	}
	word[0] = ctx->local_ip6[0];
	word[1] = ctx->local_ip6[1];
	word[2] = ctx->local_ip6[2];
	word[3] = ctx->local_ip6[3];
}

/* A connection that came in belongs to the task that listens there. */
static __always_inline struct ambit_socket *take_in(struct bpf_sock_ops *ctx, struct bpf_sock *sk)
{
	struct ambit_socket *own = bpf_sk_storage_get(&task_sockets, sk, 0, 0);
	struct core_listener_key key = {};
	__u32 slot;

	if (own) {
		own->accepted = 1;
		return own;
	}
	/* MPTCP listens by a socket of the kernel's. */
	key_of_connection(&key, ctx);
	slot = (__u32)who_listens(&key, 0);
	if (!slot)
		return 0;
	own = bpf_sk_storage_get(&task_sockets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (!own)
		return 0;
	own->slot = slot;
	own->accepted = 1;
	return own;
}

/* The task's server must know its own client, whose port the kernel has chosen. */
static __always_inline struct ambit_socket *set_out(struct bpf_sock_ops *ctx, struct bpf_sock *sk)
{
	struct ambit_socket *own = bpf_sk_storage_get(&task_sockets, sk, 0, 0);
	struct core_listener_key key = {.kind = CORE_LISTENER_CLIENT};
	struct core_listener value = {};

	if (!own || own->port)
		return own;
	key_of_connection(&key, ctx);
	value.slot = own->slot;
	value.peer_port = (__u16)bpf_ntohl(ctx->remote_port);
	if (!bpf_map_lookup_elem(&listeners, &key))
		own_port(own, &key, &value);
	return own;
}

/* An established connection of a task joins the map whose sends sk_msg judges. */
SEC("sockops")
int sockops_established(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct ambit_socket *own;
	__u64 cookie;

	if (!sk)
		return 1;
	if (ctx->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
		own = set_out(ctx, sk);
	else if (ctx->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		own = take_in(ctx, sk);
	else
		return 1;
	if (!own)
		return 1;
	count_hit(AMBIT_HOOK_sockops);
	cookie = bpf_get_socket_cookie(ctx);
	if (bpf_sock_hash_update(ctx, &connections, &cookie, BPF_ANY)) {
		count_loss(AMBIT_RING_findings, AMBIT_LOSS_map_full);
		own->unjudged = 1;
	}
	return 1;
}

/* Whether the other end of a connection that came in is the task's as well. */
static __always_inline int is_own_client(struct sk_msg_md *ctx, const struct ambit_address *to,
					 __u32 slot)
{
	struct core_listener_key key = {.kind = CORE_LISTENER_CLIENT,
					.netns = (__u32)bpf_get_netns_cookie(ctx),
					.port = to->port,
					.protocol = IPPROTO_TCP};
	struct core_listener *client;

	if (!is_loopback(to->address))
		return 0;
	__builtin_memcpy(key.address, to->address, sizeof(key.address));
	client = bpf_map_lookup_elem(&listeners, &key);
	return client && client->slot == slot && client->peer_port == (__u16)ctx->local_port;
}

/* What was opened since the connection was made counts as well; EACCES, and nothing leaves. A
 * connection that came in answers whoever came: it is bound by what is held, and by time, and not
 * by the network section.
 */
SEC("sk_msg")
int sk_msg_verdict(struct sk_msg_md *ctx)
{
	struct ambit_address to = {.protocol = IPPROTO_TCP, .can_deny = 1};
	struct ambit_entry entry;
	struct ambit_socket *own;
	struct bpf_sock *sk = ctx->sk;
	__u32 *word = (__u32 *)to.address, where = 0;
	int state = enter(&entry, AMBIT_HOOK_sk_msg);

	if (state != AMBIT_DECIDE)
		return state == AMBIT_PASS ? SK_PASS : SK_DROP;
	to.family = ctx->family;
	to.port = bpf_ntohl(ctx->remote_port);
	if (to.family == AF_INET) {
		map_ipv4(to.address, ctx->remote_ip4);
	} else {
		word[0] = ctx->remote_ip6[0];
		word[1] = ctx->remote_ip6[1];
		word[2] = ctx->remote_ip6[2];
		word[3] = ctx->remote_ip6[3];
		take_ipv6(to.address);
	}
	own = sk ? bpf_sk_storage_get(&task_sockets, sk, 0, 0) : 0;
	if (own && own->accepted) {
		entry.scratch->subject.policy.flags &= ~CORE_POLICY_NETWORK_BOUND;
		if (is_own_client(ctx, &to, entry.process->slot))
			where = CORE_DESTINATION_OWN;
	} else if (is_own_port(&to, entry.process->slot, (__u32)bpf_get_netns_cookie(ctx))) {
		where = CORE_DESTINATION_OWN;
	}
	return reach_telling(&entry, sk, &to, where | AMBIT_SEND) ? SK_DROP : SK_PASS;
}

/* The address, protocol and port of an outgoing packet; < 0 when it is none of IP. */
static __always_inline int take_packet(struct __sk_buff *skb, struct ambit_address *to)
{
	__u8 version = 0, next = 0;
	__u16 port = 0;
	__u32 ipv4 = 0, at = 40;

	if (bpf_skb_load_bytes(skb, 0, &version, 1))
		return -1;
	to->can_deny = 1;
	if (version >> 4 == 4) {
		at = (version & 15) * 4;
		to->family = AF_INET;
		if (bpf_skb_load_bytes(skb, 9, &next, 1) || bpf_skb_load_bytes(skb, 16, &ipv4, 4))
			return -1;
		map_ipv4(to->address, ipv4);
	} else {
		to->family = AF_INET6;
		if (bpf_skb_load_bytes(skb, 6, &next, 1) ||
		    bpf_skb_load_bytes(skb, 24, to->address, 16))
			return -1;
		take_ipv6(to->address);
	}
	to->protocol = next;
	if (next == IPPROTO_TCP || next == IPPROTO_UDP || next == 136 || next == 132 ||
	    next == 33) {
		bpf_skb_load_bytes(skb, at + 2, &port, 2);
		to->port = bpf_ntohs(port);
	}
	return 0;
}

/* Packets of a task's sockets: none after its end, and, but for TCP that sk_msg judges, none to
 * where it may not go (raw sockets, connected UDP). A packet may be sent on behalf of another
 * process here, so that only a member's own context decides by what is held.
 */
SEC("cgroup_skb/egress")
int cgroup_egress(struct __sk_buff *skb)
{
	struct ambit_address to = {};
	struct ambit_entry entry;
	struct bpf_sock *sk = skb->sk;
	struct ambit_socket *own;
	__u32 owner, where = 0;
	struct core_task *task;
	int state, unjudged;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	own = sk ? bpf_sk_storage_get(&task_sockets, sk, 0, 0) : 0;
	if (!own)
		return CG_ALLOW;
	owner = own->slot;
	task = bpf_map_lookup_elem(&tasks, &owner);
	if (!task)
		return CG_ALLOW;
	if ((task->flags & (CORE_TASK_REVOKED | CORE_TASK_KILLED)) ||
	    (task->expires_boot_ns && bpf_ktime_get_boot_ns() >= task->expires_boot_ns)) {
		struct core_policy *policy;
		__u32 number = task->policy;

		policy = bpf_map_lookup_elem(&policies, &number);
		if (policy && !(policy->flags & CORE_POLICY_SHADOW) &&
		    policy->response_network > CORE_RESPONSE_alert)
			return CG_DENY;
	}
	own_udp_port(sk, own, (__u32)bpf_get_netns_cookie(skb), sk->family);
	/* Raw sockets write what they like, TCP as well. */
	unjudged = own->unjudged || sk->type == SOCK_RAW;
	if (take_packet(skb, &to) || (to.protocol == IPPROTO_TCP && !unjudged))
		return CG_ALLOW;
	state = enter(&entry, AMBIT_HOOK_cgroup_egress);
	if (state == AMBIT_PASS)
		return CG_ALLOW;
	if (state != AMBIT_DECIDE)
		return CG_DENY;
	if (is_own_port(&to, entry.process->slot, (__u32)bpf_get_netns_cookie(skb)))
		where = CORE_DESTINATION_OWN;
	entry.scratch->told = own->reported;
	state = reach(entry.scratch, &to, where, AMBIT_QUIET);
	own->reported = (__u16)entry.scratch->told;
	return state ? CG_DENY : CG_ALLOW;
}
