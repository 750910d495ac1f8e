// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Unix sockets, by the peer object: its file wherever it is named from, or its abstract name. */
#include "bpf/lib/reach.bpf.h"

char _license[] __weak SEC("license") = "GPL";

#define AMBIT_UNIX_NAME 108

struct ambit_peer {
	struct ambit_place place; /* 0: abstract or unnamed */
	__u32 name_length;	  /* of the abstract name, without its leading NUL */
};

AMBIT_GLOBAL int emit_unix(struct ambit_scratch *scratch, struct ambit_peer *peer)
{
	struct ambit_connect_record *record;
	const struct core_match *match;
	struct ambit_outbox *box;
	__u32 length = 0;

	if (!scratch || !peer)
		return 0;
	record = &scratch->record.connect;
	match = &scratch->walk.match;
	box = claim_outbox();
	record->family = AF_UNIX;
	record->port = 0;
	record->protocol = 0;
	record->credential_count = match->count;
	__builtin_memcpy(record->credential, match->credential, sizeof(record->credential));
	__builtin_memset(record->address, 0, 16);
	record->path_reversed = !!peer->place.dentry;
	record->path_cut = !box;
	if (box && peer->place.dentry) {
		length = write_path(scratch, box, 0, &peer->place);
		record->path_cut = scratch->climb.cut;
	} else if (box && peer->name_length) {
		box->data[0] = 0;
		__builtin_memcpy(box->data + 1, &scratch->walk.name, AMBIT_UNIX_NAME);
		length = (peer->name_length & 127) + 1;
	}
	length &= AMBIT_DATA_SIZE - 1;
	record->path_length = length;
	return send_box(scratch, box, length);
}

/* What the policy and the catalogue say of the peer, as the port entry that `reach` knows. */
AMBIT_GLOBAL int match_peer(struct ambit_scratch *scratch, struct ambit_peer *peer,
			    struct core_port *port)
{
	struct core_policy *policy;
	struct core_match *match;
	__u64 inode = 0;

	if (!scratch || !peer || !port)
		return -1;
	trust_mount(scratch, peer->place.mnt);
	policy = &scratch->subject.policy;
	match = &scratch->walk.match;
	__builtin_memset(match, 0, sizeof(*match));
	if (peer->place.dentry) {
		struct dentry *dentry = (struct dentry *)peer->place.dentry;

		inode = (__u64)BPF_CORE_READ(dentry, d_inode);
		if (recognise(scratch, policy->program_space, inode, peer->place.dentry,
			      scratch->trusted))
			return -1;
	} else if (peer->name_length) {
		struct core_name_key key = {
			.space = policy->program_space,
			.anchor = CORE_ANCHOR_ABSTRACT,
			.hash = core_hash_name(&scratch->walk.name, peer->name_length & 127)};
		const struct core_rule *rule = core_find_name(0, &key);

		if (rule)
			core_match_add(match, rule);
	}
	if (match->flags & CORE_RULE_UNIX)
		port->flags |= CORE_PORT_NETWORK;
	port->allowed = match->mask;
	__builtin_memset(match, 0, sizeof(*match));
	if (!peer->place.dentry)
		return 0;
	return recognise(scratch, policy->credential_space, inode, peer->place.dentry,
			 peer->place.mnt);
}

/* Whether the task made the peer itself. On portable nobody sees who makes a datagram socket, and
 * refusing a task its own would be a false denial: those are bound as credentials alone.
 */
static __always_inline int is_own_peer(struct unix_sock *peer, __u32 slot)
{
	__u64 key = (__u64)peer;
	struct ambit_own_socket *own;
	__u32 *owner;

	if (ambit_backend == AMBIT_BACKEND_portable) {
		if (BPF_CORE_READ(peer, sk.sk_type) == SOCK_DGRAM)
			return 1;
		key = BPF_CORE_READ(peer, sk.sk_peer_pid, ino);
		owner = bpf_map_lookup_elem(&own_pids, &key);
		return owner && *owner == slot;
	}
	own = bpf_map_lookup_elem(&own_sockets, &key);
	return own && own->slot == slot;
}

AMBIT_GLOBAL int reach_peer(struct ambit_scratch *scratch, __u64 other, __u32 quiet)
{
	struct unix_sock *peer_sock = (struct unix_sock *)other;
	struct core_process *process;
	struct ambit_peer peer = {};
	struct core_port port = {};
	struct unix_address *address;
	__u32 where = 0;
	int length;
	__u8 effect;

	if (!scratch)
		return 1;
	process = bpf_task_storage_get(&processes, bpf_get_current_task_btf(), 0, 0);
	if (!process)
		return 1;
	if (is_own_peer(peer_sock, process->slot))
		where = CORE_DESTINATION_OWN;
	address = BPF_CORE_READ(peer_sock, addr);
	/* A socket without a name was made by socketpair, or handed over: it is nobody's address.
	 */
	if (!address)
		return 0;
	peer.place.dentry = (__u64)BPF_CORE_READ(peer_sock, path.dentry);
	peer.place.mnt = (__u64)BPF_CORE_READ(peer_sock, path.mnt);
	if (!peer.place.dentry) {
		length = BPF_CORE_READ(address, len) - 3; /* the family and the leading NUL */
		if (length > 0 && length < AMBIT_UNIX_NAME) {
			bpf_probe_read_kernel(
				&scratch->walk.name, AMBIT_UNIX_NAME,
				(void *)address + bpf_core_field_offset(struct unix_address, name) +
					3);
			peer.name_length = length;
		}
	}
	if (match_peer(scratch, &peer, &port))
		core_decide_undecided(&scratch->verdict);
	decide_matched(scratch);
	core_decide_destination(&scratch->subject, &scratch->verdict, &port, where);
	effect = core_effect(&scratch->verdict, can_deny());
	if (effect != CORE_EFFECT_allowed || !quiet || scratch->walk.match.count) {
		fill_head(scratch, process->slot, AMBIT_KIND_connect, effect);
		emit_unix(scratch, &peer);
	}
	return settle(scratch, effect);
}

static __always_inline int unix_stream_connect(struct sock *other)
{
	struct ambit_entry entry;
	int state = enter(&entry, AMBIT_HOOK_unix_stream_connect);

	return state == AMBIT_DECIDE ? reach_peer(entry.scratch, ADDRESS_OF(other), 0) : state;
}
AMBIT_DENY_HOOK(unix_stream_connect, unix_stream_connect, security_unix_stream_connect, (other),
		struct sock *sock, struct sock *other, struct sock *newsk)

/* Datagrams: at connect and at each send to a name. */
static __always_inline int unix_may_send(struct socket *other)
{
	struct ambit_entry entry;
	int state = enter(&entry, AMBIT_HOOK_unix_may_send);

	return state == AMBIT_DECIDE
		       ? reach_peer(entry.scratch, (__u64)BPF_CORE_READ(other, sk), AMBIT_QUIET)
		       : state;
}
AMBIT_DENY_HOOK(unix_may_send, unix_may_send, security_unix_may_send, (other), struct socket *sock,
		struct socket *other)

/* The one place on portable where a connecting process meets the peer object: connect() wakes the
 * listener, and the signal ends the process before it can send (6.3+). A datagram is queued by
 * then. Every socket of the machine comes by, so the family is asked first.
 */
SEC("tp_btf/sk_data_ready")
int BPF_PROG(unix_data_ready, const struct sock *other)
{
	struct ambit_entry entry;
	__u32 quiet = 0;

	if (other->__sk_common.skc_family != AF_UNIX)
		return 0;
	if (other->sk_type == SOCK_DGRAM)
		quiet = AMBIT_QUIET;
	else if (other->__sk_common.skc_state != TCP_LISTEN)
		return 0;
	if (enter(&entry, AMBIT_HOOK_unix_data_ready) == AMBIT_DECIDE)
		reach_peer(entry.scratch, ADDRESS_OF(other), quiet);
	return 0;
}
