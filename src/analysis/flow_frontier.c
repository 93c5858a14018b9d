/*-------------------------------------------------------------------------
 *
 * flow_frontier.c
 *	  Flow analysis: heaviest antichain of a skeleton.
 *
 * The weighted form of Dilworth's theorem (Annals of Mathematics 51, 1950):
 * the largest sum of loads of operators none of which is above another is
 * the smallest flow from the sources to the consumer that sends through each
 * operator at least its load.  Any flow that is large enough is made first;
 * a maximum flow backwards, which may take away what exceeds the loads, then
 * leaves the smallest.  Operators across its cut carry exactly their load:
 * the antichain.
 *
 * A module stands in with the frontier of its cone, the private inputs of a
 * member with the sum of theirs: nothing else is comparable with what is
 * inside but through them.
 *
 * Layer 1.
 *
 *-------------------------------------------------------------------------
 */
#include "flow_work.h"

/* Loads in fixed point; returns the exponent. */
static int
set_loads(RvdFlowWork *w)
{
	double		sum = 0;
	int			exponent;

	for (int32_t k = 0; k < w->n_members; k++)
	{
		int32_t		x = w->member[k];

		sum += (w->module[x] ? w->passing[x] : w->capacity[x]) +
			w->injection[x];
	}
	exponent = rvd_flow_exponent(sum);
	for (int32_t k = 0; k < w->n_members; k++)
	{
		int32_t		x = w->member[k];

		w->lower[k] = rvd_flow_fix(w->module[x] ? w->passing[x]
								   : w->capacity[x], exponent);
		w->source[k] = rvd_flow_fix(w->injection[x], exponent);
		w->asked[k] = 0;
		w->through[k] = 0;
		w->supplier[k] = -1;
	}
	return exponent;
}

/* What must go through a member for its load and for those who ask it. */
static int64_t
needed_through(const RvdFlowWork *w, int32_t k)
{
	return w->lower[k] > w->asked[k] ? w->lower[k] : w->asked[k];
}

/*
 * Consumers first: a member that no source feeds asks its first input for
 * all it needs.
 */
static void
ask_inputs(RvdFlowWork *w)
{
	const RvdDag *dag = w->dag;

	for (int32_t k = 0; k < w->n_members; k++)
	{
		int32_t		x = w->member[k];
		int32_t		e = dag->child_start[x];

		if (w->module[x] || w->source[k] > 0)
			continue;
		/* what is not a module has an input that is not private */
		while (w->private[dag->child[e]])
			e++;
		w->supplier[k] = dag->child[e];
		w->asked[w->slot[dag->child[e]]] += needed_through(w, k);
	}
}

/* A reader of x in this skeleton; v if it is one. */
static int32_t
find_lift(const RvdFlowWork *w, int32_t x, int32_t v)
{
	const RvdDag *dag = w->dag;
	int32_t		lift = -1;

	for (int32_t e = dag->parent_start[x]; e < dag->parent_start[x + 1]; e++)
	{
		int32_t		p = dag->parent[e];

		if (p == v)
			return v;
		if (w->mark[p] == w->stamp)
			lift = p;
	}
	return lift;
}

/*
 * Inputs first: what goes through a member and was not asked for goes on to
 * one of its readers.  Returns what arrives at v.
 */
static int64_t
lift_rest(RvdFlowWork *w, int32_t v)
{
	int64_t		arriving = 0;

	for (int32_t k = w->n_members - 1; k >= 0; k--)
	{
		int32_t		x = w->member[k];
		int64_t		drawn = needed_through(w, k);
		int64_t		rest;

		if (drawn < w->source[k])
			drawn = w->source[k];
		w->drawn[k] = drawn;
		w->through[k] += drawn;
		rest = w->through[k] - w->asked[k];
		w->lift[k] = find_lift(w, x, v);
		if (w->lift[k] == v)
			arriving += rest;
		else
			w->through[w->slot[w->lift[k]]] += rest;
	}
	return arriving;
}

/* Arcs from a reader's vertex to its inputs' outputs, with what flows. */
static void
join_inputs(RvdFlowWork *w, int32_t vertex, int32_t reader, int32_t supplier)
{
	const RvdDag *dag = w->dag;

	for (int32_t e = dag->child_start[reader];
		 e < dag->child_start[reader + 1]; e++)
	{
		int32_t		u = dag->child[e];
		int32_t		k = w->slot[u];
		int64_t		flow = 0;

		if (w->private[u] || w->repeated[e])
			continue;
		if (u == supplier)
			flow += w->drawn[w->slot[reader]];
		if (w->lift[k] == reader)
			flow += w->through[k] - w->asked[k];
		rvd_dinic_add(&w->net, vertex, RVD_FLOW_OUT(k), flow,
					  RVD_DINIC_INFINITE);
	}
}

double
rvd_flow_solve_frontier(RvdFlowWork *w, int32_t v)
{
	int			exponent = set_loads(w);
	int64_t		flow;

	ask_inputs(w);
	flow = lift_rest(w, v);

	rvd_dinic_open(&w->net, RVD_FLOW_IN(w->n_members));
	join_inputs(w, RVD_FLOW_TOP, v, -1);
	for (int32_t k = 0; k < w->n_members; k++)
	{
		int32_t		x = w->member[k];
		int64_t		spare = w->through[k] - w->lower[k];

		if (w->module[x])
		{
			rvd_dinic_add(&w->net, RVD_FLOW_OUT(k), RVD_FLOW_SOURCE, spare,
						  RVD_DINIC_INFINITE);
			continue;
		}
		rvd_dinic_add(&w->net, RVD_FLOW_OUT(k), RVD_FLOW_IN(k), spare,
					  RVD_DINIC_INFINITE);
		if (w->source[k] > 0)
			rvd_dinic_add(&w->net, RVD_FLOW_IN(k), RVD_FLOW_SOURCE,
						  w->drawn[k] - w->source[k], RVD_DINIC_INFINITE);
		join_inputs(w, RVD_FLOW_IN(k), x, w->supplier[k]);
	}
	flow -= rvd_dinic_run(&w->net, RVD_FLOW_TOP, RVD_FLOW_SOURCE);
	return ldexp((double) flow, -exponent);
}
