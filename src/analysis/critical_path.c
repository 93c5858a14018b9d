/*-------------------------------------------------------------------------
 *
 * critical_path.c
 *	  The chain of operators with the largest sum of loads, and slack.
 *
 * J. E. Kelley and M. R. Walker, "Critical-Path Planning and Scheduling",
 * 1959: the longest way up to each node and from it to the root; slack is by
 * how much the longest way through a node falls short.  Ways of equal length
 * are summed up in different orders; what differs by no more than that may
 * cause is no slack.
 *
 * Memory: the caller's workspace of the flow analysis.  Layer 1.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/flow.h"

/* 4096 roundings of a sum, twice. */
#define ROUNDING	1e-12

static double
larger(double a, double b)
{
	return a > b ? a : b;
}

/* below[v]: load of the longest way from a leaf to v; both ends counted. */
static void
sum_below(const RvdDag *dag, const double *load, double *below)
{
	for (int32_t k = 0; k < dag->n_nodes; k++)
	{
		int32_t		v = dag->topo[k];
		double		longest = 0;

		for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
			longest = larger(longest, below[dag->child[e]]);
		below[v] = longest + load[v];
	}
}

/* above[v]: load of the longest way from v to the root, without v. */
static void
sum_above(const RvdDag *dag, const double *load, double *above)
{
	for (int32_t k = dag->n_nodes - 1; k >= 0; k--)
	{
		int32_t		v = dag->topo[k];
		double		longest = 0;

		for (int32_t e = dag->parent_start[v];
			 e < dag->parent_start[v + 1]; e++)
			longest = larger(longest,
							 above[dag->parent[e]] + load[dag->parent[e]]);
		above[v] = longest;
	}
}

/* From the root down along the longest; these have no slack at all. */
static void
follow_longest(const RvdDag *dag, const double *below, RvdCriticalPath *result)
{
	int32_t		v = dag->root;

	result->n_path = 0;
	while (v >= 0)
	{
		int32_t		next = -1;

		result->path[result->n_path++] = v;
		result->slack[v] = 0;
		for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
		{
			if (next < 0 || below[dag->child[e]] > below[next])
				next = dag->child[e];
		}
		v = next;
	}
}

RvdStatus
rvd_critical_path(const RvdDag *dag, const double *load,
				  RvdCriticalPath *result, void *work)
{
	double	   *below = work;
	double	   *above;

	if (!dag->finished)
		return RVD_ERR_STATE;
	if (work == NULL || (uintptr_t) work % 8 != 0)
		return RVD_ERR_ARGUMENT;
	for (int32_t v = 0; v < dag->n_nodes; v++)
	{
		if (!(load[v] >= 0 && load[v] <= RVD_FLOW_MAX_LOAD))
			return RVD_ERR_ARGUMENT;
	}

	above = below + dag->n_nodes;
	sum_below(dag, load, below);
	sum_above(dag, load, above);
	result->length = below[dag->root];
	for (int32_t v = 0; v < dag->n_nodes; v++)
	{
		double		slack = result->length - (below[v] + above[v]);

		result->slack[v] = slack > ROUNDING * result->length ? slack : 0;
	}
	follow_longest(dag, below, result);
	return RVD_OK;
}
