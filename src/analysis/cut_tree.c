/*-------------------------------------------------------------------------
 *
 * cut_tree.c
 *	  Dynamic minimum cut of a tree: updates and the value.  See flow.h.
 *
 * An update replaces one node's own piece and composes its stretch anew, then
 * the stretch above, up to the root.  A step within a path at least doubles
 * the weight of the stretch, and so does the subtree along a light edge:
 * hence at most log2 n of either and a pull each, plus the first.
 *
 * Inflows change by differences, which saturating arithmetic does not allow
 * (what was cut off cannot be taken back).  So infinity is a number: larger
 * than all finite capacities together, small enough that n of it fit.
 *
 * Heavy paths in balanced trees of weights: D. D. Sleator and R. E. Tarjan,
 * "A Data Structure for Dynamic Trees", JCSS 26, 1983, without the links and
 * cuts.  Memory: the caller's, see cut_tree_build.c.  Concurrency: updates
 * exclude everything else.  Layer 1.
 *
 *-------------------------------------------------------------------------
 */
#include "cut_tree_node.h"

int32_t
rvd_cut_tree_pull_bound(int32_t n)
{
	int32_t		log = 0;

	if (n < 1)
		return 0;
	while (n >> (log + 1) != 0)
		log++;
	return 2 * log + 1;
}

int32_t
rvd_cut_tree_pulls(const RvdCutTree *t)
{
	return t->pulls;
}

int64_t
rvd_cut_tree_value(const RvdCutTree *t)
{
	int64_t		flow = rvd_cut_tree_nodes(t)[0].flow;

	return flow < t->infinite ? flow : RVD_CUT_INFINITE;
}

/*
 * Carry a change of node's own piece to the root.  frontier and stop are
 * constants in each caller, so that each kind of update is compiled apart.
 * stop: as soon as the place above sees no difference.
 */
static inline void
propagate(RvdCutTree *t, RvdCutNode *node, bool frontier, bool stop)
{
	RvdCutNode *nodes = rvd_cut_tree_nodes(t);
	int32_t		pulls = 0;

	for (;;)
	{
		RvdCutPiece whole = rvd_cut_tree_whole(node, frontier);
		RvdCutNode *above = nodes + (node->link >> 2);
		RvdCutSide	side = rvd_cut_tree_side(node);

		pulls++;
		if (side < RVD_CUT_OWN)
		{
			RvdCutPiece *seen = &above->piece[side];

			if (stop && seen->cap == whole.cap &&
				seen->inflow == whole.inflow)
				break;
			*seen = whole;
		}
		else
		{
			int64_t		flow = rvd_cut_tree_outflow(whole, frontier);
			int64_t		more = flow - node->flow;

			node->flow = flow;
			if (side == RVD_CUT_TOP || (stop && more == 0))
				break;
			above->piece[RVD_CUT_OWN].inflow += more;
		}
		node = above;
	}
	t->pulls = pulls;
}

/*
 * The node's new capacity, in *capacity as the arithmetic wants it; NULL and
 * *status if it is refused.
 */
static inline RvdCutNode *
set_capacity(RvdCutTree *t, int32_t node, int64_t capacity, RvdStatus *status)
{
	RvdCutNode *place;
	int64_t		old;
	int64_t		sum = t->finite_sum;

	*status = RVD_ERR_ARGUMENT;
	if (node < 0 || node >= t->n || capacity < 0)
		return NULL;
	place = rvd_cut_tree_nodes(t) + t->place[node];
	old = place->piece[RVD_CUT_OWN].cap;

	if (old < t->infinite)
		sum -= old;
	if (capacity == RVD_CUT_INFINITE)
		capacity = t->infinite;
	else if (capacity >= t->infinite - sum)
	{
		*status = RVD_ERR_FULL;
		return NULL;
	}
	else
		sum += capacity;
	t->finite_sum = sum;
	place->piece[RVD_CUT_OWN].cap = capacity;
	*status = RVD_OK;
	return place;
}

RvdStatus
rvd_cut_tree_update(RvdCutTree *t, int32_t node, int64_t capacity)
{
	RvdStatus	status;
	RvdCutNode *place = set_capacity(t, node, capacity, &status);

	if (place == NULL)
		return status;
	if (t->frontier)
		propagate(t, place, true, true);
	else
		propagate(t, place, false, true);
	return RVD_OK;
}

RvdStatus
rvd_cut_tree_update_fully(RvdCutTree *t, int32_t node, int64_t capacity)
{
	RvdStatus	status;
	RvdCutNode *place = set_capacity(t, node, capacity, &status);

	if (place == NULL)
		return status;
	if (t->frontier)
		propagate(t, place, true, false);
	else
		propagate(t, place, false, false);
	return RVD_OK;
}
