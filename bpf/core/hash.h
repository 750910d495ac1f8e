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

/* `length` bytes of `name`; what stands behind them in the last word does not count. */
CORE_INLINE __u64 core_hash_name(const struct core_name *name, __u32 length)
{
	__u64 h = core_mix(0x243f6a8885a308d3ULL, length);
	__u32 left = length;

	for (int i = 0; i < CORE_NAME_SIZE / 8; i++) {
		__u64 word;

		if (!left)
			break;
		word = name->word[i];
		if (left < 8) {
			word &= (1ULL << (left * 8)) - 1;
			left = 0;
		} else {
			left -= 8;
		}
		h = core_mix(h, word);
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
