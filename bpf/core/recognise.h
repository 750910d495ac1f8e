/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What a file is, by its inode, by the directories it stands in, and by names below those. */
#ifndef AMBIT_CORE_RECOGNISE_H
#define AMBIT_CORE_RECOGNISE_H

#include "bpf/core/hash.h"
#include "bpf/core/seam.h"

/* What rules say of a file is collected first: a credential with its rank, or with CORE_RANK_OUT
 * that it is none, whatever else says so. core_match_finish() makes the answer of it.
 */
#define CORE_MAX_SAID 8
struct core_match {
	__u8 flags;
	__u8 count;
	__u16 overflow; /* not 0: more was said than there is room for, so it is undecided */
	__u16 credential[CORE_MAX_MATCHES];
	__u32 said[CORE_MAX_SAID]; /* rank << 16 | credential; 0: nothing */
	struct core_mask mask;
	struct core_mask mask_out;
};

struct core_walk {
	struct core_match match;
	void *seam;
	__u32 space;
	__u32 depth;		    /* components below the directory now looked at */
	__u64 path[CORE_MAX_DEPTH]; /* the seam's own handles of the last components */
	struct core_anchor anchor;
	__u32 below;	    /* components of it that are done */
	__u32 begun_shapes; /* bit set: matched at its own level, and patterns go on */
	__u64 token;	    /* hash of the current component */
	__u64 prefix_hash;  /* of the components below the anchor before the current one */
	__u64 names_hash;   /* with it */
	__u64 shape_hash[CORE_MAX_SHAPES];
	__u8 goes_on;  /* patterns begin with prefix_hash */
	__u8 named;    /* a pattern names something directly in the file's own directory */
	__u8 anywhere; /* the space has patterns that hold anywhere */
	__u8 reserved[5];
	__u32 token_level[CORE_MAX_DEPTH]; /* 1 + level of the token that is kept; 0: none */
	__u32 kept_length[CORE_MAX_DEPTH];
	__u64 kept_token[CORE_MAX_DEPTH];
	__u32 token_length;
	__u32 name_length;
	struct core_name name;
};

CORE_INLINE void core_add_credential(__u16 *list, __u8 *count, __u16 credential)
{
	__u8 n = *count;

	for (int i = 0; i < CORE_MAX_MATCHES; i++)
		if (i < n && list[i] == credential)
			return;
	if (n < CORE_MAX_MATCHES) {
		list[n & (CORE_MAX_MATCHES - 1)] = credential;
		*count = n + 1;
	}
}

/* All bits where a < b, both below 2^63. Without branches: each would be a path for the verifier,
 * times eight, times eight. Clang makes one of the difference and of its sign where it sees them.
 */
CORE_INLINE __u64 core_if_less(__u64 a, __u64 b)
{
	__u64 sign = a - b;

	CORE_OPAQUE(sign);
	sign >>= 63;
	CORE_OPAQUE(sign);
	return -sign;
}

CORE_INLINE void core_say(struct core_match *match, __u16 credential, __u16 rank)
{
	__u64 entry = (__u64)rank << 16 | credential, open = ~0ULL;

	for (int i = 0; i < CORE_MAX_SAID; i++) {
		__u64 said = match->said[i];
		__u64 here = core_if_less(said, 1) | core_if_less((said ^ credential) & 0xffff, 1);

		match->said[i] =
			(__u32)(said ^ ((said ^ entry) & open & here & core_if_less(said, entry)));
		open &= ~here;
	}
	match->overflow |= (__u16)(open & 1);
}

CORE_GLOBAL int core_match_add(struct core_match *match, const struct core_rule *rule)
{
	if (!match || !rule)
		return 0;
	/* A program that is taken out stays out, whatever else names it. */
	if ((rule->flags & CORE_RULE_PROGRAM) && (rule->flags & CORE_RULE_EXCLUDE))
		match->flags |= CORE_RULE_EXCLUDE;
	else
		match->flags |= rule->flags & (CORE_RULE_PROGRAM | CORE_RULE_UNIX);
	core_mask_add(rule->flags & CORE_RULE_MASK_OUT ? &match->mask_out : &match->mask,
		      &rule->mask);
	CORE_ROLLED
	for (__u32 i = 0; i < 2 * CORE_MAX_MATCHES && i < (__u32)rule->count + rule->out_count;
	     i++) {
		__u64 in = core_if_less(i, rule->count);

		core_say(match, rule->credential[i],
			 (__u16)((rule->rank & in) | (CORE_RANK_OUT & ~in)));
	}
	return 0;
}

/* The most specific of what is left is what the file is. */
CORE_GLOBAL int core_match_finish(struct core_match *match)
{
	__u64 best = 0, count = 0;

	if (!match)
		return 0;
	if (match->flags & CORE_RULE_EXCLUDE)
		match->flags &= (__u8)~CORE_RULE_PROGRAM;
	core_mask_remove(&match->mask, &match->mask_out);
	for (int i = 0; i < CORE_MAX_SAID; i++) {
		__u64 rank = match->said[i] >> 16;

		rank &= core_if_less(rank, CORE_RANK_OUT);
		best ^= (best ^ rank) & core_if_less(best, rank);
	}
	for (int i = 0; i < CORE_MAX_SAID; i++) {
		__u64 rank = match->said[i] >> 16;
		__u16 *next = &match->credential[count & (CORE_MAX_MATCHES - 1)];
		__u64 tied = core_if_less(0, best) & core_if_less(rank ^ best, 1);
		__u64 take = tied & core_if_less(count, CORE_MAX_MATCHES);

		*next ^= (*next ^ match->said[i]) & take;
		count += take & 1;
		match->overflow |= (__u16)(tied & ~take & 1);
	}
	match->count = (__u8)count;
	return 0;
}

/* Looks the names done so far up: as the file itself, or as a directory that it lies below. */
CORE_INLINE void core_try_names(struct core_walk *walk, __u64 hash)
{
	struct core_name_key key = {.space = walk->space, .anchor = walk->anchor.id, .hash = hash};
	const struct core_rule *rule;

	if (walk->below + 1 < walk->depth)
		key.hash = core_hash_below(hash);
	rule = core_find_name(walk->seam, &key);
	if (rule)
		core_match_add(&walk->match, rule);
}

/* The token of the current component in a shape, or < 0 when its name cannot have it. */
CORE_INLINE int core_component_token(struct core_walk *walk, struct core_shape shape, __u64 *token)
{
	__u32 level = walk->depth - 1 - walk->below;
	__u64 prefix;

	*token = walk->token;
	if (shape.prefix == CORE_SHAPE_WHOLE)
		return 0;
	if (walk->token_length < (__u32)shape.prefix + shape.suffix)
		return -1;
	if (core_read_name(walk->seam, walk, level, shape.prefix, 0) < 0)
		return -1;
	prefix = core_hash_name(&walk->name, shape.prefix);
	if (core_read_name(walk->seam, walk, level, 0, shape.suffix) < 0)
		return -1;
	*token = core_shape_token(prefix, core_hash_name(&walk->name, shape.suffix));
	return 0;
}

/* Whether patterns begin with these names and go on. */
CORE_INLINE int core_goes_on(struct core_walk *walk, __u64 hash)
{
	struct core_name_key key = {
		.space = walk->space, .anchor = walk->anchor.id, .hash = core_hash_inner(hash)};
	const struct core_rule *inner = core_find_name(walk->seam, &key);

	return inner ? 1 | (inner->flags & CORE_RULE_NAMED) : 0;
}

/* The same for the names with the current component, which is none of the file's own. */
CORE_INLINE int core_goes_on_below(struct core_walk *walk, __u64 hash)
{
	int goes_on = core_goes_on(walk, hash);

	if (walk->below + 2 == walk->depth && (goes_on & CORE_RULE_NAMED))
		walk->named = 1;
	return goes_on;
}

static long core_shape_step(__u32 index, void *context)
{
	struct core_walk *walk = *(struct core_walk **)context;
	__u32 i = index & (CORE_MAX_SHAPES - 1), bit = 1u << i;
	struct core_shape shape = walk->anchor.shapes[i];
	__u64 token = walk->token, hash = walk->prefix_hash;

	if (index >= walk->anchor.shape_count)
		return 1;
	if (shape.level > walk->below)
		return 0;
	if (shape.level < walk->below) {
		if (!(walk->begun_shapes & bit))
			return 0;
		hash = walk->shape_hash[i];
	} else if (!walk->goes_on || core_component_token(walk, shape, &token) < 0) {
		return 0;
	}
	hash = core_mix(hash, token);
	walk->shape_hash[i] = hash;
	/* No pattern with a `*` goes on below what it names. */
	if (walk->below + 1 == walk->depth)
		core_try_names(walk, hash);
	else if (core_goes_on_below(walk, hash))
		walk->begun_shapes |= bit;
	else
		walk->begun_shapes &= ~bit;
	return 0;
}

/* The current component's hash and length; kept, since several anchors ask for it. */
CORE_INLINE int core_take_token(struct core_walk *walk)
{
	__u32 level = walk->depth - 1 - walk->below, at = level & (CORE_MAX_DEPTH - 1);

	if (walk->token_level[at] == level + 1) {
		walk->token = walk->kept_token[at];
		walk->token_length = walk->kept_length[at];
		return 0;
	}
	if (core_read_name(walk->seam, walk, level, CORE_SHAPE_WHOLE, 0) < 0)
		return -1;
	walk->token_length = walk->name_length;
	walk->token = core_hash_name(&walk->name, walk->name_length);
	walk->token_level[at] = level + 1;
	walk->kept_token[at] = walk->token;
	walk->kept_length[at] = walk->token_length;
	return 0;
}

/* One component below the anchor, from the top down. */
static long core_component_step(__u32 index, void *context)
{
	struct core_walk *walk = *(struct core_walk **)context;

	if (index >= walk->depth || index >= walk->anchor.max_depth)
		return 1;
	if (!walk->goes_on && !walk->begun_shapes)
		return 1;
	walk->below = index;
	if (core_take_token(walk) < 0) {
		walk->named = 1; /* not known to be otherwise */
		return 1;
	}
	walk->prefix_hash = walk->names_hash;
	walk->names_hash = core_mix(walk->names_hash, walk->token);
	if (walk->goes_on)
		core_try_names(walk, walk->names_hash);
	if (walk->anchor.shape_count)
		CORE_LOOP(CORE_MAX_SHAPES, core_shape_step, walk);
	if (walk->goes_on && index + 1 < walk->depth)
		walk->goes_on = (__u8)core_goes_on_below(walk, walk->names_hash);
	return 0;
}

/* All that the patterns below walk->anchor say of the file. */
CORE_INLINE void core_match_below_anchor(struct core_walk *walk)
{
	walk->names_hash = 0;
	walk->begun_shapes = 0;
	if (walk->depth && (walk->anchor.rule.flags & CORE_RULE_SUBTREE))
		core_match_add(&walk->match, &walk->anchor.rule);
	if (!walk->anchor.max_depth)
		return;
	walk->goes_on = 1;
	if (walk->anchor.id != CORE_ANCHOR_ANYWHERE) {
		walk->goes_on = (__u8)core_goes_on(walk, 0);
		if (walk->depth == 1 && (walk->goes_on & CORE_RULE_NAMED))
			walk->named = 1;
	}
	CORE_LOOP(CORE_MAX_DEPTH, core_component_step, walk);
}

/* Patterns that hold anywhere look at the file's own name; walk->depth is 1. */
CORE_INLINE void core_match_anywhere(struct core_walk *walk)
{
	const struct core_space *space = core_find_space(walk->seam, walk->space);

	if (!space || !space->shape_count)
		return;
	walk->anywhere = 1;
	walk->anchor.id = CORE_ANCHOR_ANYWHERE;
	walk->anchor.max_depth = 1;
	walk->anchor.shape_count = (__u8)space->shape_count;
	walk->anchor.rule.flags = 0;
	for (int i = 0; i < CORE_MAX_SHAPES; i++)
		walk->anchor.shapes[i] = space->shapes[i];
	core_match_below_anchor(walk);
}

/* The directory `key` with walk->depth components of the path below it. */
CORE_INLINE void core_match_directory(struct core_walk *walk, const struct core_inode_key *key)
{
	const struct core_anchor *anchor = core_find_anchor(walk->seam, key);

	if (!anchor)
		return;
	walk->anchor = *anchor;
	core_match_below_anchor(walk);
}

/* Whether no pattern said anything of the file, not even that it is none. Before
 * core_match_finish().
 */
CORE_INLINE int core_nothing_said(const struct core_match *match)
{
	return !match->said[0] && !match->flags && core_mask_empty(&match->mask) &&
	       core_mask_empty(&match->mask_out);
}

#endif
