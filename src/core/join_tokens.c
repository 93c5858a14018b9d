/*-------------------------------------------------------------------------
 *
 * join_tokens.c
 *	  Orders of joins as short lists of numbers; see the header.
 *
 * Tokens come back from a table anybody may have written to: reading accepts
 * nothing it has not checked.
 *
 * Layer 0, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/join_tokens.h"

#define HEAD_TOKENS		3
#define RELATION_BITS	6
#define RELATION_MASK	((1 << RELATION_BITS) - 1)
#define FLAGS_SHIFT		10
#define FLAGS_MASK		(RVD_JOIN_METHOD | RVD_JOIN_SWAPPED | RVD_JOIN_PRODUCT)
#define NO_RELATION		0x4000
#define JOIN_FLAG		0x8000

/* A tree under construction: how many parts lie on the stack. */
typedef struct Growth
{
	int32_t		n;				/* elements so far */
	int32_t		depth;
	uint64_t	seen;			/* relations */
} Growth;

static bool
sane_head(const RvdJoinTree *tree)
{
	return tree->sequence >= 0 && tree->sequence < RVD_JOIN_PROBLEMS &&
		tree->relations >= 2 && tree->relations <= RVD_JOIN_RELATIONS;
}

/* Would the element be a right one now?  Then the tree has grown by it. */
static bool
grow(Growth *g, const RvdJoinTree *tree, int element)
{
	if (g->n >= 2 * tree->relations - 1)
		return false;
	if (element < 0)
	{
		if (RVD_JOIN_FLAGS(element) > FLAGS_MASK || g->depth < 2)
			return false;
		g->depth--;
	}
	else
	{
		if (element >= tree->relations || (g->seen >> element) & 1)
			return false;
		g->seen |= UINT64_C(1) << element;
		g->depth++;
	}
	g->n++;
	return true;
}

bool
rvd_join_tree_valid(const RvdJoinTree *tree)
{
	Growth		g = {0, 0, 0};

	if (!sane_head(tree))
		return false;
	for (int i = 0; i < 2 * tree->relations - 1; i++)
		if (!grow(&g, tree, tree->element[i]))
			return false;
	return g.depth == 1;
}

RvdStatus
rvd_join_tokens_put(uint16_t *tokens, int32_t capacity, int32_t *used,
					const RvdJoinTree *tree)
{
	int32_t		at = *used + HEAD_TOKENS;
	int32_t		n;
	int32_t		body = 0;

	if (!rvd_join_tree_valid(tree))
		return RVD_ERR_ARGUMENT;
	n = 2 * tree->relations - 1;

	/* a join shares the token of the relation right before it */
	for (int i = 0; i < n; i++)
		body += tree->element[i] >= 0 || tree->element[i - 1] < 0;
	if (*used < 0 || *used > capacity || body > capacity - at)
		return RVD_ERR_FULL;

	tokens[*used] = (uint16_t) (tree->sequence << RELATION_BITS |
								tree->relations);
	tokens[*used + 1] = (uint16_t) (tree->check & 0xffff);
	tokens[*used + 2] = (uint16_t) (tree->check >> 16);
	for (int i = 0; i < n; i++)
	{
		int			element = tree->element[i];
		unsigned	token = NO_RELATION;

		if (element >= 0)
		{
			token = (unsigned) element;
			if (i + 1 < n && tree->element[i + 1] < 0)
				element = tree->element[++i];
		}
		if (element < 0)
			token |= JOIN_FLAG |
				(unsigned) RVD_JOIN_FLAGS(element) << FLAGS_SHIFT;
		tokens[at++] = (uint16_t) token;
	}
	*used = at;
	return RVD_OK;
}

/* The elements one token stands for, appended; false: not here. */
static bool
take(RvdJoinTree *tree, Growth *g, unsigned token)
{
	if (!(token & NO_RELATION))
	{
		if (!grow(g, tree, (int) (token & RELATION_MASK)))
			return false;
		tree->element[g->n - 1] = (int8_t) (token & RELATION_MASK);
	}
	if (token & JOIN_FLAG)
	{
		int			join = RVD_JOIN((int) (token >> FLAGS_SHIFT &
										 FLAGS_MASK));

		if (!grow(g, tree, join))
			return false;
		tree->element[g->n - 1] = (int8_t) join;
	}
	return true;
}

/* Read the tree that begins at *at and move on; false: none does. */
static bool
read_tree(const uint16_t *tokens, int32_t used, int32_t *at, RvdJoinTree *tree)
{
	Growth		g = {0, 0, 0};

	if (used - *at < HEAD_TOKENS)
		return false;
	tree->sequence = tokens[*at] >> RELATION_BITS;
	tree->relations = tokens[*at] & RELATION_MASK;
	tree->check = (uint32_t) tokens[*at + 1] |
		(uint32_t) tokens[*at + 2] << 16;
	if (!sane_head(tree))
		return false;
	*at += HEAD_TOKENS;
	while (g.n < 2 * tree->relations - 1)
	{
		if (*at >= used || !take(tree, &g, tokens[*at]))
			return false;
		(*at)++;
	}
	return g.depth == 1;
}

RvdStatus
rvd_join_tokens_get(const uint16_t *tokens, int32_t used, int32_t sequence,
					RvdJoinTree *tree)
{
	int32_t		at = 0;

	while (at < used)
	{
		if (!read_tree(tokens, used, &at, tree))
			return RVD_ERR_EMPTY;
		if (tree->sequence == sequence)
			return RVD_OK;
	}
	return RVD_ERR_EMPTY;
}
