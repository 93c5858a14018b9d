/*-------------------------------------------------------------------------
 *
 * flow_report.c
 *	  Flow analysis: which operators are the cut, or the frontier.
 *
 * From the root down: a saturated operator is a member, and nothing below
 * it is; for one that is not, what arrives has to be covered instead: at
 * each input, or where inputs meet, by the cut of the skeleton.
 *
 * Layer 1.
 *
 *-------------------------------------------------------------------------
 */
#include "flow_work.h"

/* What lets nothing through anyway need not be cut. */
static void
add_member(RvdFlowWork *w, RvdFlowResult *result, int32_t v)
{
	if (w->capacity[v] > 0)
	{
		result->in_cut[v] = 1;
		result->n_cut++;
	}
}

/* All inputs of v, or only those that are private. */
static void
add_inputs(RvdFlowWork *w, int32_t *n_pending, int32_t v, bool only_private)
{
	const RvdDag *dag = w->dag;

	for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
	{
		int32_t		u = dag->child[e];

		if (!w->tree && w->repeated[e])
			continue;
		if (!only_private || rvd_flow_private(w, u))
			w->pending[(*n_pending)++] = u;
	}
}

/* What the network just solved says of its members. */
static void
read_network(RvdFlowWork *w, RvdFlowResult *result, int32_t *n_pending)
{
	for (int32_t k = 0; k < w->n_members; k++)
	{
		int32_t		x = w->member[k];

		if (!rvd_dinic_reached(&w->net, RVD_FLOW_OUT(k)))
			continue;
		if (w->module[x])
			w->pending[(*n_pending)++] = x;
		else if (rvd_dinic_reached(&w->net, RVD_FLOW_IN(k)))
			add_inputs(w, n_pending, x, true);
		else
			add_member(w, result, x);
	}
}

void
rvd_flow_report(RvdFlowWork *w, RvdFlowResult *result)
{
	int32_t		n_pending = 0;

	for (int32_t v = 0; v < w->dag->n_nodes; v++)
		result->in_cut[v] = 0;
	result->n_cut = 0;

	if (result->value > 0)
		w->pending[n_pending++] = w->dag->root;
	while (n_pending > 0)
	{
		int32_t		v = w->pending[--n_pending];

		if (rvd_flow_saturated(w, v))
		{
			add_member(w, result, v);
			continue;
		}
		w->overlap = false;
		if (!w->tree)
			rvd_flow_collect(w, v);
		if (w->overlap)
		{
			rvd_flow_solve(w, v);
			read_network(w, result, &n_pending);
		}
		add_inputs(w, &n_pending, v, w->overlap);
	}
}
