// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Which sockets and ports are a task's own (lsm, fmod_ret): noted when made, forgotten when freed.
 */
#include "bpf/lib/carry.bpf.h"
#include "bpf/lib/reach.bpf.h"

char _license[] __weak SEC("license") = "GPL";

static __always_inline int socket_post_create(struct socket *sock, int kern)
{
	struct core_process *process;
	__u64 sk = (__u64)sock->sk;
	struct ambit_own_socket own = {};

	if (kern || current_membership(&process) != AMBIT_MEMBER || !process)
		return 0;
	count_hit(AMBIT_HOOK_socket_post_create);
	own.slot = process->slot;
	bpf_map_update_elem(&own_sockets, &sk, &own, BPF_ANY);
	return 0;
}
AMBIT_DENY_HOOK(socket_post_create, socket_post_create, security_socket_post_create, (sock, kern),
		struct socket *sock, int family, int type, int protocol, int kern)

/* The port of a socket of the task becomes one of its own. */
static __always_inline int own_port(struct sock *sk, __u32 hook)
{
	struct core_process *process;
	struct core_listener_key key = {};
	struct core_listener value = {};
	__u64 address = (__u64)sk;
	struct ambit_own_socket *own;

	if (!sk || current_membership(&process) != AMBIT_MEMBER || !process)
		return 0;
	key.port = sk->__sk_common.skc_num;
	if (!key.port || !is_inet(sk->__sk_common.skc_family))
		return 0;
	count_hit(hook);
	own = bpf_map_lookup_elem(&own_sockets, &address);
	if (!own || own->slot != process->slot)
		return 0;
	key.netns = netns_of(sk);
	key.protocol = protocol_of(sk);
	key_of_sock(&key, sk);
	value.slot = process->slot;
	value.sock = address;
	if (bpf_map_update_elem(&listeners, &key, &value, BPF_ANY))
		count_loss(AMBIT_RING_findings, AMBIT_LOSS_map_full);
	return 0;
}

/* A TCP port is the task's own when it listens there, not when it has merely bound it:
 * another process may listen on the same port of another address.
 */
static __always_inline int socket_listen(struct socket *sock)
{
	return own_port(sock->sk, AMBIT_HOOK_socket_listen);
}
AMBIT_DENY_HOOK(socket_listen, socket_listen, security_socket_listen, (sock), struct socket *sock,
		int backlog)

/* Who listens on port 0 asks for the number: this is where it is known. */
static __always_inline int socket_getsockname(struct socket *sock)
{
	struct sock *sk = sock->sk;

	if (!sk || surely_outsider() || sk->__sk_common.skc_state != TCP_LISTEN)
		return 0;
	return own_port(sk, AMBIT_HOOK_socket_getsockname);
}
AMBIT_DENY_HOOK(socket_getsockname, socket_getsockname, security_socket_getsockname, (sock),
		struct socket *sock)

/* A UDP socket has got its port, named or chosen: the one place that sees both, and the outcome. */
SEC("fexit/udp_lib_get_port")
int BPF_PROG(udp_port, struct sock *sk, unsigned short port, unsigned int hash, int failed)
{
	if (!failed)
		own_port(sk, AMBIT_HOOK_udp_port);
	return 0;
}

static __always_inline int socket_setsockopt(struct socket *sock, int level, int option)
{
	struct ambit_own_socket *own;
	struct sock *sk = sock->sk;
	__u64 address = (__u64)sk;

	if (!sk || surely_outsider())
		return 0;
	own = bpf_map_lookup_elem(&own_sockets, &address);
	if (!own || !is_inet(sk->__sk_common.skc_family))
		return 0;
	count_hit(AMBIT_HOOK_socket_setsockopt);
	if (sk->__sk_common.skc_num && shares_port(level, option, sk->sk_protocol))
		own->doubt |= AMBIT_DOUBT_SHARED;
	return 0;
}
AMBIT_DENY_HOOK(socket_setsockopt, socket_setsockopt, security_socket_setsockopt,
		(sock, level, optname), struct socket *sock, int level, int optname)

static __always_inline void forget_listener(const struct core_listener_key *key, __u64 address)
{
	struct core_listener *listener = bpf_map_lookup_elem(&listeners, key);

	if (listener && listener->sock == address)
		bpf_map_delete_elem(&listeners, key);
}

static __always_inline void forget_socket(struct sock *sk)
{
	struct core_inode_key channel = {};
	__u64 address = (__u64)sk;
	struct core_listener_key key = {};

	if (!bpf_map_lookup_elem(&own_sockets, &address))
		return;
	bpf_map_delete_elem(&own_sockets, &address);
	if (ambit_carries) {
		channel_of_socket(&channel, address);
		bpf_map_delete_elem(&channels, &channel);
	}
	if (!is_inet(sk->__sk_common.skc_family))
		return;
	key.netns = netns_of(sk);
	key.port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	key.protocol = protocol_of(sk);
	key_of_sock(&key, sk);
	forget_listener(&key, address);
	/* A datagram socket was noted before it was connected. */
	if (is_any(key.address))
		return;
	if (is_ipv4(key.address))
		key_ipv4(&key, 0);
	else
		__builtin_memset(key.address, 0, sizeof(key.address));
	forget_listener(&key, address);
}

SEC("lsm/sk_free_security")
int BPF_PROG(lsm_sk_free, struct sock *sk)
{
	forget_socket(sk);
	return 0;
}

SEC("fentry/security_sk_free")
int BPF_PROG(fmod_sk_free, struct sock *sk)
{
	forget_socket(sk);
	return 0;
}
