// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* Delegation: a thread goes from one task into another. Its record is changed where it stands:
 * written from user space, a whole one would be put in place of that to which hooks write at this
 * moment.
 */
#include "bpf/maps.bpf.h"

char _license[] __weak SEC("license") = "GPL";

/* What is asked for and what became of it. The daemon alone asks. */
__u32 ambit_move[AMBIT_MOVE_WORDS] __weak SEC(".bss");

/* What the thread holds keeps its bits, which all of a family of tasks share. Which program it runs
 * was judged by the other task's readers: it is one again when it executes.
 */
SEC("iter/task")
int move_thread(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct ambit_member member = {};
	struct core_mask none = {};
	struct core_process *process;
	__u64 number;
	__u32 tid;

	if (!task || (__u32)task->tgid != ambit_move[AMBIT_MOVE_PID] ||
	    (__u32)task->pid != ambit_move[AMBIT_MOVE_TID])
		return 0;
	process = bpf_task_storage_get(&processes, task, 0, 0);
	if (!process) {
		ambit_move[AMBIT_MOVE_STATE] = AMBIT_MOVE_BLANK;
		return 0;
	}
	ambit_move[AMBIT_MOVE_STATE] = AMBIT_MOVE_ELSEWHERE;
	if (process->slot == ambit_move[AMBIT_MOVE_TO])
		ambit_move[AMBIT_MOVE_STATE] = AMBIT_MOVE_THERE;
	if (process->slot != ambit_move[AMBIT_MOVE_FROM])
		return 0;
	process->slot = ambit_move[AMBIT_MOVE_TO];
	process->readers = none;
	ambit_move[AMBIT_MOVE_STATE] = AMBIT_MOVE_MOVED;
	tid = task->pid;
	member.slot = ambit_move[AMBIT_MOVE_TO];
	member.pid = task->tgid;
	bpf_map_update_elem(&members, &tid, &member, BPF_EXIST);
	if (ambit_backend == AMBIT_BACKEND_portable && task->pid == task->tgid) {
		number = BPF_CORE_READ(task, thread_pid, ino);
		bpf_map_update_elem(&own_pids, &number, &ambit_move[AMBIT_MOVE_TO], BPF_ANY);
	}
	return 0;
}
