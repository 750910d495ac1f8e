/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Which destinations are a task's own: those where one of its sockets, and surely no other, gets
 * what is sent. The kernel gives no two sockets the same port and address, however different the
 * addresses that cover it, but for SO_REUSEPORT, SO_REUSEADDR of datagrams and devices. So a socket
 * that has its port (it is hashed, and a stream listens) without any of these is the only one.
 * Since each of them can be taken back once it has served, who changes one on a bound socket is in
 * doubt from then on.
 */
#ifndef AMBIT_OWN_BPF_H
#define AMBIT_OWN_BPF_H

#include "bpf/lib/emit.bpf.h"

#define AF_INET 2
#define AF_INET6 10
#define SOCK_RAW 3
#define TCP_LISTEN 10
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_RAW 255
#define IPPROTO_MPTCP 262

#define SOL_SOCKET 1
#define SO_REUSEADDR 2
#define SO_REUSEPORT 15
#define SO_BINDTODEVICE 25
#define SO_BINDTOIFINDEX 62
#define TCP_REPAIR 19
#define AMBIT_FORCE_REUSE 2 /* SK_FORCE_REUSE, which TCP_REPAIR sets */

CORE_INLINE __u8 protocol_of(struct sock *sk)
{
	__u16 protocol = BPF_CORE_READ(sk, sk_protocol);

	/* A raw socket writes its own headers: what it says of itself proves nothing. */
	if (BPF_CORE_READ(sk, sk_type) == SOCK_RAW &&
	    (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP))
		return IPPROTO_RAW;
	return protocol == IPPROTO_MPTCP ? IPPROTO_TCP : (__u8)protocol;
}

CORE_INLINE int is_ipv4(const __u8 *address)
{
	const __u32 *word = (const __u32 *)address;

	return !word[0] && !word[1] && word[2] == bpf_htonl(0xffff);
}

/* Any address of its family. */
CORE_INLINE int is_any(const __u8 *address)
{
	const __u32 *word = (const __u32 *)address;

	return !word[3] && (is_ipv4(address) || (!word[0] && !word[1] && !word[2]));
}

CORE_INLINE void key_ipv4(struct core_listener_key *key, __u32 address_be)
{
	__u32 *word = (__u32 *)key->address;

	/* Clang would join this load with one of the other family, at a computed place. */
	asm volatile("" : "+r"(address_be));
	word[0] = 0;
	word[1] = 0;
	word[2] = bpf_htonl(0xffff);
	word[3] = address_be;
}

/* The address that a socket is bound to. */
CORE_INLINE void key_of_sock(struct core_listener_key *key, struct sock *sk)
{
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET)
		key_ipv4(key, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
	else
		BPF_CORE_READ_INTO(&key->address, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
}

/* The socket that has the port: for MPTCP one of TCP that stands behind it. */
CORE_INLINE struct sock *holder_of_port(struct sock *sk)
{
	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_MPTCP)
		return sk;
	if (!bpf_core_field_exists(((struct mptcp_sock *)0)->first))
		return 0;
	return BPF_CORE_READ((struct mptcp_sock *)sk, first);
}

/* Whether a socket gets what is sent to the address in `to`. `to` loses nothing. */
CORE_INLINE int covers(struct sock *sk, const struct core_listener_key *to)
{
	struct core_listener_key bound = {};
	const __u32 *near = (const __u32 *)bound.address, *far = (const __u32 *)to->address;
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);

	key_of_sock(&bound, sk);
	if (near[0] == far[0] && near[1] == far[1] && near[2] == far[2] && near[3] == far[3])
		return 1;
	if (!is_any(bound.address))
		return 0;
	if (family == AF_INET)
		return is_ipv4(to->address);
	if (is_ipv4(bound.address))
		return 0; /* ::ffff:0.0.0.0: kernels have differed about what excludes it */
	return !is_ipv4(to->address) ||
	       !BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_ipv6only);
}

/* A bound socket keeps its port; a stream has it surely once it is among those that listen: while
 * listen() still asks whether the port is free, its state is the same already.
 */
CORE_INLINE int has_port(struct sock *sk, const struct core_listener_key *to)
{
	if (!BPF_CORE_READ(sk, __sk_common.skc_node.pprev) ||
	    BPF_CORE_READ(sk, __sk_common.skc_num) != to->port)
		return 0;
	return to->protocol == IPPROTO_TCP ? BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN
					   : to->protocol == IPPROTO_UDP;
}

CORE_INLINE int is_alone(struct sock *sk, __u8 protocol, __u32 doubt)
{
	__u32 reuse = BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_reuse);

	if ((doubt & AMBIT_DOUBT_SHARED) || BPF_CORE_READ(sk, __sk_common.skc_bound_dev_if) ||
	    BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_reuseport))
		return 0;
	/* A stream that listens shares nothing by SO_REUSEADDR. */
	if (protocol == IPPROTO_TCP)
		return reuse < AMBIT_FORCE_REUSE;
	/* Connected, it had an address of its own for a while, and others could have the rest. */
	if (doubt & AMBIT_DOUBT_NARROWED) {
		struct core_listener_key bound = {};

		key_of_sock(&bound, sk);
		if (is_any(bound.address))
			return 0;
	}
	return !reuse;
}

/* The task whose socket `listeners` knows at `at` and which gets what is sent to `to`; 0: none. */
CORE_INLINE __u32 owner_at(const struct core_listener_key *at, const struct core_listener_key *to,
			   __u32 alone)
{
	struct core_listener *listener = bpf_map_lookup_elem(&listeners, at);
	struct ambit_own_socket *own;
	struct sock *sk;
	__u64 address;

	if (!listener)
		return 0;
	address = listener->sock;
	own = bpf_map_lookup_elem(&own_sockets, &address);
	if (!own || own->slot != listener->slot)
		return 0;
	sk = holder_of_port((struct sock *)address);
	if (!sk || !has_port(sk, to) || !covers(sk, to))
		return 0;
	if (alone && !is_alone(sk, to->protocol, own->doubt))
		return 0;
	return own->slot;
}

/* The task that listens at `to`, with `alone` surely no other; 0: none. */
AMBIT_GLOBAL int who_listens(struct core_listener_key *to, __u32 alone)
{
	struct core_listener_key at;
	__u32 slot;

	if (!to)
		return 0;
	at = *to;
	slot = owner_at(&at, to, alone);
	if (slot)
		return (int)slot;
	if (is_ipv4(to->address)) {
		key_ipv4(&at, 0);
		slot = owner_at(&at, to, alone);
		if (slot)
			return (int)slot;
	}
	__builtin_memset(at.address, 0, sizeof(at.address));
	return (int)owner_at(&at, to, alone);
}

/* Whether an option lets others have the port of a bound socket, now or once it is taken back. */
CORE_INLINE int shares_port(int level, int option, __u16 protocol)
{
	if (level == IPPROTO_TCP)
		return option == TCP_REPAIR;
	if (level != SOL_SOCKET)
		return 0;
	if (option == SO_REUSEADDR)
		return protocol == IPPROTO_UDP;
	return option == SO_REUSEPORT || option == SO_BINDTODEVICE || option == SO_BINDTOIFINDEX;
}

/* A datagram socket is connected. The first time it keeps a part of what it had; later it can come
 * by an address that another has got.
 */
CORE_INLINE void doubt_connected(struct ambit_own_socket *own)
{
	own->doubt |= own->doubt & AMBIT_DOUBT_NARROWED ? AMBIT_DOUBT_SHARED : AMBIT_DOUBT_NARROWED;
}

#endif
