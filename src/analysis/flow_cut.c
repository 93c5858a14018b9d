/*-------------------------------------------------------------------------
 *
 * flow_cut.c
 *	  Flow analysis: minimum vertex cut of a skeleton.
 *
 * Each member is an arc of its capacity, ways between members are unlimited:
 * the maximum flow is the cheapest set of operators without which nothing
 * arrives, each counted once however many read it.
 *
 * No cut costs more than the one made of v's inputs: capacities are clipped
 * at twice that and scaled to it.  Should the minimum be so much less that it
 * loses digits, it is the new bound and the network is solved again.  So the
 * result is as precise as doubles, whatever the range of capacities is.
 *
 * Layer 1.
 *
 *-------------------------------------------------------------------------
 */
#include "flow_work.h"

/* Flows from here on are exact to 1e-9: 2^13 arcs, 30 bits. */
#define PRECISE		(INT64_C(1) << 43)

/* Bounds below this are 0: an operator lets nothing through. */
#define NOTHING		1e-280

/* Ways from a reader's vertex to its inputs' outputs. */
static void
join_inputs(RvdFlowWork *w, int32_t vertex, int32_t reader)
{
	const RvdDag *dag = w->dag;

	for (int32_t e = dag->child_start[reader];
		 e < dag->child_start[reader + 1]; e++)
	{
		int32_t		u = dag->child[e];

		if (!w->private[u] && !w->repeated[e])
			rvd_dinic_add(&w->net, vertex, RVD_FLOW_OUT(w->slot[u]),
						  RVD_DINIC_INFINITE, 0);
	}
}

/* What is not 0 does not become 0: else it would be cut in passing. */
static int64_t
clip(double capacity, double most, int exponent)
{
	int64_t		fixed = rvd_flow_fix(capacity < most ? capacity : most,
									 exponent);

	return fixed > 0 || capacity == 0 ? fixed : 1;
}

/* Maximum flow with all capacities clipped at most, in fixed point. */
static int64_t
solve_clipped(RvdFlowWork *w, int32_t v, double most, int exponent)
{
	rvd_dinic_open(&w->net, RVD_FLOW_IN(w->n_members));
	join_inputs(w, RVD_FLOW_TOP, v);
	for (int32_t k = 0; k < w->n_members; k++)
	{
		int32_t		x = w->member[k];
		double		factor = w->gain[x] * w->weight[x];

		if (w->module[x])
		{
			rvd_dinic_add(&w->net, RVD_FLOW_OUT(k), RVD_FLOW_SOURCE,
						  clip(w->passing[x] * w->weight[x], most, exponent),
						  0);
			continue;
		}
		rvd_dinic_add(&w->net, RVD_FLOW_OUT(k), RVD_FLOW_IN(k),
					  clip(w->capacity[x] * factor, most, exponent), 0);
		if (w->injection[x] > 0)
			rvd_dinic_add(&w->net, RVD_FLOW_IN(k), RVD_FLOW_SOURCE,
						  clip(w->injection[x] * factor, most, exponent), 0);
		join_inputs(w, RVD_FLOW_IN(k), x);
	}
	return rvd_dinic_run(&w->net, RVD_FLOW_TOP, RVD_FLOW_SOURCE);
}

double
rvd_flow_solve_cut(RvdFlowWork *w, int32_t v)
{
	const RvdDag *dag = w->dag;
	double		most = 0;

	for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
	{
		int32_t		u = dag->child[e];

		if (!w->private[u])
			most += 2 * w->capacity[u] * w->gain[u] * w->weight[u];
	}
	for (;;)
	{
		int			exponent = rvd_flow_exponent(most);
		int64_t		flow = solve_clipped(w, v, most, exponent);

		if (flow >= PRECISE || most < NOTHING)
			return ldexp((double) flow, -exponent);
		/* each arc is off by one unit at most */
		most = 2 * ldexp((double) (flow + w->net.n_arcs), -exponent);
	}
}
