// SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0
/* What a holder of portable asks about a file that somebody is opening: the walk over the dentries
 * themselves, as the hooks of the other backends do it. A path would be another namespace's, is
 * gone with the file's last name, and costs a system call a component.
 */
#include "bpf/lib/descriptor.bpf.h"
#include "bpf/lib/credential.bpf.h"

char _license[] __weak SEC("license") = "GPL";

SEC("syscall")
int holder_recognise(struct ambit_question *question)
{
	struct ambit_scratch *scratch = scratch_of_current();
	struct file *file = file_of(bpf_get_current_task_btf(), question->descriptor);
	const struct core_match *match;
	__u64 mnt;

	if (!scratch || !file)
		return 1;
	mnt = (__u64)BPF_CORE_READ(file, f_path.mnt);
	if (question->permits) {
		trust_mount(scratch, mnt);
		mnt = scratch->trusted;
	}
	scratch->spot.dir_ino = 0;
	question->undecided =
		recognise(scratch, question->space, (__u64)BPF_CORE_READ(file, f_inode),
			  (__u64)BPF_CORE_READ(file, f_path.dentry), mnt) != 0;
	match = &scratch->walk.match;
	question->count = match->count;
	question->flags = match->flags;
	question->credential[0] = match->credential[0];
	question->credential[1] = match->credential[1];
	question->credential[2] = match->credential[2];
	question->credential[3] = match->credential[3];
	question->mask[0] = match->mask.word[0];
	question->mask[1] = match->mask.word[1];
	question->mask[2] = match->mask.word[2];
	question->mask[3] = match->mask.word[3];
	return 0;
}
