/*-------------------------------------------------------------------------
 *
 * cut_tree_report.c
 *	  Dynamic minimum cut of a tree: which nodes are the cut.
 *
 * A node is saturated if its capacity is no more than what arrives, and a
 * stretch of a path holds a saturated node iff its composed cap is no more
 * than all its inflow: so one visit of the places, each before those it
 * holds copies of, finds what arrives everywhere and whether a saturated
 * node is above.  Nothing is written: what a place passes down waits on a
 * stack of as many entries as there are levels.
 *
 * Concurrency: reads only.  Layer 1.
 *
 *-------------------------------------------------------------------------
 */
#include "cut_tree_node.h"

#define MAX_LEVELS		43		/* rvd_cut_tree_pull_bound(MAX_NODES) */

/* A place on the way down. */
typedef struct Level
{
	int32_t		place;
	int64_t		arriving;		/* from below, at the end of the stretch */
	bool		cut_off;		/* a saturated node is above the stretch */
	/* and for what lies below the place */
	int64_t		arriving_own;	/* at the node itself */
	int64_t		injection;		/* of that, what no input passed */
	int64_t		arriving_upper; /* passed by the node */
	bool		own_cut_off;	/* a saturated node is above this one */
	bool		saturated;
} Level;

static bool
is_saturated(int64_t cap, int64_t arriving, bool frontier)
{
	return frontier ? cap >= arriving : cap <= arriving;
}

/* Where place stands, from the level it hangs off (NULL: at the top). */
static void
enter_place(Level *level, const Level *above, const RvdCutNode *node,
			bool frontier)
{
	const RvdCutPiece *upper = &node->piece[RVD_CUT_UPPER];
	const RvdCutPiece *own = &node->piece[RVD_CUT_OWN];
	RvdCutPiece through = node->piece[RVD_CUT_LOWER];

	level->arriving = 0;
	level->cut_off = false;
	switch (rvd_cut_tree_side(node))
	{
		case RVD_CUT_UPPER:
			level->arriving = above->arriving_upper;
			level->cut_off = above->cut_off;
			break;
		case RVD_CUT_LOWER:
			level->arriving = above->arriving;
			level->cut_off = above->own_cut_off || above->saturated;
			break;
		case RVD_CUT_OWN:
			level->cut_off = above->own_cut_off || above->saturated;
			break;
		case RVD_CUT_TOP:
			break;
	}

	through.inflow += level->arriving;
	level->arriving_own = own->inflow +
		rvd_cut_tree_outflow(through, frontier);
	level->injection = own->inflow;
	level->saturated = is_saturated(own->cap, level->arriving_own, frontier);
	level->arriving_upper =
		level->saturated ? own->cap : level->arriving_own;
	level->own_cut_off = level->cut_off ||
		is_saturated(upper->cap, upper->inflow + level->arriving_upper,
					 frontier);
}

/*
 * All that hangs off the level has been visited.  What is left of its inflow
 * without its light inputs is its own injection: where the node is not
 * saturated and nothing above it is, that is what the cut has to cover.
 */
static int32_t
leave_place(const Level *level, const RvdCutNode *places, int32_t *cut)
{
	if (level->own_cut_off || level->saturated || level->injection == 0)
		return 0;
	*cut = ~places[level->place].node;
	return 1;
}

int32_t
rvd_cut_tree_report(const RvdCutTree *t, int32_t *nodes)
{
	const RvdCutNode *places = rvd_cut_tree_nodes(t);
	Level		levels[MAX_LEVELS];
	int32_t		depth = 0;
	int32_t		n_cut = 0;

	if (rvd_cut_tree_value(t) == RVD_CUT_INFINITE)
		return -1;
	for (int32_t place = 0; place < t->n; place++)
	{
		const RvdCutNode *node = &places[place];
		RvdCutSide	side = rvd_cut_tree_side(node);
		Level	   *above = NULL;
		Level	   *level;

		if (side != RVD_CUT_TOP)
		{
			/* depth first: what it hangs off is on the stack */
			while (levels[depth - 1].place != node->link >> 2)
				n_cut += leave_place(&levels[--depth], places, nodes + n_cut);
			above = &levels[depth - 1];
			if (side == RVD_CUT_OWN)
				above->injection -= node->flow;
		}
		level = &levels[depth++];
		level->place = place;
		enter_place(level, above, node, t->frontier);
		if (!level->own_cut_off && level->saturated &&
			level->arriving_upper > 0)
			nodes[n_cut++] = node->node;
	}
	while (depth > 0)
		n_cut += leave_place(&levels[--depth], places, nodes + n_cut);
	return n_cut;
}
