/*-------------------------------------------------------------------------
 *
 * flow.c
 *	  Bottlenecks of a plan: minimum cut and time frontier.  See flow.h.
 *
 * One pass, inputs before consumers.  Where the inputs of an operator share
 * no producer, what arrives is their sum: additions and comparisons of
 * doubles that are never negative lose no digits, so no fixed point is
 * needed.  Where they do (flow_skeleton.c), a flow through the operators
 * between decides (flow_cut.c, flow_frontier.c), in fixed point, because
 * there differences are taken.
 *
 * Rows differ in kind from operator to operator: each row that arrives at v
 * leaves as g_v = output rows / input rows of them.  Arrival and capacity of
 * v are in rows of its inputs, what it passes in rows of its output; where
 * ways meet, a row of a shared producer counts as what all its ways together
 * make of it.
 *
 * Memory: the caller's workspace.  O(n) for trees; for a DAG besides, per
 * operator at which ways meet, one flow through what lies between.  Layer 1.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "flow_work.h"

/* Least load of an operator: 1 us if loads are in ms. */
#define MIN_LOAD		1e-3

/* Row counts beyond this are no row counts; nor are those below 1. */
#define MAX_ROWS		1e100

/* The largest double below 1/2. */
#define BELOW_HALF		(0.5 - 0x1p-54)

static void *
carve(char *base, size_t *used, size_t count, size_t width)
{
	void	   *p = base ? base + *used : NULL;

	*used += (count * width + 7) & ~(size_t) 7;
	return p;
}

/* Arrays that only graphs with shared producers need. */
static void
lay_out_skeleton(RvdFlowWork *w, char *base, size_t *used, size_t n, size_t m)
{
	size_t		net;

	w->dominator = carve(base, used, n, sizeof(int32_t));
	w->dominator_depth = carve(base, used, n, sizeof(int32_t));
	w->reach = carve(base, used, n, sizeof(int32_t));
	w->mark = carve(base, used, n, sizeof(int32_t));
	w->owner = carve(base, used, n, sizeof(int32_t));
	w->slot = carve(base, used, n, sizeof(int32_t));
	w->member = carve(base, used, n, sizeof(int32_t));
	w->stack = carve(base, used, n, sizeof(int32_t));
	w->supplier = carve(base, used, n, sizeof(int32_t));
	w->lift = carve(base, used, n, sizeof(int32_t));
	w->injection = carve(base, used, n, sizeof(double));
	w->weight = carve(base, used, n, sizeof(double));
	w->lower = carve(base, used, n, sizeof(int64_t));
	w->source = carve(base, used, n, sizeof(int64_t));
	w->asked = carve(base, used, n, sizeof(int64_t));
	w->drawn = carve(base, used, n, sizeof(int64_t));
	w->through = carve(base, used, n, sizeof(int64_t));
	w->module = carve(base, used, n, 1);
	w->private = carve(base, used, n, 1);
	w->repeated = carve(base, used, m, 1);
	net = rvd_dinic_place(&w->net, base ? base + *used : NULL,
						  2 * n + 2, m + 2 * n);
	*used += (net + 7) & ~(size_t) 7;
}

/* The one description of the workspace; returns its size. */
static size_t
lay_out(RvdFlowWork *w, const RvdDag *dag, void *mem)
{
	size_t		n = (size_t) dag->n_nodes;
	size_t		used = 0;

	memset(w, 0, sizeof(*w));
	w->dag = dag;
	/* one root: with n - 1 edges no node can have two readers */
	w->tree = dag->n_edges == dag->n_nodes - 1;
	w->capacity = carve(mem, &used, n, sizeof(double));
	w->gain = carve(mem, &used, n, sizeof(double));
	w->arriving = carve(mem, &used, n, sizeof(double));
	w->passing = carve(mem, &used, n, sizeof(double));
	w->pending = carve(mem, &used, n, sizeof(int32_t));
	if (!w->tree)
		lay_out_skeleton(w, mem, &used, n, (size_t) dag->n_edges);
	return used;
}

size_t
rvd_flow_workspace(const RvdDag *dag)
{
	RvdFlowWork w;

	return lay_out(&w, dag, NULL);
}

static double
bounded_rows(double rows)
{
	return fmin(fmax(rows, 1), MAX_ROWS);
}

/*
 * What an operator makes of a row is shared out among its inputs by their
 * rows, so no number of ways to the root can make a row worth more than all
 * rows of the root.
 */
static void
set_rows(RvdFlowWork *w, int32_t v, double load, const double *rows)
{
	const RvdDag *dag = w->dag;
	double		output = bounded_rows(rows[v]);
	double		input = 0;

	for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
		input += bounded_rows(rows[dag->child[e]]);
	if (input == 0)
		input = output;
	w->capacity[v] = input / fmax(load, MIN_LOAD);
	w->gain[v] = output / input;
}

/* false if a number is outside its range */
static bool
set_capacities(RvdFlowWork *w, RvdFlowMode mode, const double *load,
			   const double *rows)
{
	for (int32_t v = 0; v < w->dag->n_nodes; v++)
	{
		w->capacity[v] = 1;
		w->gain[v] = 1;
		if (mode == RVD_FLOW_UNIT)
			continue;
		if (!(load[v] >= 0) ||
			(mode == RVD_FLOW_TIME && load[v] > RVD_FLOW_MAX_LOAD))
			return false;
		if (mode == RVD_FLOW_TIME)
			w->capacity[v] = load[v];
		else if (!(rows[v] >= 0))
			return false;
		else
			set_rows(w, v, load[v], rows);
	}
	return true;
}

/* What can arrive at v. */
static double
arrive(RvdFlowWork *w, int32_t v)
{
	const RvdDag *dag = w->dag;
	double		sum = 0;

	if (dag->child_start[v] == dag->child_start[v + 1])
		return w->frontier ? 0 : INFINITY;
	if (!w->tree)
	{
		double		from_private = rvd_flow_collect(w, v);

		if (w->overlap)
			return from_private + rvd_flow_solve(w, v);
	}
	for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
	{
		if (!rvd_flow_skips(w, e))
			sum += w->passing[dag->child[e]];
	}
	return sum;
}

/* kappa, on the same side of 1/2 as the comparison is, to the last bit. */
static double
criticality(const RvdFlowWork *w, int32_t v)
{
	double		part = w->frontier ? w->capacity[v] : w->arriving[v];
	double		other = w->frontier ? w->arriving[v] : w->capacity[v];
	double		kappa;

	if (isinf(part))
		return 1;
	if (part == 0)
		return 0;
	/* the sum may have been rounded down to twice the lesser part */
	kappa = part / (part + other);
	return part < other && kappa >= 0.5 ? BELOW_HALF : kappa;
}

RvdStatus
rvd_flow_analyse(const RvdDag *dag, RvdFlowMode mode, const double *load,
				 const double *rows, RvdFlowResult *result, void *work)
{
	RvdFlowWork w;

	if (!dag->finished)
		return RVD_ERR_STATE;
	if ((int) mode < RVD_FLOW_ROWS || (int) mode > RVD_FLOW_TIME ||
		work == NULL || (uintptr_t) work % 8 != 0)
		return RVD_ERR_ARGUMENT;

	lay_out(&w, dag, work);
	w.frontier = mode == RVD_FLOW_TIME;
	w.weighted = mode == RVD_FLOW_ROWS;
	if (!set_capacities(&w, mode, load, rows))
		return RVD_ERR_ARGUMENT;
	if (!w.tree)
	{
		memset(w.mark, 0, (size_t) dag->n_nodes * sizeof(int32_t));
		rvd_flow_find_modules(&w);
	}

	for (int32_t k = 0; k < dag->n_nodes; k++)
	{
		int32_t		v = dag->topo[k];
		double		most;

		w.arriving[v] = arrive(&w, v);
		most = rvd_flow_saturated(&w, v) ? w.capacity[v] : w.arriving[v];
		w.passing[v] = w.gain[v] * most;
		result->criticality[v] = criticality(&w, v);
	}
	result->value = w.passing[dag->root];
	result->disconnected = !w.frontier && result->value == 0;
	rvd_flow_report(&w, result);
	return RVD_OK;
}
