/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The guard: what a process of a task may not do, whatever its user and capabilities. */
#ifndef AMBIT_CORE_GUARD_H
#define AMBIT_CORE_GUARD_H

#include "bpf/core/decide.h"

/* At whom or what it is aimed. */
#define CORE_AIM_OWN 0u	    /* a process of the same task */
#define CORE_AIM_PROCESS 1u /* a process outside the task, or of another one */
#define CORE_AIM_MACHINE 2u /* something that all processes share */
#define CORE_AIM_MONITOR 3u /* a process, file or kernel object of the monitor's */
#define CORE_AIM_EVENTS 4u  /* the task's event file */

CORE_INLINE int core_granted(const struct core_subject *subject, __u32 privilege)
{
	return privilege != CORE_PRIVILEGE_none && privilege < 32 &&
	       (subject->policy.privileges >> privilege & 1);
}

/* The response is the credentials', and at least deny: what is guarded here is what keeps the
 * credentials. An unknown aim is refused.
 */
CORE_FUNCTION int core_decide_guard(const struct core_subject *subject,
				    struct core_verdict *verdict, __u32 aim, __u32 privilege)
{
	__u8 response, reason;

	if (!subject || !verdict)
		return 0;
	response = subject->policy.response_credential;
	if (response < CORE_RESPONSE_deny)
		response = CORE_RESPONSE_deny;
	if (aim == CORE_AIM_OWN)
		return 0;
	if (aim == CORE_AIM_PROCESS || aim == CORE_AIM_MACHINE) {
		reason = aim == CORE_AIM_PROCESS ? CORE_REASON_process_not_in_task
						 : CORE_REASON_privilege_not_in_scope;
		if (core_granted(subject, privilege)) {
			if (!core_expired(subject))
				return 0;
			reason = CORE_REASON_scope_expired;
		}
		core_object(verdict, reason, response);
		return 0;
	}
	verdict->always = 1;
	core_object(verdict,
		    aim == CORE_AIM_EVENTS ? CORE_REASON_event_file_protected
					   : CORE_REASON_monitor_protected,
		    response);
	return 0;
}

#endif
