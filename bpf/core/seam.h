/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The look-ups that the decisions need. Whoever includes the decisions defines those
 * that they use: over BPF maps in the kernel, over the same bytes in user space.
 */
#ifndef AMBIT_CORE_SEAM_H
#define AMBIT_CORE_SEAM_H

#include "bpf/core/tables.h"

struct core_walk;

CORE_INLINE const struct core_credential_bit *core_find_bit(void *seam,
							    const struct core_credential_key *key);
CORE_INLINE const struct core_rule *core_find_inode(void *seam, const struct core_inode_key *key);
CORE_INLINE const struct core_anchor *core_find_anchor(void *seam,
						       const struct core_inode_key *key);
CORE_INLINE const struct core_rule *core_find_name(void *seam, const struct core_name_key *key);
CORE_INLINE const struct core_space *core_find_space(void *seam, __u32 space);

/* Part of the component `level` steps above the file into walk->name: all of it
 * (prefix CORE_SHAPE_WHOLE), its first `prefix` bytes, or its last `suffix` bytes when
 * suffix is not 0. Sets walk->name_length; < 0 when the name is shorter, or unreadable.
 */
CORE_INLINE int core_read_name(void *seam, struct core_walk *walk, __u32 level, __u32 prefix,
			       __u32 suffix);

#endif
