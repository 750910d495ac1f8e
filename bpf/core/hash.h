/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Hashes of path components. Not keyed: whoever finds a collision makes one of
 * his own files look like a credential, which denies him that file and opens none.
 */
#ifndef AMBIT_CORE_HASH_H
#define AMBIT_CORE_HASH_H

#include "bpf/core/types.h"

#define CORE_NAME_SIZE 256 /* NAME_MAX + 1; a multiple of 8 */

struct core_name {
	__u64 word[CORE_NAME_SIZE / 8];
};

CORE_INLINE __u64 core_mix(__u64 h, __u64 value)
{
	h = (h ^ value) * 0x9e3779b97f4a7c15ULL;
	return h ^ (h >> 29);
}

/* `length` bytes of `name`, at most 255; what stands behind them in the last word is cleared.
 * Verified once a program, and without a branch but the loop's end: inlined where names are
 * matched, three copies were a third of what the verifier reads for a walk.
 */
CORE_GLOBAL __u64 core_hash_name(struct core_name *name, __u32 length)
{
	__u64 h = core_mix(0x243f6a8885a308d3ULL, length);

	if (!name)
		return h;
	name->word[length / 8 % (CORE_NAME_SIZE / 8)] &= (1ULL << (length % 8 * 8)) - 1;
	CORE_ROLLED
	for (__u32 i = 0; i < CORE_NAME_SIZE / 8; i++) {
		if (i * 8 >= length)
			break;
		h = core_mix(h, name->word[i]);
	}
	return h;
}

/* The token of a component that is matched by its first and last bytes. */
CORE_INLINE __u64 core_shape_token(__u64 prefix_hash, __u64 suffix_hash)
{
	return core_mix(core_mix(0x13198a2e03707344ULL, prefix_hash), suffix_hash);
}

/* Names of a directory stand for all that lies below it, never for a file of that name. */
CORE_INLINE __u64 core_hash_below(__u64 hash)
{
	return core_mix(hash, 0xa4093822299f31d0ULL);
}

/* Names with which patterns begin and go on; 0: of the anchor itself. */
CORE_INLINE __u64 core_hash_inner(__u64 hash)
{
	return core_mix(hash, 0x082efa98ec4e6c89ULL);
}

#endif
