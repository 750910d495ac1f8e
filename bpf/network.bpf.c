// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* The network on the lsm and fmod_ret backends: sockets made, connected, sent on, received on. */
#include "bpf/lib/reach.bpf.h"

char _license[] __weak SEC("license") = "GPL";

#define MAY_WRITE 2
#define MSG_FASTOPEN 0x20000000u

/* The address that a process names; 0 when it names one that decides something. */
static __always_inline int take_sockaddr(struct ambit_address *to, struct sock *sk,
					 const void *address, int length)
{
	struct core_listener_key bound = {};
	__u16 family = 0, port = 0;
	__u32 ipv4 = 0;

	if (length < 2 || bpf_probe_read_kernel(&family, 2, address))
		return -1;
	to->protocol = protocol_of(sk);
	to->can_deny = 1;
	/* AF_UNSPEC in a datagram's address means AF_INET (KERNEL-FACTS). */
	if (family == AF_UNSPEC)
		family =
			sk->__sk_common.skc_family == AF_INET6 && length >= 24 ? AF_INET6 : AF_INET;
	to->family = family;
	if (family == AF_INET && length >= 8) {
		bpf_probe_read_kernel(&port, 2, address + 2);
		bpf_probe_read_kernel(&ipv4, 4, address + 4);
		map_ipv4(to->address, ipv4 ? ipv4 : sk->__sk_common.skc_rcv_saddr);
	} else if (family == AF_INET6 && length >= 24) {
		bpf_probe_read_kernel(&port, 2, address + 2);
		bpf_probe_read_kernel(to->address, 16, address + 8);
		key_of_sock(&bound, sk);
		take_nowhere(to->address, sk->__sk_common.skc_rcv_saddr, is_ipv4(bound.address));
		take_ipv6(to->address);
	}
	to->port = bpf_ntohs(port);
	return 0;
}

static __always_inline int take_peer(struct ambit_address *to, struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	to->family = family;
	to->protocol = protocol_of(sk);
	to->can_deny = 1;
	to->port = bpf_ntohs(sk->__sk_common.skc_dport);
	if (family == AF_INET) {
		map_ipv4(to->address, sk->__sk_common.skc_daddr);
	} else if (family == AF_INET6) {
		BPF_CORE_READ_INTO(&to->address, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
		take_ipv6(to->address);
	}
	return to->port ? 0 : -1;
}

static __always_inline int reach_from(struct ambit_entry *entry, struct ambit_address *to,
				      struct sock *sk, __u32 quiet)
{
	struct ambit_own_socket *own;
	__u64 key = (__u64)sk;
	__u32 where = 0;
	int refused;

	if (is_inet(to->family) && is_own_port(to, entry->process->slot, netns_of(sk)))
		where = CORE_DESTINATION_OWN;
	own = bpf_map_lookup_elem(&own_sockets, &key);
	entry->scratch->told = own ? own->reported : 0;
	refused = reach(entry->scratch, to, where, quiet);
	if (own)
		own->reported = (__u16)entry->scratch->told;
	return refused;
}

#define IPPROTO_IPV6 41
#define IP_RETOPTS 7
#define IPV6_2292RTHDR 5
#define IPV6_RTHDR 57
#define AMBIT_MAX_CONTROL 16

/* The place to which packets go first when the socket has a source route; 0 when it has one. */
static __always_inline int take_hop(struct ambit_address *to, struct sock *sk)
{
	struct inet_sock *inet = (struct inet_sock *)sk;
	struct ip_options_rcu *options = BPF_CORE_READ(inet, inet_opt);
	unsigned char head[8] = {}; /* of a routing header: type, then the index of the first hop */
	__u32 at = 8;
	void *route;

	if (options && BPF_CORE_READ(options, opt.srr)) {
		to->family = AF_INET;
		map_ipv4(to->address, BPF_CORE_READ(options, opt.faddr));
		return 0;
	}
	if (sk->__sk_common.skc_family != AF_INET6)
		return -1;
	route = BPF_CORE_READ(inet, pinet6, opt, srcrt);
	if (!route || bpf_probe_read_kernel(head, sizeof(head), route))
		return -1;
	if (head[2] == 4 /* segment routing: the last entry comes first */)
		at += 16 * (__u32)head[4];
	to->family = AF_INET6;
	return bpf_probe_read_kernel(to->address, 16, route + at) ? -1 : 0;
}

struct ambit_control {
	__u64 at;
	__u64 length;
	__u32 route; /* the first hop, where it can be told */
	__u32 done;
};

#define IPOPT_LSRR 131
#define IPOPT_SSRR 137
#define AMBIT_SOME_HOP 0xffffffff

/* The first hop of IPv4 options: they begin with it, but for what fills up. */
static __always_inline __u32 hop_of_options(__u64 options)
{
	unsigned char bytes[12] = {};
	__u32 hop = AMBIT_SOME_HOP;

	if (bpf_probe_read_kernel(bytes, sizeof(bytes), (void *)options))
		return hop;
	for (int i = 4; i >= 0; i--)
		if (bytes[i] == IPOPT_LSRR || bytes[i] == IPOPT_SSRR)
			__builtin_memcpy(&hop, bytes + i + 3, 4);
	return hop;
}

static long control_step(__u32 index, void *context)
{
	struct ambit_control *control = context;
	struct {
		__u64 length;
		__u32 level;
		__u32 type;
	} head = {};
	__u64 size;

	control->done = 1;
	if (control->length < sizeof(head) ||
	    bpf_probe_read_kernel(&head, sizeof(head), (void *)control->at))
		return 1;
	if (!head.level && head.type == IP_RETOPTS) {
		control->route = hop_of_options(control->at + sizeof(head));
		return 1;
	}
	if (head.level == IPPROTO_IPV6 &&
	    (head.type == IPV6_RTHDR || head.type == IPV6_2292RTHDR)) {
		control->route = AMBIT_SOME_HOP;
		return 1;
	}
	size = (head.length + 7) & ~7ULL;
	if (head.length < sizeof(head) || size >= control->length)
		return 1;
	control->at += size;
	control->length -= size;
	control->done = 0;
	return 0;
}

/* The first hop of a source route that a message brings; 0 when it brings none. Too many headers to
 * look at are one.
 */
AMBIT_GLOBAL int route_of_message(__u64 at, __u64 length)
{
	struct ambit_control control = {.at = at, .length = length};

	if (!length)
		return 0;
	bpf_loop(AMBIT_MAX_CONTROL, control_step, &control, 0);
	return control.route || control.done ? control.route : AMBIT_SOME_HOP;
}

/* 1 when the first hop is refused: that of the message, or of the socket. */
static __always_inline int refuses_hop(struct ambit_entry *entry, const struct ambit_address *to,
				       struct sock *sk, __u32 route)
{
	struct ambit_address hop = *to;

	if (route) {
		hop.family = AF_INET;
		map_ipv4(hop.address, route);
	} else if (take_hop(&hop, sk)) {
		return 0;
	}
	return reach_from(entry, &hop, sk, AMBIT_QUIET);
}

#define NETLINK_USERSOCK 2

/* Families that are no way out of the task: netlink and AF_ALG speak to the kernel, Unix
 * sockets have their own hooks.
 */
static __always_inline int is_local_family(int family)
{
	return family == AF_UNIX || family == AF_NETLINK || family == 38 /* AF_ALG */;
}

static __always_inline int socket_create(int family, int type, int protocol, int kern)
{
	struct ambit_entry entry;
	struct ambit_address to = {.family = family, .protocol = 0, .can_deny = 1};
	int state;

	if (kern || is_inet(family))
		return 0;
	/* One protocol of netlink is from process to process. */
	if (is_local_family(family) && !(family == AF_NETLINK && protocol == NETLINK_USERSOCK))
		return 0;
	state = enter(&entry, AMBIT_HOOK_socket_create);
	if (state != AMBIT_DECIDE)
		return state;
	entry.scratch->told = 0;
	return reach(entry.scratch, &to, 0, 0);
}
AMBIT_DENY_HOOK(socket_create, socket_create, security_socket_create,
		(family, type, protocol, kern), int family, int type, int protocol, int kern)

static __always_inline void note_connected(struct sock *sk)
{
	__u64 address = (__u64)sk;
	struct ambit_own_socket *own = bpf_map_lookup_elem(&own_sockets, &address);

	if (own)
		doubt_connected(own);
}

static __always_inline int socket_connect(struct socket *sock, void *address, int length)
{
	struct sock *sk = sock->sk;
	struct ambit_address to = {};
	struct ambit_entry entry;
	__u16 family, named = 0;
	int state;

	if (!sk || surely_outsider())
		return 0;
	family = sk->__sk_common.skc_family;
	if (is_local_family(family))
		return 0;
	if (sk->sk_protocol == IPPROTO_UDP)
		note_connected(sk);
	bpf_probe_read_kernel(&named, 2, address);
	if (named == AF_UNSPEC && is_inet(family))
		return 0; /* disconnects */
	state = enter(&entry, AMBIT_HOOK_socket_connect);
	if (state != AMBIT_DECIDE)
		return state;
	if (take_sockaddr(&to, sk, address, length) < 0)
		return 0; /* too short for the kernel too */
	if (is_inet(family) && refuses_hop(&entry, &to, sk, 0))
		return 1;
	return reach_from(&entry, &to, sk, 0);
}
AMBIT_DENY_HOOK(socket_connect, socket_connect, security_socket_connect, (sock, address, length),
		struct socket *sock, void *address, int length)

/* SCTP names addresses in options as well (connectx), and the kernel asks for each. */
static __always_inline int sctp_connect(struct sock *sk, void *address, int length)
{
	struct ambit_address to = {};
	struct ambit_entry entry;
	int state = enter(&entry, AMBIT_HOOK_sctp_connect);

	if (state != AMBIT_DECIDE)
		return state;
	if (take_sockaddr(&to, sk, address, length) < 0)
		return 0;
	return reach_from(&entry, &to, sk, 0);
}

AMBIT_DENY_HOOK(sctp_connect, sctp_bind_connect, security_sctp_bind_connect, (sk, address, length),
		struct sock *sk, int optname, void *address, int length)

/* An interface of the process's own takes and gives packets by read and write: no socket hook sees
 * them.
 */
static __always_inline int own_interface(__u32 hook)
{
	struct ambit_entry entry;
	struct ambit_address to = {.family = AMBIT_FAMILY_TUN, .can_deny = 1};
	int state = enter(&entry, hook);

	if (state != AMBIT_DECIDE)
		return state;
	entry.scratch->told = 0;
	return reach(entry.scratch, &to, 0, 0);
}

static __always_inline int tun_create(void)
{
	return own_interface(AMBIT_HOOK_tun_create);
}

static __always_inline int tun_open(void)
{
	return own_interface(AMBIT_HOOK_tun_open);
}

SEC("lsm/tun_dev_create")
int BPF_PROG(lsm_tun_create, int ret)
{
	return ret ? ret : tun_create() ? -EPERM : 0;
}

SEC("fmod_ret/security_tun_dev_create")
int BPF_PROG(fmod_tun_create, int ret)
{
	return ret ? ret : tun_create() ? -EPERM : 0;
}
AMBIT_DENY_HOOK(tun_open, tun_dev_open, security_tun_dev_open, (), void *security)

/* A connection that was accepted answers whoever came: it is bound by what is held, and by
 * time, and not by the network section. Loopback peers that came in are let be.
 */
static __always_inline int is_accepted(struct sock *sk, __u32 slot)
{
	struct core_listener_key key = {};
	__u64 address = (__u64)sk;

	if (bpf_map_lookup_elem(&own_sockets, &address))
		return 0;
	key.netns = netns_of(sk);
	key.port = sk->__sk_common.skc_num;
	key.protocol = protocol_of(sk);
	key_of_sock(&key, sk);
	return who_listens(&key, 0) == (int)slot;
}

/* To whom the socket is connected, by the route that the message brings. */
static __always_inline int send_to_peer(struct ambit_entry *entry, struct sock *sk, __u32 route)
{
	__u16 family = sk->__sk_common.skc_family;
	struct ambit_address to = {};

	if (take_peer(&to, sk) < 0 && is_inet(family))
		return 0; /* no peer: the kernel says so itself */
	if (is_inet(family) && is_accepted(sk, entry->process->slot)) {
		if (is_loopback(to.address))
			return core_expired(&entry->scratch->subject)
				       ? reach(entry->scratch, &to, 0, AMBIT_QUIET)
				       : 0;
		entry->scratch->subject.policy.flags &= ~CORE_POLICY_NETWORK_BOUND;
	}
	if (is_inet(family) && refuses_hop(entry, &to, sk, route))
		return 1;
	return reach_from(entry, &to, sk, AMBIT_QUIET);
}

/* Every byte that is sent, on sockets that were connected before as well. */
static __always_inline int socket_sendmsg(struct socket *sock, struct msghdr *msg)
{
	struct sock *sk = sock->sk;
	int length = msg->msg_namelen, state, named;
	__u32 route = 0;
	void *name = msg->msg_name;
	struct ambit_address to = {};
	struct ambit_entry entry;
	__u16 family;

	if (!sk || surely_outsider())
		return 0;
	family = sk->__sk_common.skc_family;
	if (is_local_family(family))
		return 0;
	state = enter(&entry, AMBIT_HOOK_socket_sendmsg);
	if (state != AMBIT_DECIDE)
		return state;
	if (is_inet(family))
		route = route_of_message(ADDRESS_OF(msg->msg_control), msg->msg_controllen);
	/* A connected stream ignores the name, unless this send is what connects it. */
	named = name && length >= 2 &&
		(sk->sk_type != SOCK_STREAM || (msg->msg_flags & MSG_FASTOPEN) ||
		 sk->sk_protocol == 132 /* SCTP */);
	if (!named)
		return send_to_peer(&entry, sk, route);
	if (take_sockaddr(&to, sk, name, length) < 0)
		return 0;
	if (is_inet(family) && refuses_hop(&entry, &to, sk, route))
		return 1;
	return reach_from(&entry, &to, sk, 0);
}
AMBIT_DENY_HOOK(socket_sendmsg, socket_sendmsg, security_socket_sendmsg, (sock, msg),
		struct socket *sock, struct msghdr *msg, int size)

/* Before 6.5, sendfile and splice into a socket pass no socket hook; this one they do. */
static __always_inline int socket_splice(struct file *file, int mask)
{
	struct ambit_entry entry;
	struct socket *sock;
	struct sock *sk;
	int state;

	if (!(mask & MAY_WRITE) || surely_outsider() ||
	    (file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return 0;
	sock = bpf_sock_from_file(file);
	if (!sock)
		return 0;
	sk = sock->sk;
	if (!sk || is_local_family(sk->__sk_common.skc_family))
		return 0;
	state = enter(&entry, AMBIT_HOOK_socket_splice);
	return state == AMBIT_DECIDE ? send_to_peer(&entry, sk, 0) : state;
}
AMBIT_DENY_HOOK(socket_splice, file_permission, security_file_permission, (file, mask),
		struct file *file, int mask)

/* Receiving ends with the scope. */
static __always_inline int socket_recvmsg(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct core_process *process;
	struct ambit_address to = {};
	struct ambit_entry entry;
	struct core_task *task;
	__u32 slot;

	if (current_membership(&process) != AMBIT_MEMBER || !process)
		return 0;
	slot = process->slot;
	task = bpf_map_lookup_elem(&tasks, &slot);
	if (!task || !sk || is_local_family(sk->__sk_common.skc_family))
		return 0;
	if (!(task->flags & (CORE_TASK_REVOKED | CORE_TASK_KILLED)) &&
	    (!task->expires_boot_ns || bpf_ktime_get_boot_ns() < task->expires_boot_ns))
		return 0;
	if (enter(&entry, AMBIT_HOOK_socket_recvmsg) != AMBIT_DECIDE)
		return 1;
	take_peer(&to, sk);
	return reach_from(&entry, &to, sk, AMBIT_QUIET);
}
AMBIT_DENY_HOOK(socket_recvmsg, socket_recvmsg, security_socket_recvmsg, (sock),
		struct socket *sock, struct msghdr *msg, int size, int flags)
