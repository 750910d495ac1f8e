// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* The second line for files on portable: what no mark asked about is seen when the system call that
 * opened it returns, and the process is ended before it can read. A tracepoint of system calls puts
 * all of the machine on the slow path (getppid at 0.66, DESIGN §9), so that this is attached only
 * while a live scope has a credential that is known by pattern alone.
 */
#include "bpf/lib/credential.bpf.h"
#include "bpf/lib/descriptor.bpf.h"

char _license[] __weak SEC("license") = "GPL";

#define TS_COMPAT 2
#define X32_BIT 0x40000000UL

/* System calls of x86-64, and of 32-bit programs, that give a descriptor of a file. */
static __always_inline int opens(unsigned long number, int compat)
{
	if (compat)
		return number == 5 /* open */ || number == 8 /* creat */ ||
		       number == 295 /* openat */ || number == 342 /* open_by_handle_at */ ||
		       number == 437 /* openat2 */ || number == 438 /* pidfd_getfd */;
	number &= ~X32_BIT;
	return number == 2 || number == 85 || number == 257 || number == 304 || number == 437 ||
	       number == 438;
}

#define O_PATH 010000000

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *registers, long returned)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct ambit_opening *opening;
	struct ambit_entry entry;
	struct inode *inode;
	struct file *file;

	if (!task->bpf_storage || returned < 0 ||
	    !opens(registers->orig_ax, task->thread_info.status & TS_COMPAT))
		return 0;
	if (enter(&entry, AMBIT_HOOK_sys_exit) != AMBIT_DECIDE)
		return 0;
	file = file_of(task, returned);
	if (!file || BPF_CORE_READ(file, f_flags) & O_PATH)
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFDIR)
		return 0;
	opening = &entry.scratch->opening;
	opening->flags = AMBIT_FILE_READ | AMBIT_FILE_AGAIN;
	opening->inode = (__u64)inode;
	opening->place.dentry = (__u64)BPF_CORE_READ(file, f_path.dentry);
	opening->place.mnt = (__u64)BPF_CORE_READ(file, f_path.mnt);
	open_credential(entry.scratch, opening);
	return 0;
}
