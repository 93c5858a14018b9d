/*-------------------------------------------------------------------------
 *
 * feature_vectors.c
 *	  Operators and plans as 16 numbers each.
 *
 * Every number x becomes (x - shift) * scale, x being ln(1 + quantity), or a
 * share.  The constants come from plans of 1 to 60 operators over tables of
 * ten rows to a billion: they put the middle of what occurs at zero, and the
 * bulk within one unit.  Embeddings that are stored depend on them: they
 * never change.
 *
 * Memory: none; columns of the result double as accumulators.  Concurrency:
 * none, the graph is only read.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/features.h"

#include <math.h>
#include <string.h>

#define LIMIT			6.0
#define MAX_AMOUNT		1e100

typedef struct Scaling
{
	double		shift;
	double		scale;
} Scaling;

static const Scaling node_scaling[RVD_NODE_FEATURES] = {
	[RVD_NF_BIAS] = {0, 1},
	[RVD_NF_ROWS] = {5, 0.25},
	[RVD_NF_INPUT_ROWS] = {5, 0.25},
	[RVD_NF_RATIO] = {0, 0.33},
	[RVD_NF_SELF_COST] = {6, 0.25},
	[RVD_NF_SELF_SHARE] = {0.2, 4},
	[RVD_NF_TOTAL_SHARE] = {0.5, 2.5},
	[RVD_NF_STARTUP] = {0.3, 2.5},
	[RVD_NF_DEPTH] = {0.5, 3},
	[RVD_NF_HEIGHT] = {0.5, 3},
	[RVD_NF_FAN_IN] = {0.6, 2},
	[RVD_NF_LOOPS] = {1.5, 0.4},
	[RVD_NF_WIDTH] = {3.5, 1},
	[RVD_NF_PARALLEL] = {0, 1},
	[RVD_NF_SHARED] = {0, 1},
	[RVD_NF_IS_LEAF] = {0, 1}
};

static const Scaling plan_scaling[RVD_PLAN_FEATURES] = {
	[RVD_PF_BIAS] = {0, 1},
	[RVD_PF_COST] = {9, 0.3},
	[RVD_PF_ROWS] = {4, 0.25},
	[RVD_PF_WORK] = {10, 0.25},
	[RVD_PF_NODES] = {2.2, 1.2},
	[RVD_PF_DEPTH] = {1.6, 1.5},
	[RVD_PF_SCANS] = {1.2, 1.5},
	[RVD_PF_JOINS] = {0.8, 1.3},
	[RVD_PF_NESTED_LOOPS] = {0.4, 1.5},
	[RVD_PF_HASH_JOINS] = {0.5, 1.5},
	[RVD_PF_MERGE_JOINS] = {0.2, 2},
	[RVD_PF_SORTS] = {0.4, 2},
	[RVD_PF_AGGREGATES] = {0.5, 2},
	[RVD_PF_INDEX_SHARE] = {0.4, 2.5},
	[RVD_PF_LOOPED_WORK] = {3, 0.2},
	[RVD_PF_WORKERS] = {0.2, 2}
};

static double
amount(double x)
{
	if (!(x > 0))
		return 0;				/* NaN too */
	return x < MAX_AMOUNT ? x : MAX_AMOUNT;
}

/* Not fmin and fmax: those are calls, and nothing here is NaN. */
static double
lesser(double a, double b)
{
	return a < b ? a : b;
}

static double
greater(double a, double b)
{
	return a > b ? a : b;
}

static double
part_of(double part, double whole)
{
	return whole > 0 ? lesser(part / whole, 1) : 0;
}

static double
scaled(const Scaling *s, double x)
{
	return (x - s->shift) * s->scale;
}

static float
clipped(const Scaling *s, double x)
{
	return (float) greater(-LIMIT, lesser(LIMIT, scaled(s, x)));
}

static unsigned
traits_of(const RvdOpRoles *roles, int op)
{
	return op < roles->n_ops ? roles->traits[op] : 0;
}

static int
class_of(const RvdOpRoles *roles, int op)
{
	return op < roles->n_ops ? roles->cost_class[op] : RVD_COST_OTHER;
}

/* ---- operators --------------------------------------------------------- */

/* Rows that come in per run; those of repeated inputs, as often. */
static double
input_rows(const RvdDag *dag, int32_t v, const double *loops)
{
	double		rows = 0;

	for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
	{
		int32_t		c = dag->child[e];
		double		times = 1;

		if (dag->child_kind[e] == RVD_EDGE_INITPLAN ||
			dag->child_kind[e] == RVD_EDGE_SUBPLAN)
			continue;
		if (dag->child_kind[e] == RVD_EDGE_INNER)
			times = greater(loops[c] / greater(loops[v], 1), 1);
		rows += amount(dag->nodes[c].est_rows) * times;
	}
	return amount(rows);
}

/*
 * What needs the operators' order, children first, into their columns:
 * height, cost including the inputs, number of consumers.  Returns the
 * greatest height.
 */
static float
sum_up(const RvdDag *dag, const double *self, float *phi)
{
	float		highest = 0;

	memset(phi, 0, sizeof(float) * RVD_NODE_FEATURES * (size_t) dag->n_nodes);
	for (int32_t i = 0; i < dag->n_nodes; i++)
	{
		int32_t		v = dag->topo[i];
		float	   *own = &phi[v * RVD_NODE_FEATURES];
		double		total = amount(self[v]);

		for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
		{
			float	   *below = &phi[dag->child[e] * RVD_NODE_FEATURES];

			own[RVD_NF_HEIGHT] = (float) greater(own[RVD_NF_HEIGHT],
									   below[RVD_NF_HEIGHT] + 1);
			if (dag->child_kind[e] != RVD_EDGE_SHARED)
				total += below[RVD_NF_TOTAL_SHARE];
			if (dag->child_kind[e] != RVD_EDGE_INITPLAN)
				below[RVD_NF_SHARED] += 1;
		}
		own[RVD_NF_TOTAL_SHARE] = (float) lesser(total, 1e30);
		highest = (float) greater(highest, own[RVD_NF_HEIGHT]);
	}
	return highest;
}

/* The rest, unscaled. */
static void
describe(const RvdDag *dag, int32_t v, const double *loops,
		 const double *self, double *x)
{
	const RvdDagNode *node = &dag->nodes[v];
	int32_t		fan_in = dag->child_start[v + 1] - dag->child_start[v];
	double		out = log1p(amount(node->est_rows));
	double		in = log1p(input_rows(dag, v, loops));

	x[RVD_NF_BIAS] = 1;
	x[RVD_NF_ROWS] = out;
	x[RVD_NF_INPUT_ROWS] = in;
	x[RVD_NF_RATIO] = fan_in > 0 ? out - in : 0;
	x[RVD_NF_SELF_COST] = log1p(amount(self[v]));
	x[RVD_NF_STARTUP] = part_of(amount(node->startup_cost),
								amount(node->total_cost));
	x[RVD_NF_FAN_IN] = log1p(fan_in);
	x[RVD_NF_LOOPS] = log1p(amount(loops[v]));
	x[RVD_NF_WIDTH] = log1p(amount(node->width));
	x[RVD_NF_PARALLEL] = (node->flags & RVD_NODE_PARALLEL_AWARE) != 0;
	x[RVD_NF_IS_LEAF] = fan_in == 0;
}

void
rvd_features_nodes(const RvdDag *dag, const RvdOpRoles *roles,
				   const double *loops, const double *self, float *phi)
{
	double		highest = sum_up(dag, self, phi);
	double		deepest = 0;
	double		plan = 0;

	for (int32_t v = 0; v < dag->n_nodes; v++)
	{
		deepest = greater(deepest, dag->nodes[v].depth);
		plan += amount(self[v]);
	}
	for (int32_t v = 0; v < dag->n_nodes; v++)
	{
		float	   *own = &phi[v * RVD_NODE_FEATURES];
		double		x[RVD_NODE_FEATURES];

		describe(dag, v, loops, self, x);
		x[RVD_NF_SELF_SHARE] = part_of(amount(self[v]), plan);
		x[RVD_NF_TOTAL_SHARE] = part_of(own[RVD_NF_TOTAL_SHARE], plan);
		x[RVD_NF_DEPTH] = part_of(dag->nodes[v].depth, deepest);
		x[RVD_NF_HEIGHT] = part_of(own[RVD_NF_HEIGHT], highest);
		x[RVD_NF_SHARED] = own[RVD_NF_SHARED] > 1;
		for (int i = 0; i < RVD_NODE_FEATURES; i++)
			own[i] = clipped(&node_scaling[i], x[i]);
	}
}

/* ---- plans ------------------------------------------------------------- */

/* Counts and sums over operators, unscaled; logarithms follow. */
static void
count_node(const RvdDagNode *node, const RvdOpRoles *roles, double loops,
		   double *x, double *indexed)
{
	unsigned	traits = traits_of(roles, node->op);
	int			cost_class = class_of(roles, node->op);
	double		work = amount(node->est_rows) * amount(loops);

	x[RVD_PF_WORK] += work;
	if (loops > 1)
		x[RVD_PF_LOOPED_WORK] += work;
	x[RVD_PF_DEPTH] = greater(x[RVD_PF_DEPTH], node->depth);
	x[RVD_PF_SCANS] += (traits & RVD_OP_IS_SCAN) != 0;
	x[RVD_PF_JOINS] += (traits & RVD_OP_IS_JOIN) != 0;
	x[RVD_PF_NESTED_LOOPS] += cost_class == RVD_COST_NESTED_LOOP;
	x[RVD_PF_HASH_JOINS] += cost_class == RVD_COST_HASH_JOIN;
	x[RVD_PF_MERGE_JOINS] += cost_class == RVD_COST_MERGE_JOIN;
	x[RVD_PF_SORTS] += (traits & RVD_OP_IS_SORT) != 0;
	x[RVD_PF_AGGREGATES] += (traits & RVD_OP_IS_AGGREGATE) != 0;
	if (traits & RVD_OP_IS_GATHER)
		x[RVD_PF_WORKERS] += node->variant;
	*indexed += (traits & RVD_OP_IS_SCAN) && (traits & RVD_OP_USES_INDEX);
}

void
rvd_features_plan(const RvdDag *dag, const RvdOpRoles *roles,
				  const double *loops, float *plan)
{
	double		x[RVD_PLAN_FEATURES] = {0};
	double		indexed = 0;
	double		share;

	for (int32_t v = 0; v < dag->n_nodes; v++)
		count_node(&dag->nodes[v], roles, loops[v], x, &indexed);
	share = part_of(indexed, x[RVD_PF_SCANS]);
	x[RVD_PF_COST] = amount(dag->nodes[dag->root].total_cost);
	x[RVD_PF_ROWS] = amount(dag->nodes[dag->root].est_rows);
	x[RVD_PF_NODES] = dag->n_nodes;

	for (int i = 0; i < RVD_PLAN_FEATURES; i++)
		plan[i] = clipped(&plan_scaling[i], log1p(x[i]));
	plan[RVD_PF_BIAS] = 1;
	plan[RVD_PF_INDEX_SHARE] = clipped(&plan_scaling[RVD_PF_INDEX_SHARE],
									   share);
	plan[RVD_PF_COST] = (float) scaled(&plan_scaling[RVD_PF_COST],
									   log1p(x[RVD_PF_COST]));
}
