/*-------------------------------------------------------------------------
 *
 * flow_modules.c
 *	  Flow analysis: which parts of a DAG act like one source.
 *
 * A node's dominator is the next node on every way from it to the root: the
 * nearest common one of its readers' (K. D. Cooper, T. J. Harvey and
 * K. Kennedy, "A Simple, Fast Dominance Algorithm", 2001; on a DAG one pass
 * suffices).  v is a module iff no node that feeds it has a dominator above
 * v, i.e. at a smaller depth of the dominators' tree.
 *
 * Layer 1.
 *
 *-------------------------------------------------------------------------
 */
#include "flow_work.h"

static int32_t
find_common_dominator(const RvdFlowWork *w, int32_t a, int32_t b)
{
	while (a != b)
	{
		if (w->dominator_depth[a] >= w->dominator_depth[b])
			a = w->dominator[a];
		else
			b = w->dominator[b];
	}
	return a;
}

/* dominator, dominator_depth; private as far as readers go. */
static void
find_dominators(RvdFlowWork *w)
{
	const RvdDag *dag = w->dag;

	w->dominator[dag->root] = -1;
	w->dominator_depth[dag->root] = 0;
	w->private[dag->root] = 0;
	for (int32_t k = dag->n_nodes - 2; k >= 0; k--)
	{
		int32_t		v = dag->topo[k];
		int32_t		first = dag->parent_start[v];
		int32_t		d = dag->parent[first];

		w->private[v] = 1;
		for (int32_t e = first + 1; e < dag->parent_start[v + 1]; e++)
		{
			if (dag->parent[e] != dag->parent[first])
				w->private[v] = 0;
			d = find_common_dominator(w, d, dag->parent[e]);
		}
		w->dominator[v] = d;
		w->dominator_depth[v] = w->dominator_depth[d] + 1;
	}
}

/* Mark every edge whose ends another edge before it has too. */
static void
find_repeated(RvdFlowWork *w)
{
	const RvdDag *dag = w->dag;
	int32_t    *reader = w->stack;

	for (int32_t v = 0; v < dag->n_nodes; v++)
		reader[v] = -1;
	for (int32_t v = 0; v < dag->n_nodes; v++)
	{
		for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
		{
			w->repeated[e] = reader[dag->child[e]] == v;
			reader[dag->child[e]] = v;
		}
	}
}

void
rvd_flow_find_modules(RvdFlowWork *w)
{
	const RvdDag *dag = w->dag;

	find_repeated(w);
	find_dominators(w);
	for (int32_t k = 0; k < dag->n_nodes; k++)
	{
		int32_t		v = dag->topo[k];
		int32_t		reach = INT32_MAX;

		for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
		{
			int32_t		u = dag->child[e];
			int32_t		depth = w->dominator_depth[w->dominator[u]];

			if (depth < reach)
				reach = depth;
			if (w->reach[u] < reach)
				reach = w->reach[u];
		}
		w->reach[v] = reach;
		w->module[v] = reach >= w->dominator_depth[v];
		w->private[v] = w->private[v] && w->module[v];
	}
}
