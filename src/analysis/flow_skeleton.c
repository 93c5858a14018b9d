/*-------------------------------------------------------------------------
 *
 * flow_skeleton.c
 *	  Flow analysis: the part of a cone in which inputs may meet.
 *
 * Networks over a skeleton stand upside down, from the consumer to its
 * inputs: what a run leaves reached is then the side of the consumer, and
 * the cut nearest to it comes for free.  RVD_FLOW_TOP is v's input,
 * RVD_FLOW_SOURCE what all leaves draw on; a member has a vertex OUT that
 * its readers see and, unless it is a module, a vertex IN that sees its
 * inputs; the arc from OUT to IN is its capacity or load.
 *
 * Layer 1.
 *
 *-------------------------------------------------------------------------
 */
#include "flow_work.h"

/* Another way of the input owner to node x; true if it is the first. */
static bool
meet_member(RvdFlowWork *w, int32_t x, int32_t owner)
{
	if (w->mark[x] == w->stamp)
	{
		if (w->owner[x] != owner)
			w->overlap = true;
		return false;
	}
	w->mark[x] = w->stamp;
	w->owner[x] = owner;
	w->injection[x] = 0;
	w->member[w->n_members++] = x;
	return true;
}

/* All members that feed v's input owner, itself included. */
static void
collect_below(RvdFlowWork *w, int32_t owner)
{
	const RvdDag *dag = w->dag;
	int32_t		depth = 0;

	if (meet_member(w, owner, owner))
		w->stack[depth++] = owner;
	while (depth > 0)
	{
		int32_t		x = w->stack[--depth];

		if (w->module[x])
			continue;
		for (int32_t e = dag->child_start[x]; e < dag->child_start[x + 1]; e++)
		{
			int32_t		y = dag->child[e];

			if (rvd_flow_skips(w, e))
				continue;
			if (w->private[y])
				w->injection[x] += w->passing[y];
			else if (meet_member(w, y, owner))
				w->stack[depth++] = y;
		}
	}
}

double
rvd_flow_collect(RvdFlowWork *w, int32_t v)
{
	const RvdDag *dag = w->dag;
	double		arriving = 0;

	w->stamp++;
	w->n_members = 0;
	w->overlap = false;
	for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
	{
		int32_t		u = dag->child[e];

		if (rvd_flow_skips(w, e))
			continue;
		if (rvd_flow_private(w, u))
			arriving += w->passing[u];
		else
			collect_below(w, u);
	}
	return arriving;
}

/* What reader passes of each input's output, in units of v's input. */
static void
weigh_inputs(RvdFlowWork *w, int32_t reader, double factor)
{
	const RvdDag *dag = w->dag;

	for (int32_t e = dag->child_start[reader];
		 e < dag->child_start[reader + 1]; e++)
	{
		int32_t		u = dag->child[e];

		if (w->private[u])
			continue;
		if (w->weighted)
			w->weight[u] += factor;
		else
			w->weight[u] = 1;
	}
}

void
rvd_flow_sort_members(RvdFlowWork *w, int32_t v)
{
	const RvdDag *dag = w->dag;
	int32_t		n = 0;

	/* inputs come first in topo, so v is where all members are before it */
	for (int32_t k = dag->n_nodes - 1; n < w->n_members; k--)
	{
		int32_t		x = dag->topo[k];

		if (w->mark[x] != w->stamp)
			continue;
		w->slot[x] = n;
		w->member[n++] = x;
		w->weight[x] = 0;
	}
	weigh_inputs(w, v, 1);
	for (int32_t k = 0; k < n; k++)
	{
		int32_t		x = w->member[k];

		if (!w->module[x])
			weigh_inputs(w, x, w->gain[x] * w->weight[x]);
	}
}
