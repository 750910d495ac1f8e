/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The file behind a descriptor of the current process. */
#ifndef AMBIT_DESCRIPTOR_BPF_H
#define AMBIT_DESCRIPTOR_BPF_H

#include "bpf/lib/kernel_types.h"

static __always_inline struct file *file_of(struct task_struct *task, long descriptor)
{
	struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **slots = BPF_CORE_READ(table, fd), *file = 0;

	if (descriptor < 0 || (unsigned long)descriptor >= BPF_CORE_READ(table, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), slots + descriptor);
	return file;
}

#endif
