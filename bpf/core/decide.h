/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The decisions: what a process of a task may open, reach and execute. */
#ifndef AMBIT_CORE_DECIDE_H
#define AMBIT_CORE_DECIDE_H

#include "bpf/core/seam.h"

/* What is known when a decision is made. */
struct core_subject {
	struct core_task task;
	struct core_policy policy;
	struct core_mask held;	  /* by the process and by its task */
	struct core_mask readers; /* what its program may read */
	__u64 now_boot_ns;
};

struct core_verdict {
	__u8 reason;
	__u8 requested;
	__u8 shadow;
	__u8 always; /* refused in every mode: the monitor and its event file */
	__u8 reserved[4];
	struct core_mask blocking; /* held credentials that forbid the destination */
	struct core_mask gained;   /* held from now on, when the operation goes on */
};

CORE_INLINE int core_expired(const struct core_subject *subject)
{
	if (subject->task.flags & (CORE_TASK_REVOKED | CORE_TASK_KILLED))
		return 1;
	return subject->task.expires_boot_ns &&
	       subject->now_boot_ns >= subject->task.expires_boot_ns;
}

CORE_INLINE void core_verdict_start(const struct core_subject *subject,
				    struct core_verdict *verdict)
{
	__builtin_memset(verdict, 0, sizeof(*verdict));
	verdict->shadow = !!(subject->policy.flags & CORE_POLICY_SHADOW);
}

/* The worse of two reasons stays: the stronger response, the earlier one on a tie. */
CORE_INLINE void core_object(struct core_verdict *verdict, __u8 reason, __u8 response)
{
	if (response > verdict->requested) {
		verdict->reason = reason;
		verdict->requested = response;
	}
}

/* One credential is opened: by its file, its socket or its endpoint. */
CORE_FUNCTION int core_decide_credential(void *seam, const struct core_subject *subject,
					 struct core_verdict *verdict, __u32 credential)
{
	struct core_credential_key key;
	const struct core_credential_bit *known;
	__u8 response, bit;

	if (!subject || !verdict)
		return 0;
	response = subject->policy.response_credential;
	key.policy = subject->task.policy;
	key.credential = credential;
	known = core_find_bit(seam, &key);
	/* What was refused before the end is not answered more mildly after it, and what is opened
	 * all the same is held: the other checks go on. */
	if (core_expired(subject))
		core_object(verdict, CORE_REASON_scope_expired, response);
	if (!known) {
		core_object(verdict, CORE_REASON_credential_not_in_scope, response);
		return 0;
	}
	bit = (__u8)known->bit;
	core_mask_set(&verdict->gained, bit);
	if (!core_mask_has(&subject->policy.inside, bit))
		core_object(verdict, CORE_REASON_credential_not_in_scope, response);
	else if (core_mask_has(&subject->policy.readers, bit) &&
		 !core_mask_has(&subject->readers, bit))
		core_object(verdict, CORE_REASON_reader_not_allowed, response);
	return 0;
}

/* What `where` is of a destination that no table names. */
#define CORE_DESTINATION_OWN 1u	  /* the task itself listens there */
#define CORE_DESTINATION_LOCAL 2u /* cannot leave the machine and is no peer (netlink) */

/* `port` says what the tables say of the destination; null: nothing. */
CORE_FUNCTION int core_decide_destination(const struct core_subject *subject,
					  struct core_verdict *verdict,
					  const struct core_port *port, __u32 where)
{
	struct core_mask blocking;
	__u8 in_network;

	if (!subject || !verdict)
		return 0;
	if (core_expired(subject) && !(where & CORE_DESTINATION_LOCAL))
		core_object(verdict, CORE_REASON_scope_expired, subject->policy.response_network);
	if (where || (port && (port->flags & CORE_PORT_ALWAYS)))
		return 0;
	blocking = subject->held;
	core_mask_keep(&blocking, &subject->policy.restricted);
	if (port)
		core_mask_remove(&blocking, &port->allowed);
	in_network = port && (port->flags & CORE_PORT_NETWORK);
	if (!core_mask_empty(&blocking)) {
		verdict->blocking = blocking;
		core_object(verdict, CORE_REASON_destination_not_for_credential,
			    subject->policy.response_credential);
	}
	if ((subject->policy.flags & CORE_POLICY_NETWORK_BOUND) && !in_network)
		core_object(verdict, CORE_REASON_destination_not_in_scope,
			    subject->policy.response_network);
	return 0;
}

/* `flags` are those of the file's match in the policy's programs. */
CORE_INLINE void core_decide_exec(const struct core_subject *subject, struct core_verdict *verdict,
				  __u8 flags)
{
	if (!(subject->policy.flags & CORE_POLICY_EXEC_BOUND) || (flags & CORE_RULE_PROGRAM))
		return;
	core_object(verdict, CORE_REASON_executable_not_in_scope, subject->policy.response_exec);
}

/* A decision could not be made: the task's process is refused, in every mode but shadow. */
CORE_INLINE void core_decide_undecided(struct core_verdict *verdict)
{
	core_object(verdict, CORE_REASON_undecided, CORE_RESPONSE_deny);
}

/* What becomes of a request, where an operation can be denied or only killed. */
CORE_INLINE __u8 core_effect(const struct core_verdict *verdict, int can_deny)
{
	if (verdict->requested == CORE_RESPONSE_none)
		return CORE_EFFECT_allowed;
	/* In shadow nobody is killed. */
	if (verdict->always && verdict->shadow)
		return CORE_EFFECT_denied;
	if (verdict->shadow || verdict->requested == CORE_RESPONSE_alert)
		return CORE_EFFECT_alerted;
	if (verdict->requested == CORE_RESPONSE_deny)
		return can_deny ? CORE_EFFECT_denied : CORE_EFFECT_killed;
	return verdict->requested == CORE_RESPONSE_kill ? CORE_EFFECT_killed
							: CORE_EFFECT_task_killed;
}

#endif
