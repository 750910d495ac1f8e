// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* The guard: the monitor's processes and files, other processes, and the powers over the machine
 * that no task has unless its scope grants them.
 */
#include "bpf/lib/credential.bpf.h"
#include "bpf/lib/guard.bpf.h"

char _license[] __weak SEC("license") = "GPL";

/* As AMBIT_DENY_HOOK, without the earlier return value: the kernel calls no further program once
 * one has refused, and where the value stands depends on the version (bpf, perf_event_open).
 */
#define AMBIT_GUARD_HOOK(hook, lsm_name, function, names, ...) \
	SEC("lsm/" #lsm_name) \
	int BPF_PROG(lsm_##hook, __VA_ARGS__) \
	{ \
		if (hook names) \
			return -EPERM; \
		return 0; \
	} \
	SEC("fmod_ret/" #function) \
	int BPF_PROG(fmod_##hook, __VA_ARGS__) \
	{ \
		if (hook names) \
			return -EPERM; \
		return 0; \
	}

/* Asks the guard about something that is no file. */
static __always_inline int ask(__u32 hook, struct ambit_guarded *what)
{
	struct ambit_entry entry;
	int state = enter(&entry, hook);

	return state == AMBIT_DECIDE ? guard(entry.scratch, what) : state;
}

static __always_inline int is_outsider(void)
{
	struct core_process *process;

	return current_membership(&process) == AMBIT_OUTSIDER;
}

/* ---- processes ---- */

/* kill(0, …) is for the sender's own group, in which `ambit run` stands beside its command. */
static __always_inline int is_for_own_group(void)
{
	struct pt_regs___kernel *regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());

	return BPF_CORE_READ(regs, orig_ax) == 62 && !(__u32)BPF_CORE_READ(regs, di);
}

/* A signal to anyone else is the kernel's to judge; signal 0 asks whether a process is there. */
static __always_inline int task_kill(struct task_struct *task, int number)
{
	struct ambit_guarded what = {.operation = CORE_OPERATION_signal, .aim = CORE_AIM_MONITOR};

	if (!number || is_outsider() || slot_of_task(task) != CORE_SLOT_MONITOR)
		return 0;
	what.target = seen_process(ADDRESS_OF(task));
	what.number = number;
	what.quiet = is_for_own_group();
	return ask(AMBIT_HOOK_task_kill, &what);
}
AMBIT_GUARD_HOOK(task_kill, task_kill, security_task_kill, (task, number), struct task_struct *task,
		 void *info, int number, const struct cred *cred)

/* F_SETOWN with F_SETSIG kills by a descriptor that becomes ready, perhaps in an interrupt. */
static __always_inline int file_send_sigiotask(struct task_struct *task, int number)
{
	if (slot_of_task(task) != CORE_SLOT_MONITOR)
		return 0;
	count_hit(AMBIT_HOOK_file_send_sigiotask);
	return 1;
}
AMBIT_GUARD_HOOK(file_send_sigiotask, file_send_sigiotask, security_file_send_sigiotask,
		 (task, number), struct task_struct *task, void *fown, int number)

#define PTRACE_MODE_ATTACH 2u
#define PTRACE_MODE_NOAUDIT 4u

/* Also /proc/PID/mem, process_vm_readv, pidfd_getfd, kcmp. Reading what /proc tells of others
 * (programs, descriptors) is ordinary work, but of the monitor.
 */
static __always_inline int on_ptrace(struct task_struct *task, __u32 mode, __u32 hook)
{
	struct ambit_guarded what = {.operation = CORE_OPERATION_ptrace,
				     .aim = CORE_AIM_PROCESS,
				     .privilege = CORE_PRIVILEGE_ptrace};
	struct core_process *process;
	enum ambit_membership membership = current_membership(&process);
	__u32 slot;

	if (membership == AMBIT_OUTSIDER)
		return 0;
	if (membership == AMBIT_UNDECIDED || !process)
		return 1;
	slot = slot_of_task(task);
	if (slot == process->slot)
		return 0;
	if (slot == CORE_SLOT_MONITOR) {
		what.aim = CORE_AIM_MONITOR;
		what.privilege = CORE_PRIVILEGE_none;
		what.quiet = !!(mode & PTRACE_MODE_NOAUDIT);
	} else if (!(mode & PTRACE_MODE_ATTACH)) {
		return 0;
	}
	what.target = seen_process(ADDRESS_OF(task));
	return ask(hook, &what);
}

static __always_inline int ptrace_access_check(struct task_struct *task, __u32 mode)
{
	return on_ptrace(task, mode, AMBIT_HOOK_ptrace_access_check);
}
AMBIT_GUARD_HOOK(ptrace_access_check, ptrace_access_check, security_ptrace_access_check,
		 (task, mode), struct task_struct *task, unsigned int mode)

static __always_inline int ptrace_traceme(struct task_struct *parent)
{
	return on_ptrace(parent, PTRACE_MODE_ATTACH, AMBIT_HOOK_ptrace_traceme);
}
AMBIT_GUARD_HOOK(ptrace_traceme, ptrace_traceme, security_ptrace_traceme, (parent),
		 struct task_struct *parent)

static __always_inline int on_monitor(struct task_struct *task, __u32 operation, __u32 hook)
{
	struct ambit_guarded what = {.operation = operation, .aim = CORE_AIM_MONITOR};

	if (is_outsider() || slot_of_task(task) != CORE_SLOT_MONITOR)
		return 0;
	what.target = seen_process(ADDRESS_OF(task));
	return ask(hook, &what);
}

static __always_inline int task_setnice(struct task_struct *task)
{
	return on_monitor(task, CORE_OPERATION_schedule, AMBIT_HOOK_task_setnice);
}
AMBIT_GUARD_HOOK(task_setnice, task_setnice, security_task_setnice, (task),
		 struct task_struct *task, int nice)

static __always_inline int task_setscheduler(struct task_struct *task)
{
	return on_monitor(task, CORE_OPERATION_schedule, AMBIT_HOOK_task_setscheduler);
}
AMBIT_GUARD_HOOK(task_setscheduler, task_setscheduler, security_task_setscheduler, (task),
		 struct task_struct *task)

static __always_inline int task_setioprio(struct task_struct *task)
{
	return on_monitor(task, CORE_OPERATION_schedule, AMBIT_HOOK_task_setioprio);
}
AMBIT_GUARD_HOOK(task_setioprio, task_setioprio, security_task_setioprio, (task),
		 struct task_struct *task, int priority)

static __always_inline int task_setrlimit(struct task_struct *task)
{
	return on_monitor(task, CORE_OPERATION_limit, AMBIT_HOOK_task_setrlimit);
}
AMBIT_GUARD_HOOK(task_setrlimit, task_setrlimit, security_task_setrlimit, (task),
		 struct task_struct *task, unsigned int resource, void *limit)

/* ---- powers over the machine ---- */

static __always_inline int ask_privilege(__u32 hook, __u32 operation, __u32 privilege, __u32 number)
{
	struct ambit_guarded what = {.operation = operation,
				     .aim = CORE_AIM_MACHINE,
				     .privilege = privilege,
				     .number = number};

	return ask(hook, &what);
}

/* The kind of object that a command names by its number; the kernel's copy of the arguments begins
 * with that number.
 */
static __always_inline __u32 kind_of_id(int command)
{
	switch (command) {
	case BPF_PROG_GET_FD_BY_ID:
		return AMBIT_ID_PROGRAM;
	case BPF_MAP_GET_FD_BY_ID:
		return AMBIT_ID_MAP;
	case BPF_LINK_GET_FD_BY_ID:
		return AMBIT_ID_LINK;
	}
	return 0;
}

static __always_inline int bpf(int command, void *attributes)
{
	struct ambit_guarded what = {.operation = CORE_OPERATION_bpf,
				     .aim = CORE_AIM_MACHINE,
				     .privilege = CORE_PRIVILEGE_bpf,
				     .number = command};
	struct ambit_guarded_id key = {};

	if (is_outsider())
		return 0;
	key.kind = kind_of_id(command);
	if (key.kind)
		bpf_probe_read_kernel(&key.id, sizeof(key.id), attributes);
	/* Which pin is named is not to be told here: Ambit's own are among them. */
	if (command == BPF_OBJ_GET || (key.kind && bpf_map_lookup_elem(&guarded_ids, &key))) {
		what.aim = CORE_AIM_MONITOR;
		what.privilege = CORE_PRIVILEGE_none;
	}
	return ask(AMBIT_HOOK_bpf, &what);
}
AMBIT_GUARD_HOOK(bpf, bpf, security_bpf, (command, attributes), int command, void *attributes,
		 unsigned int size)

/* Counting what one's own program does in user mode is ordinary work: that is type 0. The others
 * are a whole processor, the kernel, and tracepoints. The type is the last argument; 6.12 has no
 * other, 6.1 has.
 */
static __always_inline int perf_event_open(void *context)
{
	__u64 type = 0;

	if (is_outsider())
		return 0;
	bpf_get_func_arg(context, (__u32)bpf_get_func_arg_cnt(context) - 1, &type);
	if (!(__u32)type)
		return 0;
	return ask_privilege(AMBIT_HOOK_perf_event_open, CORE_OPERATION_perf_event_open,
			     CORE_PRIVILEGE_perf, (__u32)type);
}

SEC("lsm/perf_event_open")
int lsm_perf_event_open(void *context)
{
	if (perf_event_open(context))
		return -EPERM;
	return 0;
}

SEC("fmod_ret/security_perf_event_open")
int fmod_perf_event_open(void *context)
{
	if (perf_event_open(context))
		return -EPERM;
	return 0;
}

/* Both enumerations have the same words; their numbers move between versions. */
enum kernel_read_file_id {
	READING_FIRMWARE = 1,
	READING_MODULE = 2,
	READING_KEXEC_IMAGE = 3,
	READING_KEXEC_INITRAMFS = 4,
};

static __always_inline int on_load(__u32 what, __u32 hook)
{
	if (what == bpf_core_enum_value(enum kernel_read_file_id, READING_MODULE))
		return ask_privilege(hook, CORE_OPERATION_load_module, CORE_PRIVILEGE_modules, 0);
	if (what == bpf_core_enum_value(enum kernel_read_file_id, READING_KEXEC_IMAGE) ||
	    what == bpf_core_enum_value(enum kernel_read_file_id, READING_KEXEC_INITRAMFS))
		return ask_privilege(hook, CORE_OPERATION_load_kexec, CORE_PRIVILEGE_kexec, 0);
	return 0;
}

static __always_inline int kernel_read_file(int what)
{
	return on_load(what, AMBIT_HOOK_kernel_read_file);
}
AMBIT_GUARD_HOOK(kernel_read_file, kernel_read_file, security_kernel_read_file, (what),
		 struct file *file, int what, bool contents)

static __always_inline int kernel_load_data(int what)
{
	return on_load(what, AMBIT_HOOK_kernel_load_data);
}
AMBIT_GUARD_HOOK(kernel_load_data, kernel_load_data, security_kernel_load_data, (what), int what,
		 bool contents)

enum lockdown_reason {
	LOCKDOWN_MODULE_SIGNATURE = 1,
	LOCKDOWN_KEXEC = 4,
	LOCKDOWN_BPF_WRITE_USER = 17,
	LOCKDOWN_INTEGRITY_MAX = 21,
};

/* What could change the running kernel, as kernel lockdown lists it: memory, ports, registers,
 * tables of the firmware. Modules, kexec and bpf() have hooks of their own.
 */
static __always_inline int locked_down(__u32 what)
{
	if (what <= bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_MODULE_SIGNATURE) ||
	    what >= bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_INTEGRITY_MAX) ||
	    what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_KEXEC) ||
	    what == bpf_core_enum_value(enum lockdown_reason, LOCKDOWN_BPF_WRITE_USER))
		return 0;
	return ask_privilege(AMBIT_HOOK_locked_down, CORE_OPERATION_touch_kernel,
			     CORE_PRIVILEGE_kernel_memory, what);
}
AMBIT_GUARD_HOOK(locked_down, locked_down, security_locked_down, (what), int what)

#define TIOCSTI 0x5412u
#define TIOCLINUX 0x541cu
#define FS_IOC_SETFLAGS 0x40086602u
#define FS_IOC32_SETFLAGS 0x40046602u
#define FS_IOC_FSSETXATTR 0x401c5820u

/* Typing into a terminal, and attributes of files (immutable, append only). */
static __always_inline int file_ioctl(struct file *file, unsigned int command, __u32 hook)
{
	struct ambit_entry entry;
	int state;

	if (command == TIOCSTI || command == TIOCLINUX)
		return ask_privilege(hook, CORE_OPERATION_type, CORE_PRIVILEGE_terminal, command);
	if (command != FS_IOC_SETFLAGS && command != FS_IOC32_SETFLAGS &&
	    command != FS_IOC_FSSETXATTR)
		return 0;
	state = enter(&entry, hook);
	if (state != AMBIT_DECIDE)
		return state;
	return guard_name(entry.scratch, (__u64)BPF_CORE_READ(file, f_path.dentry),
			  (__u64)BPF_CORE_READ(file, f_path.mnt), CORE_OPERATION_change);
}
AMBIT_GUARD_HOOK(file_ioctl, file_ioctl, security_file_ioctl,
		 (file, command, AMBIT_HOOK_file_ioctl), struct file *file, unsigned int command,
		 unsigned long argument)

static __always_inline int file_ioctl_compat(struct file *file, unsigned int command)
{
	return file_ioctl(file, command, AMBIT_HOOK_file_ioctl_compat);
}
AMBIT_GUARD_HOOK(file_ioctl_compat, file_ioctl_compat, security_file_ioctl_compat, (file, command),
		 struct file *file, unsigned int command, unsigned long argument)
