/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The words that kernel, user space and events share. Each list is the only
 * place where its words are spelt: enums, names and switches are made from it.
 * Numbers are positions in the list and are part of the ABI: append only.
 */
#ifndef AMBIT_WORDS_H
#define AMBIT_WORDS_H

/* Kinds of events (docs/EVENTS.md). */
#define AMBIT_KINDS(X) \
	X(start) \
	X(stop) \
	X(task_open) \
	X(task_close) \
	X(task_expire) \
	X(file_open) \
	X(connect) \
	X(exec) \
	X(finding) \
	X(loss) \
	X(guard) \
	X(privilege) \
	X(task_narrow) \
	X(task_extend) \
	X(reload)

/* Why an operation is a finding. `none` is "inside the scope". */
#define AMBIT_REASONS(X) \
	X(none) \
	X(credential_not_in_scope) \
	X(reader_not_allowed) \
	X(destination_not_in_scope) \
	X(destination_not_for_credential) \
	X(executable_not_in_scope) \
	X(scope_expired) \
	X(secret_in_environment) \
	X(descriptor_from_before) \
	X(undecided) \
	X(monitor_protected) \
	X(event_file_protected) \
	X(process_not_in_task) \
	X(privilege_not_in_scope) \
	X(blended_authority)

/* What a scope may ask for, weakest first: the order is the ladder. */
#define AMBIT_RESPONSES(X) \
	X(none) \
	X(alert) \
	X(deny) \
	X(kill) \
	X(kill_task)

/* What was done. */
#define AMBIT_EFFECTS(X) \
	X(allowed) \
	X(alerted) \
	X(denied) \
	X(killed) \
	X(task_killed)

/* Who decided; `user` is user space itself (environment, descriptors). */
#define AMBIT_BACKENDS(X) \
	X(none) \
	X(lsm) \
	X(fmod_ret) \
	X(portable) \
	X(user)

/* What a scope may grant beyond what every task has (docs/schema/README.md: privileges). Never on
 * the monitor, never on the event file. `none` is what no scope can grant.
 */
#define AMBIT_PRIVILEGES(X) \
	X(none) \
	X(bpf) \
	X(perf) \
	X(ptrace) \
	X(modules) \
	X(kexec) \
	X(kernel_memory) \
	X(block_devices) \
	X(host_settings) \
	X(mounts) \
	X(terminal)

/* What was tried, in events of kind guard, and how power was gained, in those of kind privilege. */
#define AMBIT_OPERATIONS(X) \
	X(none) \
	X(bpf) \
	X(perf_event_open) \
	X(signal) \
	X(ptrace) \
	X(schedule) \
	X(limit) \
	X(load_module) \
	X(load_kexec) \
	X(touch_kernel) \
	X(open) \
	X(truncate) \
	X(unlink) \
	X(rename) \
	X(link) \
	X(change) \
	X(mount) \
	X(unmount) \
	X(type) \
	X(exec) \
	X(set_user) \
	X(user_namespace)

/* Where a record of an event travels. */
#define AMBIT_RINGS(X) \
	X(findings) \
	X(observations) \
	X(holder)

/* Why something was lost or left undecided. */
#define AMBIT_LOSS_CAUSES(X) \
	X(ring_full) \
	X(storage_failed) \
	X(map_full) \
	X(path_too_deep) \
	X(read_failed) \
	X(program_skipped) \
	X(record_malformed) \
	X(record_unknown) \
	X(pipe_full) \
	X(holder_replaced) \
	X(sink_failed) \
	X(mark_failed) \
	X(watch_failed)

/* Tables that user space fills and decisions read: each is a BPF map of that
 * name; keys and values stand in bpf/core/tables.h.
 */
#define AMBIT_TABLES(X) \
	X(tasks) \
	X(policies) \
	X(policy_credentials) \
	X(spaces) \
	X(inodes) \
	X(anchors) \
	X(names) \
	X(prefixes) \
	X(ports) \
	X(listeners)

#endif
