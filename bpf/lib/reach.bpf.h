/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* A destination that the current process would reach. */
#ifndef AMBIT_REACH_BPF_H
#define AMBIT_REACH_BPF_H

#include "bpf/lib/credential.bpf.h"
#include "bpf/lib/own.bpf.h"

#define AF_UNSPEC 0
#define AF_NETLINK 16
#define SOCK_STREAM 1
#define SOCK_DGRAM 2

struct ambit_address {
	__u16 family;
	__u16 port; /* host order */
	__u8 protocol;
	__u8 can_deny;
	__u16 reserved;
	__u8 address[16];
};

CORE_INLINE void map_ipv4(__u8 *to, __u32 address_be)
{
	__u32 *word = (__u32 *)to;

	/* 0.0.0.0 as a destination means this host. */
	word[0] = 0;
	word[1] = 0;
	word[2] = bpf_htonl(0xffff);
	word[3] = address_be ? address_be : bpf_htonl(0x7f000001);
}

CORE_INLINE void take_ipv6(__u8 *to)
{
	__u32 *word = (__u32 *)to;

	if (!word[0] && !word[1] && !word[2] && !word[3])
		word[3] = bpf_htonl(1); /* :: means this host, as 0.0.0.0 does */
	if (!word[0] && !word[1] && word[2] == bpf_htonl(0xffff) && !word[3])
		word[3] = bpf_htonl(0x7f000001);
}

/* Who names no address goes to that of the socket, where it has one (0 or IPv4's), and over IPv6 to
 * IPv4's loopback when the socket is bound to an address of IPv4.
 */
CORE_INLINE void take_nowhere(__u8 *to, __u32 own_ipv4, int bound_to_ipv4)
{
	__u32 *word = (__u32 *)to;

	asm volatile("" : "+r"(own_ipv4));
	if (word[3] || word[0] || word[1])
		return;
	if (word[2] == bpf_htonl(0xffff))
		word[3] = own_ipv4;
	else if (!word[2] && bound_to_ipv4)
		word[2] = bpf_htonl(0xffff);
}

CORE_INLINE int is_loopback(const __u8 *address)
{
	const __u32 *word = (const __u32 *)address;

	if (word[0] || word[1])
		return 0;
	if (word[2] == bpf_htonl(0xffff))
		return address[12] == 127;
	return !word[2] && word[3] == bpf_htonl(1);
}

CORE_INLINE const struct core_port *find_port(__u32 policy, const struct ambit_address *to)
{
	struct core_prefix_key prefix_key = {.prefixlen = CORE_PREFIX_POLICY_BITS + 128,
					     .policy = policy};
	struct core_port_key port_key = {.prefixlen = CORE_PORT_FIXED_BITS + 16,
					 .protocol = to->protocol};
	const struct core_prefix *prefix;

	__builtin_memcpy(prefix_key.address, to->address, 16);
	prefix = bpf_map_lookup_elem(&prefixes, &prefix_key);
	if (!prefix)
		return 0;
	port_key.set = prefix->set;
	port_key.port[0] = to->port >> 8;
	port_key.port[1] = (__u8)to->port;
	return bpf_map_lookup_elem(&ports, &port_key);
}

CORE_INLINE int is_own_port(const struct ambit_address *to, __u32 slot, __u32 netns)
{
	struct core_listener_key key = {.netns = netns, .port = to->port, .protocol = to->protocol};

	if (!is_loopback(to->address))
		return 0;
	__builtin_memcpy(key.address, to->address, sizeof(key.address));
	return who_listens(&key, 1) == (int)slot;
}

CORE_INLINE __u32 netns_of(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
}

CORE_INLINE int is_inet(__u16 family)
{
	return family == AF_INET || family == AF_INET6;
}

CORE_INLINE void emit_inet(struct ambit_scratch *scratch, const struct ambit_address *to)
{
	struct ambit_connect_record *record = &scratch->record.connect;
	const struct core_match *match = &scratch->walk.match;

	record->family = to->family;
	record->port = to->port;
	record->protocol = to->protocol;
	record->credential_count = match->count;
	record->path_reversed = 0;
	record->path_cut = 0;
	__builtin_memcpy(record->credential, match->credential, sizeof(record->credential));
	__builtin_memcpy(record->address, to->address, 16);
	record->path_length = 0;
	/* What is inside has no strings and needs no box. */
	send_box(scratch, scratch->verdict.requested != CORE_RESPONSE_none ? claim_outbox() : 0, 0);
}

/* An endpoint is opened by connecting to it. */
CORE_INLINE void match_endpoints(struct ambit_scratch *scratch, const struct core_port *port)
{
	struct core_match *match = &scratch->walk.match;

	__builtin_memset(match, 0, sizeof(*match));
	if (!port)
		return;
	if (port->endpoint_count > 0)
		core_add_credential(match->credential, &match->count, port->endpoint[0]);
	if (port->endpoint_count > 1)
		core_add_credential(match->credential, &match->count, port->endpoint[1]);
	decide_matched(scratch);
}

#define AMBIT_QUIET 1u /* an allowed destination is no event: it was one at connect */

/* What is alerted goes on: a connection is one attempt, however many sends follow on it.
 * scratch->told is the reason that was alerted for the socket so far; the caller keeps it.
 */
CORE_INLINE int is_told(struct ambit_scratch *scratch, __u8 effect, __u32 quiet)
{
	int told;

	if (effect == CORE_EFFECT_allowed)
		return quiet;
	if (effect != CORE_EFFECT_alerted)
		return 0;
	told = quiet && scratch->told == scratch->verdict.reason;
	scratch->told = scratch->verdict.reason;
	return told;
}

/* Gives 1 when the destination is refused. */
AMBIT_GLOBAL int reach(struct ambit_scratch *scratch, struct ambit_address *to, __u32 where,
		       __u32 quiet)
{
	const struct core_port *port;
	__u8 effect;

	if (!scratch || !to)
		return 1;
	port = find_port(scratch->subject.task.policy, to);
	match_endpoints(scratch, port);
	core_decide_destination(&scratch->subject, &scratch->verdict, port, where);
	/* A task's own listener passes on what it is sent. */
	if (ambit_carries && (where & CORE_DESTINATION_OWN) && what_spreads(&scratch->spread))
		hold_by_task(scratch->slot, &scratch->spread, 0);
	effect = core_effect(&scratch->verdict, to->can_deny);
	if (!is_told(scratch, effect, quiet)) {
		fill_head(scratch, scratch->slot, AMBIT_KIND_connect, effect);
		emit_inet(scratch, to);
	}
	return settle(scratch, effect);
}

#endif
