/*-------------------------------------------------------------------------
 *
 * kernels_shapes.c
 *	  Shapes and prices of random plans for bench/kernels.
 *
 * Operators are joins, sorts, aggregates and scans; costs add up from the
 * leaves.  Parents come before their inputs, so an edge from a later to an
 * earlier node never closes a cycle.
 *
 *-------------------------------------------------------------------------
 */
#include "kernels_plan.h"

#include <math.h>

const char *const plan_family_names[PLAN_FAMILIES] = {
	[PLAN_JOINS] = "joins",
	[PLAN_LEFT_DEEP] = "left_deep",
	[PLAN_CHAIN] = "chain",
	[PLAN_APPEND] = "append",
	[PLAN_SHARED] = "shared"
};

static RvdRng *rng;

static int32_t
below(int32_t n)
{
	return (int32_t) rvd_rng_below(rng, (uint64_t) n);
}

static uint16_t
pick(const uint16_t *ops, int n)
{
	return ops[below(n)];
}

static void
hang_below(Plan *plan, int32_t child, int32_t parent, RvdEdgeKind kind)
{
	plan->edges[plan->n_edges++] = (PlanEdge) {child, parent, kind};
}

static void
become_scan(Plan *plan, int32_t v)
{
	static const uint16_t scans[] = {OP_SEQ_SCAN, OP_INDEX_SCAN};

	plan->nodes[v].op = pick(scans, 2);
	plan->nodes[v].relation = (uint32_t) (16384 + below(40));
	if (plan->nodes[v].op == OP_INDEX_SCAN)
		plan->nodes[v].index = plan->nodes[v].relation + 100;
}

/* size operators from v on: one that takes one input, or a join of two. */
static void
grow_joins(Plan *plan, int32_t v, int32_t size)
{
	static const uint16_t joins[] = {OP_NEST_LOOP, OP_MERGE_JOIN,
	OP_HASH_JOIN};
	static const uint16_t others[] = {OP_SORT, OP_AGG, OP_MATERIAL, OP_LIMIT};

	/* the right input is left to the next round: plans may be deep */
	while (size > 1)
	{
		int32_t		left;
		int32_t		right;

		if (size == 2 || below(4) == 0)
		{
			plan->nodes[v].op = pick(others, 4);
			hang_below(plan, v + 1, v, RVD_EDGE_OUTER);
			v++;
			size--;
			continue;
		}
		plan->nodes[v].op = pick(joins, 3);
		/* mostly small inputs on one side, as join trees have */
		left = below(2) ? 1 + below(size - 2) :
			1 + below(size - 2 < 4 ? size - 2 : 4);
		right = v + 1 + left;
		hang_below(plan, v + 1, v, RVD_EDGE_OUTER);
		hang_below(plan, right, v, RVD_EDGE_INNER);
		grow_joins(plan, v + 1, left);
		size -= 1 + left;
		if (plan->nodes[v].op == OP_HASH_JOIN && size > 1)
		{
			plan->nodes[right].op = OP_HASH;
			hang_below(plan, right + 1, right, RVD_EDGE_OUTER);
			right++;
			size--;
		}
		v = right;
	}
	become_scan(plan, v);
}

/* Joins 0, 2, 4 ... below each other, each with a scan. */
static void
grow_left_deep(Plan *plan)
{
	for (int32_t v = 0; v < plan->n; v++)
	{
		if (v % 2 == 0 && v + 2 < plan->n)
			plan->nodes[v].op = OP_HASH_JOIN;
		else
			become_scan(plan, v);
		if (v > 0)
			hang_below(plan, v, (v - 1) / 2 * 2,
					   v % 2 == 0 ? RVD_EDGE_OUTER : RVD_EDGE_INNER);
	}
	/* of an even number the last join has one input */
	if (plan->n % 2 == 0 && plan->n > 1)
		plan->nodes[plan->n - 2].op = OP_SORT;
}

static void
grow_chain(Plan *plan)
{
	static const uint16_t others[] = {OP_SORT, OP_AGG, OP_MATERIAL, OP_LIMIT};

	for (int32_t v = 0; v + 1 < plan->n; v++)
	{
		plan->nodes[v].op = pick(others, 4);
		hang_below(plan, v + 1, v, RVD_EDGE_OUTER);
	}
	become_scan(plan, plan->n - 1);
}

static void
grow_append(Plan *plan)
{
	int32_t		groups = (int32_t) sqrt((double) plan->n);

	for (int32_t v = 0; v < plan->n; v++)
	{
		if (v <= groups && plan->n > 1)
			plan->nodes[v].op = OP_APPEND;
		else
			become_scan(plan, v);
		if (v > 0)
			hang_below(plan, v, v <= groups ? 0 : 1 + (v - 1) % groups,
					   RVD_EDGE_MEMBER);
	}
}

/* A third of the scans read what an operator behind them makes. */
static void
share_inputs(Plan *plan)
{
	for (int32_t v = 0; v + 1 < plan->n; v++)
	{
		int32_t		producer = v + 1 + below(plan->n - v - 1);

		if (plan->nodes[v].relation == 0 || below(3) > 0)
			continue;
		plan->nodes[v].op = OP_CTE_SCAN;
		plan->nodes[v].relation = plan->nodes[v].index = 0;
		plan->nodes[producer].flags |= RVD_NODE_CTE;
		hang_below(plan, producer, v, RVD_EDGE_SHARED);
	}
}

/* Rows of four decades; costs add up from the leaves. */
static void
price(Plan *plan)
{
	for (int32_t v = plan->n - 1; v >= 0; v--)
	{
		RvdDagNode *node = &plan->nodes[v];

		node->plan_node_id = v;
		node->width = 8 + below(200);
		node->label = rvd_rng_next(rng);
		node->est_rows = rint(exp(9 * rvd_rng_uniform(rng)));
		node->total_cost += 1 + exp(8 * rvd_rng_uniform(rng));
		node->startup_cost = node->total_cost * rvd_rng_uniform(rng);
		/* shared inputs are paid for where they hang in the tree */
		for (int32_t e = 0; e < plan->n_edges; e++)
			if (plan->edges[e].child == v &&
				plan->edges[e].kind != RVD_EDGE_SHARED)
				plan->nodes[plan->edges[e].parent].total_cost +=
					node->total_cost;
	}
}

void
plan_grow(Plan *plan, PlanFamily family, RvdRng *stream)
{
	rng = stream;
	switch (family)
	{
		case PLAN_LEFT_DEEP:
			grow_left_deep(plan);
			break;
		case PLAN_CHAIN:
			grow_chain(plan);
			break;
		case PLAN_APPEND:
			grow_append(plan);
			break;
		default:
			grow_joins(plan, 0, plan->n);
			break;
	}
	if (family == PLAN_SHARED)
		share_inputs(plan);
	price(plan);
}
