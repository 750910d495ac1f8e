/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What lets the decisions compile into BPF and into user space alike. */
#ifndef AMBIT_CORE_TYPES_H
#define AMBIT_CORE_TYPES_H

#include <linux/types.h>

#include "bpf/words.h"

#ifdef __bpf__
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#define CORE_INLINE static __always_inline
/* A called function keeps the verifier's paths of its callers apart (6.1 and
 * 6.12 pass a million instructions when the walk is inlined in three hooks).
 */
#define CORE_FUNCTION static __attribute__((noinline))
/* Verified once a program, by itself: what it is called with are numbers and sized memory. */
#define CORE_GLOBAL __weak __attribute__((noinline))
/* Eight calls share 512 bytes of stack: what is deepest must not be unrolled into spills. */
#define CORE_ROLLED _Pragma("clang loop unroll(disable)")
/* Clang must not see what a value is made of. */
#define CORE_OPAQUE(value) asm volatile("" : "+r"(value))
/* The context of bpf_loop must be on the stack (checked on 6.1 to 6.18), so a step gets
 * the address of the pointer to what it works on.
 */
#define CORE_LOOP(count, step, pointer) bpf_loop(count, step, &(pointer), 0)
#else
#define CORE_INLINE static inline
#define CORE_FUNCTION static inline
#define CORE_GLOBAL static inline
#define CORE_ROLLED
#define CORE_OPAQUE(value) (void)(value)
#define CORE_LOOP(count, step, pointer) \
	do { \
		for (__u32 core_i = 0; core_i < (count); core_i++) \
			if (step(core_i, &(pointer))) \
				break; \
	} while (0)
#endif

#ifdef __cplusplus
#define CORE_ASSERT static_assert
#else
#define CORE_ASSERT _Static_assert
#endif

#define CORE_WORD(prefix, word) prefix##word,
#define CORE_REASON(word) CORE_REASON_##word,
#define CORE_RESPONSE(word) CORE_RESPONSE_##word,
#define CORE_EFFECT(word) CORE_EFFECT_##word,
enum core_reason { AMBIT_REASONS(CORE_REASON) };
enum core_response { AMBIT_RESPONSES(CORE_RESPONSE) };
enum core_effect { AMBIT_EFFECTS(CORE_EFFECT) };
#define CORE_PRIVILEGE(word) CORE_PRIVILEGE_##word,
enum core_privilege { AMBIT_PRIVILEGES(CORE_PRIVILEGE) };
#define CORE_OPERATION(word) CORE_OPERATION_##word,
enum core_operation { AMBIT_OPERATIONS(CORE_OPERATION) };

/* A set of credentials, by their bits in a task's policy. */
struct core_mask {
	__u64 word[4];
};

CORE_INLINE int core_mask_empty(const struct core_mask *a)
{
	return !(a->word[0] | a->word[1] | a->word[2] | a->word[3]);
}

CORE_INLINE void core_mask_add(struct core_mask *to, const struct core_mask *from)
{
	to->word[0] |= from->word[0];
	to->word[1] |= from->word[1];
	to->word[2] |= from->word[2];
	to->word[3] |= from->word[3];
}

CORE_INLINE void core_mask_remove(struct core_mask *from, const struct core_mask *what)
{
	from->word[0] &= ~what->word[0];
	from->word[1] &= ~what->word[1];
	from->word[2] &= ~what->word[2];
	from->word[3] &= ~what->word[3];
}

CORE_INLINE void core_mask_keep(struct core_mask *in, const struct core_mask *what)
{
	in->word[0] &= what->word[0];
	in->word[1] &= what->word[1];
	in->word[2] &= what->word[2];
	in->word[3] &= what->word[3];
}

CORE_INLINE int core_mask_has(const struct core_mask *a, __u8 bit)
{
	return (a->word[(bit >> 6) & 3] >> (bit & 63)) & 1;
}

CORE_INLINE void core_mask_set(struct core_mask *a, __u8 bit)
{
	a->word[(bit >> 6) & 3] |= 1ULL << (bit & 63);
}

#endif
