// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Membership: who is in a task, from fork to exit; and what is executed. */
#include "bpf/lib/credential.bpf.h"

char _license[] __weak SEC("license") = "GPL";

#define CLONE_THREAD 0x00010000ULL

/* What a child of the current process starts with. 0, or < 0: it must not start. */
static __always_inline int inherit(struct task_struct *child, __u64 clone_flags)
{
	struct core_process *parent, *leader, *own;
	enum ambit_membership membership = current_membership(&parent);
	struct core_policy *policy;
	struct core_task *task;
	__u32 number;

	if (membership == AMBIT_OUTSIDER)
		return 0;
	if (membership == AMBIT_UNDECIDED || !parent)
		return -1;
	own = bpf_task_storage_get(&processes, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!own) {
		count_loss(AMBIT_RING_findings, AMBIT_LOSS_storage_failed);
		return -1;
	}
	*own = *parent;
	own->flags = 0;
	leader = leader_of_current();
	if (leader) {
		core_mask_add(&own->held, &leader->held);
		core_mask_add(&own->readers, &leader->readers);
	}
	number = parent->slot;
	task = bpf_map_lookup_elem(&tasks, &number);
	if (!task)
		return -1;
	if (task->flags & (CORE_TASK_REVOKED | CORE_TASK_KILLED))
		return task->flags & CORE_TASK_KILLED ? -1 : 0;
	number = task->policy;
	policy = bpf_map_lookup_elem(&policies, &number);
	if (policy && !(clone_flags & CLONE_THREAD))
		core_mask_remove(&own->held, &policy->hold_process);
	return 0;
}

static __always_inline int task_alloc(struct task_struct *child, unsigned long clone_flags)
{
	count_hit(AMBIT_HOOK_task_alloc);
	return inherit(child, clone_flags) < 0;
}
AMBIT_DENY_HOOK(task_alloc, task_alloc, security_task_alloc, (child, clone_flags),
		struct task_struct *child, unsigned long clone_flags)

/* Sees io_uring workers too, which sched_process_fork does not (KERNEL-FACTS). */
SEC("tp_btf/task_newtask")
int BPF_PROG(task_newtask, struct task_struct *child, __u64 clone_flags)
{
	struct core_process *process;
	struct ambit_member member;
	__u32 tid;

	if (current_membership(&process) == AMBIT_OUTSIDER)
		return 0;
	count_hit(AMBIT_HOOK_task_newtask);
	if (ambit_backend == AMBIT_BACKEND_portable && inherit(child, clone_flags) < 0)
		bpf_send_signal(9);
	process = bpf_task_storage_get(&processes, child, 0, 0);
	if (!process)
		return 0;
	member.slot = process->slot;
	member.pid = child->tgid;
	tid = child->pid;
	if (bpf_map_update_elem(&members, &tid, &member, BPF_ANY))
		count_loss(AMBIT_RING_findings, AMBIT_LOSS_map_full);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	__u32 tid = task->pid;

	if (!task->bpf_storage)
		return 0;
	bpf_map_delete_elem(&members, &tid);
	return 0;
}

AMBIT_GLOBAL int emit_exec(struct ambit_scratch *scratch, __u64 address, __u32 with_argv)
{
	__u32 size = sizeof(union ambit_any_record), at, length = 0;
	struct file *file = (struct file *)address;
	struct ambit_exec_record *record;
	struct ambit_outbox *box;
	int finding;

	if (!scratch)
		return 0;
	record = &scratch->record.exec;
	finding = scratch->verdict.requested != CORE_RESPONSE_none;
	box = claim_outbox();
	record->ino = BPF_CORE_READ(file, f_inode, i_ino);
	record->dev = device_of(BPF_CORE_READ(file, f_inode));
	record->path_reversed = 1;
	record->path_cut = 1;
	record->argv_cut = 0;
	record->path_length = 0;
	record->argv_length = 0;
	if (!box) {
		record->head.size = size;
		send_record(&scratch->record, size, finding);
		return 0;
	}
	at = write_path(scratch, box, (__u64)BPF_CORE_READ(file, f_path.dentry),
			(__u64)BPF_CORE_READ(file, f_path.mnt), &record->path_cut);
	at &= AMBIT_DATA_SIZE - 1;
	record->path_length = at;
	if (with_argv) {
		struct task_struct *task = bpf_get_current_task_btf();
		unsigned long start = BPF_CORE_READ(task, mm, arg_start);
		unsigned long end = BPF_CORE_READ(task, mm, arg_end);
		unsigned long all = end - start;

		if (all > AMBIT_ARGV_SIZE - 1) {
			all = AMBIT_ARGV_SIZE - 1;
			record->argv_cut = 1;
		}
		length = all;
		at &= AMBIT_PATH_SIZE - 1;
		length &= AMBIT_ARGV_SIZE - 1;
		asm volatile("" : "+r"(at), "+r"(length));
		at &= AMBIT_PATH_SIZE - 1;
		length &= AMBIT_ARGV_SIZE - 1;
		if (!length || bpf_probe_read_user(box->data + at, length, (void *)start)) {
			length = 0;
			record->argv_cut = 1;
		}
	}
	record->argv_length = length;
	size += (at & (AMBIT_PATH_SIZE - 1)) + (length & (AMBIT_ARGV_SIZE - 1));
	record->head.size = size;
	box->record = scratch->record;
	send_record(&box->record, size, finding);
	release_outbox(box);
	return 0;
}

/* The verdict on an exec that goes on is kept until its arguments can be read. */
#define PENDING(reason, requested) ((__u64)(reason) << 8 | (requested))

static __always_inline void decide_program(struct ambit_entry *entry, struct linux_binprm *bprm)
{
	struct ambit_scratch *scratch = entry->scratch;
	struct file *file = BPF_CORE_READ(bprm, file);
	struct core_mask readers;

	if (recognise(scratch, scratch->subject.policy.program_space,
		      (__u64)BPF_CORE_READ(file, f_inode),
		      (__u64)BPF_CORE_READ(file, f_path.dentry),
		      (__u64)BPF_CORE_READ(file, f_path.mnt)))
		core_decide_undecided(&scratch->verdict);
	readers = scratch->walk.match.mask;
	core_mask_add(&entry->process->pending_readers, &readers);
	core_decide_exec(&scratch->subject, &scratch->verdict, scratch->walk.match.flags);
}

/* Called for a script and then again for its interpreter, each as bprm->file. */
static __always_inline int bprm_check(struct linux_binprm *bprm)
{
	struct ambit_entry entry;
	int state = enter(&entry, AMBIT_HOOK_bprm_check);
	struct core_process *leader;
	__u8 effect;

	if (state != AMBIT_DECIDE)
		return state;
	/* The same pointer means the first file of this exec: what an earlier exec
	 * that failed left behind must not count.
	 */
	if (BPF_CORE_READ(bprm, interp) == BPF_CORE_READ(bprm, filename)) {
		__builtin_memset(&entry.process->pending_readers, 0, sizeof(struct core_mask));
		entry.process->pending_verdict = 0;
	}
	/* When a thread that is not the leader executes, the leader's storage goes with it. */
	leader = leader_of_current();
	if (leader)
		mask_or_atomic(&entry.process->held, &leader->held);
	decide_program(&entry, bprm);
	effect = core_effect(&entry.scratch->verdict, 1);
	if (effect == CORE_EFFECT_alerted)
		entry.process->pending_verdict =
			PENDING(entry.scratch->verdict.reason, entry.scratch->verdict.requested);
	if (effect == CORE_EFFECT_alerted || effect == CORE_EFFECT_allowed)
		return 0;
	fill_head(entry.scratch, entry.process->slot, AMBIT_KIND_exec, effect);
	emit_exec(entry.scratch, (__u64)BPF_CORE_READ(bprm, file), 0);
	return respond(entry.process->slot, effect);
}
AMBIT_DENY_HOOK(bprm_check, bprm_check_security, security_bprm_check, (bprm),
		struct linux_binprm *bprm)

/* Before the point of no return, where the old leader can still be read (6.10+). */
SEC("tp_btf/sched_prepare_exec")
int BPF_PROG(prepare_exec, struct task_struct *task, struct linux_binprm *bprm)
{
	struct core_process *process, *leader;

	if (current_membership(&process) != AMBIT_MEMBER || !process)
		return 0;
	leader = leader_of_current();
	if (leader)
		mask_or_atomic(&process->held, &leader->held);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct ambit_entry entry;
	struct ambit_member member;
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	__u8 effect;

	if (enter(&entry, AMBIT_HOOK_process_exec) != AMBIT_DECIDE)
		return 0;
	member.slot = entry.process->slot;
	member.pid = tid;
	bpf_map_update_elem(&members, &tid, &member, BPF_ANY);
	if (ambit_backend == AMBIT_BACKEND_portable) {
		__builtin_memset(&entry.process->pending_readers, 0, sizeof(struct core_mask));
		decide_program(&entry, bprm);
	} else {
		entry.scratch->verdict.reason = entry.process->pending_verdict >> 8;
		entry.scratch->verdict.requested = (__u8)entry.process->pending_verdict;
	}
	entry.process->pending_verdict = 0;
	entry.process->readers = entry.process->pending_readers;
	core_mask_remove(&entry.process->held, &entry.scratch->subject.policy.hold_process);
	effect = core_effect(&entry.scratch->verdict, ambit_backend != AMBIT_BACKEND_portable);
	fill_head(entry.scratch, entry.process->slot, AMBIT_KIND_exec, effect);
	emit_exec(entry.scratch, (__u64)BPF_CORE_READ(bprm, file), 1);
	respond(entry.process->slot, effect);
	return 0;
}

/* An inode that is gone for good is no credential any more; its number will be another file's.
 * Outsiders pay one test of the link count.
 */
static __always_inline void forget_inode(struct inode *inode)
{
	struct core_inode_key key = {};

	if (BPF_CORE_READ(inode, i_nlink))
		return;
	inode_key(&key, inode, 0);
	for (int space = 0; space < 4; space++) {
		key.space = space;
		bpf_map_delete_elem(&inodes, &key);
		bpf_map_delete_elem(&anchors, &key);
	}
}

SEC("lsm/inode_free_security")
int BPF_PROG(lsm_inode_free, struct inode *inode)
{
	forget_inode(inode);
	return 0;
}

SEC("fentry/security_inode_free")
int BPF_PROG(fmod_inode_free, struct inode *inode)
{
	forget_inode(inode);
	return 0;
}
