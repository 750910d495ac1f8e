// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Membership: who is in a task, from fork to exit; and what is executed. */
#include "bpf/lib/carry.bpf.h"
#include "bpf/lib/credential.bpf.h"
#include "bpf/lib/descriptor.bpf.h"

char _license[] __weak SEC("license") = "GPL";

#define CLONE_THREAD 0x00010000ULL

extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym __weak; /* 6.2+ */

/* Following a pointer of a trusted object costs the verifier three searches through all types of
 * the kernel (btf_nested_type_is_trusted): 3 ms in each program, 40 % of `ambit run` on 6.18. A
 * pointer that was cast is not asked about. In one object only: libbpf 1.1.2 does not link two
 * that name the same function of the kernel.
 */
__attribute__((noinline)) int has_storage(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (ambit_can_cast)
		task = bpf_rdonly_cast(task, bpf_core_type_id_kernel(struct task_struct));
	return task->bpf_storage != 0;
}

#define CLONE_VM 0x00000100ULL
#define CLONE_VFORK 0x00004000ULL

/* Mappings that are shared stay so in a child. One that has the same memory shares all of it; with
 * vfork its parent waits until that is over.
 */
static __always_inline __u32 leader_flags(__u64 clone_flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct core_process *leader = bpf_task_storage_get(&processes, task->group_leader, 0, 0);
	__u32 shares = 0;

	if (!leader || (clone_flags & CLONE_THREAD))
		return 0;
	if (clone_flags & CLONE_VM)
		shares = CORE_PROCESS_SHARES;
	if (shares && !(clone_flags & CLONE_VFORK))
		__sync_fetch_and_or(&leader->flags, shares);
	return leader->flags | shares;
}

/* What a child of the current process starts with. 0, or < 0: it must not start. */
static __always_inline int inherit(struct task_struct *child, __u64 clone_flags)
{
	struct core_process *parent, *own;
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
	own->flags = leader_flags(clone_flags) & CORE_PROCESS_SHARES;
	with_leader(&own->held, &own->readers, 0);
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

static __always_inline void own_pid(struct task_struct *task, __u32 slot)
{
	__u64 number;

	if (ambit_backend != AMBIT_BACKEND_portable)
		return;
	number = BPF_CORE_READ(task, group_leader, thread_pid, ino);
	bpf_map_update_elem(&own_pids, &number, &slot, BPF_ANY);
}

/* Who is not listed would not be found when the task ends. */
static __always_inline void list_member(struct core_process *process, __u32 tid, __u32 pid)
{
	struct ambit_member member = {.slot = process->slot, .pid = pid};

	if (!bpf_map_update_elem(&members, &tid, &member, BPF_ANY)) {
		/* It may have been moved meanwhile (move_thread). */
		if (*(volatile __u32 *)&process->slot == member.slot)
			return;
		member.slot = process->slot;
		bpf_map_update_elem(&members, &tid, &member, BPF_ANY);
		return;
	}
	count_loss(AMBIT_RING_findings, AMBIT_LOSS_map_full);
	process->flags |= CORE_PROCESS_UNLISTED;
}

/* What user space cannot read any more when the process has ended before it looks. */
static __always_inline void emit_fork(struct task_struct *child, __u32 slot)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct ambit_fork_record record = {.size = sizeof(record), .kind = AMBIT_KIND_FORK};

	record.slot = slot;
	record.uid = (__u32)bpf_get_current_uid_gid();
	record.boot_ns = bpf_ktime_get_boot_ns();
	record.start_boot_ns = child->start_boottime;
	record.pid = seen_process(ADDRESS_OF(child));
	record.parent_start_boot_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	record.parent_pid = seen_process(ADDRESS_OF(task));
	send_record(&record, sizeof(record), 0);
}

/* Who is moved into another task while it starts a child, takes the child along: what was copied
 * before is put right, for the child is listed in /proc by now. Twice, since the move can come
 * between the reading and the writing.
 */
static __always_inline void follow_parent(const struct core_process *parent,
					  struct core_process *child)
{
	child->slot = *(const volatile __u32 *)&parent->slot;
	asm volatile("" ::: "memory");
	child->slot = *(const volatile __u32 *)&parent->slot;
}

/* Sees io_uring workers too, which sched_process_fork does not (KERNEL-FACTS). */
SEC("tp_btf/task_newtask")
int BPF_PROG(task_newtask, struct task_struct *child, __u64 clone_flags)
{
	struct core_process *process, *parent;

	if (current_membership(&parent) == AMBIT_OUTSIDER)
		return 0;
	count_hit(AMBIT_HOOK_task_newtask);
	if (ambit_backend == AMBIT_BACKEND_portable && inherit(child, clone_flags) < 0)
		bpf_send_signal(9);
	process = bpf_task_storage_get(&processes, child, 0, 0);
	if (!process)
		return 0;
	if (parent)
		follow_parent(parent, process);
	own_pid(child, process->slot);
	list_member(process, child->pid, seen_process(ADDRESS_OF(child)));
	if (!(clone_flags & CLONE_THREAD))
		emit_fork(child, process->slot);
	return 0;
}

/* Ambit's own processes that live: user space adds, the end of one takes it out. */
#define AMBIT_MONITORS 32
__u32 ambit_monitors[AMBIT_MONITORS] __weak SEC(".bss");

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym __weak; /* 6.2+ */
extern void bpf_task_release(struct task_struct *task) __ksym __weak;
extern int bpf_send_signal_task(struct task_struct *task, int number, enum pid_type type,
				__u64 value) __ksym __weak; /* 6.13+ */

/* What a holder let a process open. Its record is changed where it stands: the process itself may
 * be on its way into another task, or opening something else.
 */
SEC("syscall")
int hold_for(struct ambit_gain *gain)
{
	struct file *file = file_of(bpf_get_current_task_btf(), gain->process);
	struct core_mask what = gain->held;
	struct core_process *process = 0;
	struct task_struct *task;
	struct pid *pid;
	__u32 number = 0;

	pid = BPF_CORE_READ(file, f_inode, i_private);
	if (!pid || bpf_probe_read_kernel(
			    &number, sizeof(number),
			    (void *)((__u64)pid + bpf_core_field_offset(struct pid, numbers))))
		return 1;
	task = bpf_task_from_pid(number);
	if (!task)
		return 1;
	if (BPF_CORE_READ(task, thread_pid) == pid)
		process = bpf_task_storage_get(&processes, task, 0, 0);
	if (process)
		mask_or_atomic(&process->held, &what);
	bpf_task_release(task);
	return !process;
}

struct bpf_map;
static long end_step(struct bpf_map *map, const void *key, void *value, void *context)
{
	const struct ambit_member *member = value;
	__u32 slot = member->slot;
	struct core_task *bound = bpf_map_lookup_elem(&tasks, &slot);
	struct task_struct *task;

	if (!bound)
		return 0;
	__sync_fetch_and_or(&bound->flags, CORE_TASK_KILLED); /* what is born meanwhile */
	task = bpf_task_from_pid(*(const __s32 *)key);
	if (!task)
		return 0;
	/* Signals to others go by an interrupt of this processor, one at a time (-EBUSY). */
	for (int i = 0; i < 256; i++)
		if (bpf_send_signal_task(task, 9, PIDTYPE_TGID, 0) != -16)
			break;
	bpf_task_release(task);
	return 0;
}

/* Nobody answers for the tasks any more, and the hooks go with this process: the tasks end first.
 */
static __always_inline void monitor_ended(__u32 pid)
{
	__u32 own = 0, others = 0;

	for (__u32 i = 0; i < AMBIT_MONITORS; i++) {
		if (ambit_monitors[i] == pid) {
			ambit_monitors[i] = 0;
			own = 1;
		}
		others |= ambit_monitors[i];
	}
	if (own && !others && ambit_can_signal)
		bpf_for_each_map_elem(&members, end_step, 0, 0);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	__u32 tid = task->pid;

	if (tid == (__u32)task->tgid)
		monitor_ended(seen_process(ADDRESS_OF(task)));
	if (!has_storage())
		return 0;
	bpf_map_delete_elem(&members, &tid);
	return 0;
}

/* The arguments of the program that has just been put in place, behind `at` bytes of the box. */
CORE_INLINE __u32 write_argv(struct ambit_outbox *box, __u32 at, __u8 *cut)
{
	struct task_struct *task = bpf_get_current_task_btf();
	unsigned long start = BPF_CORE_READ(task, mm, arg_start);
	unsigned long all = BPF_CORE_READ(task, mm, arg_end) - start;
	__u32 length;

	if (all > AMBIT_ARGV_SIZE - 1) {
		all = AMBIT_ARGV_SIZE - 1;
		*cut = 1;
	}
	length = all;
	at &= AMBIT_PATH_SIZE - 1;
	length &= AMBIT_ARGV_SIZE - 1;
	asm volatile("" : "+r"(at), "+r"(length));
	at &= AMBIT_PATH_SIZE - 1;
	length &= AMBIT_ARGV_SIZE - 1;
	if (length && !bpf_probe_read_user(box->data + at, length, (void *)start))
		return length;
	*cut = 1;
	return 0;
}

AMBIT_GLOBAL int emit_exec(struct ambit_scratch *scratch, __u64 address, __u32 in_place)
{
	struct file *file = (struct file *)address;
	struct ambit_exec_record *record;
	struct ambit_place place = {};
	struct ambit_outbox *box;
	__u32 path = 0, argv = 0;

	if (!scratch)
		return 0;
	record = &scratch->record.exec;
	box = claim_outbox();
	record->ino = BPF_CORE_READ(file, f_inode, i_ino);
	record->dev = device_of(BPF_CORE_READ(file, f_inode));
	record->path_reversed = 1;
	record->path_cut = 1;
	record->argv_cut = 0;
	record->in_place = in_place;
	if (box) {
		place.dentry = (__u64)BPF_CORE_READ(file, f_path.dentry);
		place.mnt = (__u64)BPF_CORE_READ(file, f_path.mnt);
		path = write_path(scratch, box, 0, &place) & (AMBIT_PATH_SIZE - 1);
		record->path_cut = scratch->climb.cut;
		if (in_place)
			argv = write_argv(box, path, &record->argv_cut);
	}
	record->path_length = path;
	record->argv_length = argv;
	return send_box(scratch, box, path + argv);
}

/* The verdict on an exec that goes on is kept until its arguments can be read. */
#define PENDING(reason, requested) ((__u64)(reason) << 8 | (requested))

static __always_inline void decide_program(struct ambit_entry *entry, struct linux_binprm *bprm)
{
	struct ambit_scratch *scratch = entry->scratch;
	struct file *file = BPF_CORE_READ(bprm, file);
	struct core_mask readers;

	trust_mount(scratch, (__u64)BPF_CORE_READ(file, f_path.mnt));
	if (recognise(scratch, scratch->subject.policy.program_space,
		      (__u64)BPF_CORE_READ(file, f_inode),
		      (__u64)BPF_CORE_READ(file, f_path.dentry), scratch->trusted))
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
	take_over_from_leader(entry.process);
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
	struct core_process *process;

	if (current_membership(&process) == AMBIT_MEMBER && process)
		take_over_from_leader(process);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct ambit_entry entry;
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	__u8 effect;

	if (enter(&entry, AMBIT_HOOK_process_exec) != AMBIT_DECIDE)
		return 0;
	list_member(entry.process, tid, seen_process(ADDRESS_OF(task)));
	own_pid(task, entry.process->slot);
	if (ambit_backend == AMBIT_BACKEND_portable) {
		__builtin_memset(&entry.process->pending_readers, 0, sizeof(struct core_mask));
		decide_program(&entry, bprm);
	} else {
		entry.scratch->verdict.reason = entry.process->pending_verdict >> 8;
		entry.scratch->verdict.requested = (__u8)entry.process->pending_verdict;
	}
	entry.process->pending_verdict = 0;
	entry.process->readers = entry.process->pending_readers;
	entry.process->flags &= ~CORE_PROCESS_SHARES;
	core_mask_remove(&entry.process->held, &entry.scratch->subject.policy.hold_process);
	effect = core_effect(&entry.scratch->verdict, can_deny());
	fill_head(entry.scratch, entry.process->slot, AMBIT_KIND_exec, effect);
	emit_exec(entry.scratch, (__u64)BPF_CORE_READ(bprm, file), 1);
	respond(entry.process->slot, effect);
	return 0;
}

static __always_inline void forget_in_space(struct core_inode_key *key, __u32 space)
{
	key->space = space;
	bpf_map_delete_elem(&inodes, key);
	bpf_map_delete_elem(&anchors, key);
}

static long forget_step(struct bpf_map *map, const void *space, void *value, void *context)
{
	forget_in_space(context, *(const __u32 *)space);
	return 0;
}

/* An inode that is gone for good is no credential any more; its number will be another file's.
 * Outsiders pay one test of the link count, and one look-up for what they remove.
 */
static __always_inline void forget_inode(struct inode *inode)
{
	struct core_inode_key key = {};
	__u32 *known, space;

	if (inode->i_nlink && !(ambit_carries && (inode->i_mode & S_IFMT) == S_IFIFO))
		return;
	inode_key(&key, inode, 0);
	if (ambit_carries)
		bpf_map_delete_elem(&channels, &key);
	known = bpf_map_lookup_elem(&known_inodes, &key);
	if (!known)
		return;
	space = *known;
	bpf_map_delete_elem(&known_inodes, &key);
	if (space != AMBIT_SEVERAL_SPACES) {
		forget_in_space(&key, space);
		return;
	}
	bpf_for_each_map_elem(&spaces, forget_step, &key, 0);
	forget_in_space(&key, 0); /* of no pattern, so that it does not stand in `spaces` */
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

/* Run once after the load, by Ambit. */
SEC("syscall")
int find_level(void *context)
{
	ambit_pid_level = BPF_CORE_READ(bpf_get_current_task_btf(), thread_pid, level);
	return 0;
}

/* Run once after the load. Without kernel symbols nothing is remembered (lib/plain.bpf.h). */
SEC("syscall")
int find_locks(void *context)
{
	__u64 renames = 0, mounts = 0;

	if (bpf_kallsyms_lookup_name("rename_lock", sizeof("rename_lock"), 0, &renames) ||
	    bpf_kallsyms_lookup_name("mount_lock", sizeof("mount_lock"), 0, &mounts))
		return 1;
	ambit_rename_lock = renames;
	ambit_mount_lock = mounts;
	return 0;
}
