/*-------------------------------------------------------------------------
 *
 * test_features.c
 *	  Loops and own costs against plans whose truth is known because they
 *	  were made from it; features against their definitions; conservation
 *	  and relabelling on random graphs with any numbers in them.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ruvector_dag/features.h"
#include "ruvector_dag/hash.h"

#define N_CASES		1500
#define MAX_NODES	60

/* Operators of these tests; the real numbers belong to a higher layer. */
enum
{
	OP_NONE,
	OP_SCAN,
	OP_INDEX,
	OP_LOOP,
	OP_HASH_JOIN,
	OP_MERGE_JOIN,
	OP_STORE,
	OP_SORT,
	OP_AGG,
	OP_GATHER,
	OP_LIMIT,
	OP_RECURSION,
	N_OPS
};

static const uint8_t op_class[N_OPS] = {
	RVD_COST_OTHER, RVD_COST_SEQ_SCAN, RVD_COST_INDEX_SCAN,
	RVD_COST_NESTED_LOOP, RVD_COST_HASH_JOIN, RVD_COST_MERGE_JOIN,
	RVD_COST_MATERIAL, RVD_COST_SORT, RVD_COST_AGGREGATE, RVD_COST_OTHER,
	RVD_COST_OTHER, RVD_COST_OTHER
};

static const uint8_t op_traits[N_OPS] = {
	0, RVD_OP_IS_SCAN, RVD_OP_IS_SCAN | RVD_OP_USES_INDEX,
	RVD_OP_IS_JOIN | RVD_OP_IS_LOOP, RVD_OP_IS_JOIN, RVD_OP_IS_JOIN,
	RVD_OP_IS_STORE, RVD_OP_IS_SORT, RVD_OP_IS_AGGREGATE, RVD_OP_IS_GATHER, 0,
	0
};

static const RvdOpRoles roles = {N_OPS, op_class, op_traits};

static uint64_t seed = 1;

static int
below(int n)
{
	return (int) (rvd_hash_mix(++seed) % (uint64_t) n);
}

static double
uniform(void)
{
	return (double) (rvd_hash_mix(++seed) >> 11) * 0x1p-53;
}

/* ---- plans by hand ----------------------------------------------------- */

typedef struct Plan
{
	RvdDag		dag;
	void	   *mem;
	double		loops[MAX_NODES];
	double		self[MAX_NODES];
	float		phi[MAX_NODES * RVD_NODE_FEATURES];
	float		plan[RVD_PLAN_FEATURES];
} Plan;

static void
plan_open(Plan *p, int max_nodes, int max_edges)
{
	size_t		size = rvd_dag_size(max_nodes, max_edges);

	p->mem = malloc(size);
	assert_int_equal(rvd_dag_init(&p->dag, p->mem, size, max_nodes, max_edges),
					 RVD_OK);
}

static int
plan_node(Plan *p, int op, double rows, double cost)
{
	RvdDagNode	node = {0};
	int32_t		index;

	node.op = (uint16_t) op;
	node.est_rows = rows;
	node.total_cost = cost;
	node.width = 40;
	assert_int_equal(rvd_dag_add_node(&p->dag, &node, &index), RVD_OK);
	return index;
}

static void
plan_edge(Plan *p, int child, int parent, RvdEdgeKind kind)
{
	assert_int_equal(rvd_dag_add_edge(&p->dag, child, parent, kind), RVD_OK);
}

static void
plan_compute(Plan *p)
{
	rvd_features_loops(&p->dag, &roles, p->loops);
	rvd_features_self_cost(&p->dag, &roles, p->loops, p->self);
	rvd_features_nodes(&p->dag, &roles, p->loops, p->self, p->phi);
	rvd_features_plan(&p->dag, &roles, p->loops, p->plan);
}

static void
plan_finish(Plan *p)
{
	assert_int_equal(rvd_dag_finish(&p->dag), RVD_OK);
	plan_compute(p);
}

static void
plan_close(Plan *p)
{
	free(p->mem);
}

static float
phi(const Plan *p, int node, int feature)
{
	return p->phi[node * RVD_NODE_FEATURES + feature];
}

static void
near(double a, double b)
{
	if (!(fabs(a - b) <= 1e-6 * (1 + fabs(b))))
	{
		print_message("%.15g is not %.15g\n", a, b);
		assert_true(0);
	}
}

/* ---- loops and costs --------------------------------------------------- */

static void
inner_side_runs_per_outer_row(void **state)
{
	Plan		p;
	int			join;
	int			outer;
	int			inner;

	plan_open(&p, 8, 8);
	join = plan_node(&p, OP_LOOP, 500, 1000 + 100 * 5 + 30);
	outer = plan_node(&p, OP_SCAN, 100, 1000);
	inner = plan_node(&p, OP_INDEX, 5, 5);
	plan_edge(&p, outer, join, RVD_EDGE_OUTER);
	plan_edge(&p, inner, join, RVD_EDGE_INNER);
	plan_finish(&p);
	near(p.loops[join], 1);
	near(p.loops[outer], 1);
	near(p.loops[inner], 100);
	near(p.self[outer], 1000);
	near(p.self[inner], 500);
	near(p.self[join], 30);
	plan_close(&p);
}

/* The planner charges rescans of a Material little: the join's total says. */
static void
store_is_filled_once_and_read_often(void **state)
{
	Plan		p;
	int			join;
	int			store;
	int			scan;
	int			outer;

	plan_open(&p, 8, 8);
	join = plan_node(&p, OP_LOOP, 5000, 1000 + 50 + 2000);
	outer = plan_node(&p, OP_SCAN, 100, 1000);
	store = plan_node(&p, OP_STORE, 50, 50);
	scan = plan_node(&p, OP_SCAN, 50, 40);
	plan_edge(&p, outer, join, RVD_EDGE_OUTER);
	plan_edge(&p, store, join, RVD_EDGE_INNER);
	plan_edge(&p, scan, store, RVD_EDGE_OUTER);
	plan_finish(&p);
	near(p.loops[store], 100);
	near(p.loops[scan], 1);
	near(p.self[outer], 1000);
	near(p.self[scan], 40);
	near(p.self[store], 2050 - 40);
	near(p.self[join], 0);
	plan_close(&p);
}

static void
limit_charges_only_what_it_fetches(void **state)
{
	Plan		p;
	int			limit;
	int			sort;
	int			scan;

	plan_open(&p, 8, 8);
	limit = plan_node(&p, OP_LIMIT, 10, 10);
	sort = plan_node(&p, OP_AGG, 1000, 1000);
	scan = plan_node(&p, OP_SCAN, 1000, 900);
	plan_edge(&p, sort, limit, RVD_EDGE_OUTER);
	plan_edge(&p, scan, sort, RVD_EDGE_OUTER);
	plan_finish(&p);
	near(p.self[limit], 0);
	near(p.self[sort], 1);
	near(p.self[scan], 9);
	near(p.loops[scan], 1);
	plan_close(&p);
}

static void
init_plans_run_once_wherever_they_hang(void **state)
{
	Plan		p;
	int			join;
	int			outer;
	int			inner;
	int			init;

	plan_open(&p, 8, 8);
	join = plan_node(&p, OP_LOOP, 100, 100 + 100 * 12);
	outer = plan_node(&p, OP_SCAN, 100, 100);
	inner = plan_node(&p, OP_INDEX, 1, 12);
	init = plan_node(&p, OP_AGG, 1, 700);
	plan_edge(&p, outer, join, RVD_EDGE_OUTER);
	plan_edge(&p, inner, join, RVD_EDGE_INNER);
	plan_edge(&p, init, inner, RVD_EDGE_INITPLAN);
	plan_finish(&p);
	near(p.loops[inner], 100);
	near(p.loops[init], 1);
	near(p.self[init], 700);
	near(p.self[inner], 500);
	near(p.self[join], 0);
	plan_close(&p);
}

static void
subplans_run_per_row_unless_hashed(void **state)
{
	for (int hashed = 0; hashed < 2; hashed++)
	{
		Plan		p;
		int			scan;
		int			sub;

		plan_open(&p, 8, 8);
		scan = plan_node(&p, OP_SCAN, 50, 1000);
		sub = plan_node(&p, OP_INDEX, 1, 4);
		p.dag.nodes[sub].flags = hashed ? RVD_NODE_HASHED : 0;
		plan_edge(&p, sub, scan, RVD_EDGE_SUBPLAN);
		plan_finish(&p);
		near(p.loops[sub], hashed ? 1 : 50);
		near(p.self[sub], hashed ? 4 : 200);
		near(p.self[scan], hashed ? 996 : 800);
		plan_close(&p);
	}
}

/* The planner assumes ten rounds; the worktable's producer is not paid. */
static void
recursive_term_runs_in_rounds(void **state)
{
	Plan		p;
	int			recursion;
	int			start;
	int			term;

	plan_open(&p, 4, 4);
	recursion = plan_node(&p, OP_RECURSION, 31, 8 + 10 * 25 + 6);
	start = plan_node(&p, OP_INDEX, 1, 8);
	term = plan_node(&p, OP_SCAN, 3, 25);
	plan_edge(&p, start, recursion, RVD_EDGE_OUTER);
	plan_edge(&p, term, recursion, RVD_EDGE_INNER);
	plan_edge(&p, start, term, RVD_EDGE_SHARED);
	plan_finish(&p);
	near(p.loops[start], 1);
	near(p.loops[term], 10);
	near(p.self[start], 8);
	near(p.self[term], 250);
	near(p.self[recursion], 6);
	plan_close(&p);
}

/* A CTE is paid where it hangs, not where it is read, and not twice. */
static void
shared_producer_is_paid_once(void **state)
{
	Plan		p;
	int			join;
	int			cte;
	int			read[2];

	plan_open(&p, 8, 8);
	join = plan_node(&p, OP_HASH_JOIN, 100, 600 + 20 + 30 + 7);
	cte = plan_node(&p, OP_SCAN, 100, 600);
	read[0] = plan_node(&p, OP_SCAN, 100, 20);
	read[1] = plan_node(&p, OP_SCAN, 100, 30);
	plan_edge(&p, cte, join, RVD_EDGE_INITPLAN);
	plan_edge(&p, read[0], join, RVD_EDGE_OUTER);
	plan_edge(&p, read[1], join, RVD_EDGE_INNER);
	plan_edge(&p, cte, read[0], RVD_EDGE_SHARED);
	plan_edge(&p, cte, read[1], RVD_EDGE_SHARED);
	plan_finish(&p);
	near(p.loops[cte], 1);
	near(p.self[cte], 600);
	near(p.self[read[0]], 20);
	near(p.self[read[1]], 30);
	near(p.self[join], 7);
	near(phi(&p, cte, RVD_NF_SHARED), 1);
	near(phi(&p, read[0], RVD_NF_SHARED), 0);
	near(phi(&p, join, RVD_NF_SHARED), 0);
	plan_close(&p);
}

/* What hangs at an InitPlan edge to be run there is not read there. */
static void
one_reader_does_not_make_it_shared(void **state)
{
	Plan		p;
	int			read;
	int			cte;

	plan_open(&p, 4, 4);
	read = plan_node(&p, OP_SCAN, 10, 30);
	cte = plan_node(&p, OP_SCAN, 10, 20);
	plan_edge(&p, cte, read, RVD_EDGE_INITPLAN);
	plan_edge(&p, cte, read, RVD_EDGE_SHARED);
	plan_finish(&p);
	near(phi(&p, cte, RVD_NF_SHARED), 0);
	near(p.self[cte], 20);
	near(p.self[read], 10);
	plan_close(&p);
}

static void
loops_are_capped(void **state)
{
	Plan		p;
	int			above = -1;

	plan_open(&p, 30, 30);
	for (int i = 0; i < 10; i++)
	{
		int			join = plan_node(&p, OP_LOOP, 1e6, 1);
		int			outer = plan_node(&p, OP_SCAN, 1e6, 1);

		plan_edge(&p, outer, join, RVD_EDGE_OUTER);
		if (above >= 0)
			plan_edge(&p, join, above, RVD_EDGE_INNER);
		above = join;
	}
	plan_finish(&p);
	near(p.loops[above], 1e12);
	near(p.loops[2], 1e6);
	plan_close(&p);
}

/*
 * A random tree made from the truth: each operator's own cost and how often
 * it runs are chosen first, totals follow.
 */
typedef struct Truth
{
	double		own[MAX_NODES];	/* per run */
	double		loops[MAX_NODES];
} Truth;

static int
grow(Plan *p, Truth *t, int depth, double loops, double *total)
{
	int			kind = depth > 5 || p->dag.n_nodes > MAX_NODES - 8 ? 0 :
		below(6);
	int			op = kind == 1 ? OP_LOOP : kind == 2 ? OP_HASH_JOIN :
		kind == 3 ? OP_SORT : kind == 4 ? OP_AGG : OP_SCAN;
	double		rows = floor(1 + 200 * uniform());
	int			v = plan_node(p, op, rows, 0);
	double		below_cost;
	int			child;

	t->own[v] = *total = 100 * uniform();
	t->loops[v] = loops;
	if (kind >= 1 && kind <= 4)
	{
		child = grow(p, t, depth + 1, loops, &below_cost);
		plan_edge(p, child, v, RVD_EDGE_OUTER);
		*total += below_cost;
		rows = p->dag.nodes[child].est_rows;
	}
	if (kind == 1 || kind == 2)
	{
		double		times = kind == 1 ? rows : 1;

		child = grow(p, t, depth + 1, loops * times, &below_cost);
		plan_edge(p, child, v, RVD_EDGE_INNER);
		*total += times * below_cost;
	}
	if (kind == 5)
	{
		child = grow(p, t, depth + 1, loops, &below_cost);
		plan_edge(p, child, v, RVD_EDGE_SUBQUERY);
		*total += below_cost;
		if (depth == 0)
		{
			child = grow(p, t, depth + 1, 1, &below_cost);
			plan_edge(p, child, v, RVD_EDGE_INITPLAN);
			*total += below_cost;
		}
	}
	p->dag.nodes[v].total_cost = *total;
	return v;
}

static void
true_plans_are_taken_apart_exactly(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		Plan		p;
		Truth		t;
		double		total;

		plan_open(&p, MAX_NODES, 2 * MAX_NODES);
		grow(&p, &t, 0, 1, &total);
		plan_finish(&p);
		for (int v = 0; v < p.dag.n_nodes; v++)
		{
			if (t.loops[v] > 1e12)
				continue;
			near(p.loops[v], t.loops[v]);
			assert_true(fabs(p.self[v] - t.own[v] * t.loops[v]) <=
						1e-9 * total);
		}
		plan_close(&p);
	}
}

/* ---- any numbers ------------------------------------------------------- */

static double
wild(void)
{
	switch (below(12))
	{
		case 0:
			return 0;
		case 1:
			return 1e300;
		case 2:
			return -5;
		case 3:
			return NAN;
		case 4:
			return INFINITY;
		case 5:
			return 4.9e-324;
		default:
			return exp(20 * uniform() - 3);
	}
}

/* Node 0 is the root; the seed decides all. */
static void
random_plan(Plan *p, int n, int with_shared, const int *place)
{
	int			parent[MAX_NODES];
	RvdDagNode	node[MAX_NODES];

	plan_open(p, n, 3 * n);
	for (int i = 0; i < n; i++)
	{
		memset(&node[i], 0, sizeof(node[i]));
		node[i].op = (uint16_t) (1 + below(N_OPS));		/* one is unknown */
		node[i].variant = (uint16_t) below(4);
		node[i].flags = (uint16_t) below(16);
		node[i].est_rows = wild();
		node[i].startup_cost = wild();
		node[i].total_cost = wild();
		node[i].width = below(1000) - 10;
		parent[i] = i > 0 ? below(i) : -1;
	}
	for (int k = 0; k < n; k++)
		for (int i = 0; i < n; i++)
			if (place[i] == k)
				assert_int_equal(rvd_dag_add_node(&p->dag, &node[i], NULL),
								 RVD_OK);
	for (int i = 1; i < n; i++)
	{
		RvdEdgeKind kind = (RvdEdgeKind) below(6);

		plan_edge(p, place[i], place[parent[i]], kind);
		if (with_shared && below(4) == 0)
			plan_edge(p, place[i], place[below(i)],
					  (RvdEdgeKind) below(7));
	}
}

static void
costs_are_conserved_and_features_bounded(void **state)
{
	int			place[MAX_NODES];

	for (int i = 0; i < MAX_NODES; i++)
		place[i] = i;
	for (int i = 0; i < N_CASES; i++)
	{
		Plan		p;
		int			n = 1 + below(MAX_NODES);
		double		sum = 0;
		double		whole;

		random_plan(&p, n, i % 2, place);
		plan_finish(&p);
		for (int v = 0; v < n; v++)
		{
			assert_true(p.self[v] >= 0 && isfinite(p.self[v]));
			assert_true(p.loops[v] >= 1 && p.loops[v] <= 1e12);
			sum += p.self[v];
		}
		whole = p.dag.nodes[0].total_cost;
		whole = !(whole > 0) ? 0 : fmin(whole, 1e100);
		/* every node has a paying edge here: what is shared is extra */
		assert_true(fabs(sum - whole) <= 1e-9 * whole + 1e-300);
		for (int k = 0; k < n * RVD_NODE_FEATURES; k++)
			assert_true(fabsf(p.phi[k]) <= 6);
		for (int k = 0; k < RVD_PLAN_FEATURES; k++)
			assert_true(isfinite(p.plan[k]) &&
						(k == RVD_PF_COST || fabsf(p.plan[k]) <= 6));
		plan_close(&p);
	}
}

static void
relabelling_changes_nothing(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		int			n = 1 + below(MAX_NODES);
		int			same[MAX_NODES];
		int			place[MAX_NODES];
		uint64_t	start;
		Plan		a;
		Plan		b;

		for (int k = 0; k < n; k++)
			same[k] = place[k] = k;
		for (int k = n - 1; k > 0; k--)
		{
			int			j = below(k + 1);
			int			swap = place[k];

			place[k] = place[j];
			place[j] = swap;
		}
		start = seed;
		random_plan(&a, n, 1, same);
		seed = start;
		random_plan(&b, n, 1, place);
		plan_finish(&a);
		plan_finish(&b);
		for (int v = 0; v < n; v++)
		{
			assert_true(fabs(a.loops[v] - b.loops[place[v]]) <=
						1e-9 * a.loops[v]);
			for (int k = 0; k < RVD_NODE_FEATURES; k++)
				assert_true(fabsf(phi(&a, v, k) -
								  phi(&b, place[v], k)) < 1e-4);
		}
		for (int k = 0; k < RVD_PLAN_FEATURES; k++)
			assert_true(fabsf(a.plan[k] - b.plan[k]) < 1e-4);
		plan_close(&a);
		plan_close(&b);
	}
}

/* ---- definitions ------------------------------------------------------- */

/* agg over (loop over (scan, index)), gathered */
static void
known_plan(Plan *p)
{
	int			gather;
	int			agg;
	int			join;
	int			outer;
	int			inner;

	plan_open(p, 8, 8);
	gather = plan_node(p, OP_GATHER, 10, 2000);
	agg = plan_node(p, OP_AGG, 10, 1900);
	join = plan_node(p, OP_LOOP, 400, 1800);
	outer = plan_node(p, OP_SCAN, 100, 1000);
	inner = plan_node(p, OP_INDEX, 4, 7);
	p->dag.nodes[gather].variant = 2;
	p->dag.nodes[outer].flags = RVD_NODE_PARALLEL_AWARE;
	p->dag.nodes[agg].startup_cost = 1850;
	plan_edge(p, agg, gather, RVD_EDGE_OUTER);
	plan_edge(p, join, agg, RVD_EDGE_OUTER);
	plan_edge(p, outer, join, RVD_EDGE_OUTER);
	plan_edge(p, inner, join, RVD_EDGE_INNER);
	plan_finish(p);
}

/* Features are increasing lines of what they stand for: undo two of them. */
static void
node_features_mean_what_they_say(void **state)
{
	Plan		p;
	double		slope;

	known_plan(&p);
	for (int v = 0; v < 5; v++)
		near(phi(&p, v, RVD_NF_BIAS), 1);
	slope = (phi(&p, 2, RVD_NF_ROWS) - phi(&p, 1, RVD_NF_ROWS)) /
		(log(401) - log(11));
	assert_true(slope > 0.1 && slope < 1);
	near(phi(&p, 3, RVD_NF_ROWS) - phi(&p, 1, RVD_NF_ROWS),
		 slope * (log(101) - log(11)));
	/* the join takes 100 rows, and 4 per each of them */
	near(phi(&p, 2, RVD_NF_INPUT_ROWS) - phi(&p, 1, RVD_NF_ROWS),
		 slope * (log(501) - log(11)));
	near(phi(&p, 1, RVD_NF_RATIO) / phi(&p, 2, RVD_NF_RATIO),
		 (log(11) - log(401)) / (log(401) - log(501)));
	near(phi(&p, 3, RVD_NF_RATIO), 0);
	/* own 100, 100, 100, 1000, 700 of 2000 */
	near((phi(&p, 3, RVD_NF_SELF_SHARE) - phi(&p, 0, RVD_NF_SELF_SHARE)) /
		 (phi(&p, 4, RVD_NF_SELF_SHARE) - phi(&p, 0, RVD_NF_SELF_SHARE)),
		 900.0 / 600.0);
	near((phi(&p, 2, RVD_NF_TOTAL_SHARE) - phi(&p, 4, RVD_NF_TOTAL_SHARE)) /
		 (phi(&p, 0, RVD_NF_TOTAL_SHARE) - phi(&p, 4, RVD_NF_TOTAL_SHARE)),
		 1100.0 / 1300.0);
	assert_true(phi(&p, 1, RVD_NF_STARTUP) > phi(&p, 0, RVD_NF_STARTUP));
	near(phi(&p, 0, RVD_NF_DEPTH), -phi(&p, 4, RVD_NF_DEPTH));
	near(phi(&p, 0, RVD_NF_HEIGHT), -phi(&p, 3, RVD_NF_HEIGHT));
	assert_true(phi(&p, 4, RVD_NF_LOOPS) > phi(&p, 3, RVD_NF_LOOPS));
	assert_true(phi(&p, 2, RVD_NF_FAN_IN) > phi(&p, 1, RVD_NF_FAN_IN));
	near(phi(&p, 3, RVD_NF_PARALLEL), 1);
	near(phi(&p, 4, RVD_NF_PARALLEL), 0);
	near(phi(&p, 3, RVD_NF_IS_LEAF), 1);
	near(phi(&p, 2, RVD_NF_IS_LEAF), 0);
	plan_close(&p);
}

/* Twice the plan with one thing changed: only what it counts may move. */
static void
plan_features_count_what_they_say(void **state)
{
	static const struct
	{
		int			op;
		int			feature;
	}			counted[] = {
		{OP_SCAN, RVD_PF_SCANS}, {OP_LOOP, RVD_PF_NESTED_LOOPS},
		{OP_LOOP, RVD_PF_JOINS}, {OP_HASH_JOIN, RVD_PF_HASH_JOINS},
		{OP_MERGE_JOIN, RVD_PF_MERGE_JOINS}, {OP_SORT, RVD_PF_SORTS},
		{OP_AGG, RVD_PF_AGGREGATES}
	};
	Plan		p;
	float		before[RVD_PLAN_FEATURES];

	known_plan(&p);
	memcpy(before, p.plan, sizeof(before));
	near(before[RVD_PF_BIAS], 1);
	for (int i = 0; i < 7; i++)
	{
		float		with[3];

		for (int k = 0; k < 3; k++)
		{
			p.dag.nodes[0].op = (uint16_t) (k > 0 ? counted[i].op : OP_LIMIT);
			p.dag.nodes[1].op = (uint16_t) (k > 1 ? counted[i].op : OP_LIMIT);
			plan_compute(&p);
			with[k] = p.plan[counted[i].feature];
		}
		assert_true(with[0] < with[1] && with[1] < with[2]);
	}
	p.dag.nodes[0].op = OP_GATHER;
	p.dag.nodes[1].op = OP_AGG;

	/* half of the scans use an index, then all, then none */
	p.dag.nodes[3].op = OP_INDEX;
	plan_compute(&p);
	near(p.plan[RVD_PF_INDEX_SHARE] - before[RVD_PF_INDEX_SHARE], 1.25);
	p.dag.nodes[3].op = OP_SCAN;

	p.dag.nodes[0].variant = 4;
	plan_compute(&p);
	near((p.plan[RVD_PF_WORKERS] - before[RVD_PF_WORKERS]) / 2,
		 log(5) - log(3));
	p.dag.nodes[0].variant = 2;

	/* 10 + 10 + 400 + 100 + 400 rows, the last 400 by the inner side */
	p.dag.nodes[4].est_rows = 8;
	plan_compute(&p);
	near((p.plan[RVD_PF_WORK] - before[RVD_PF_WORK]) * 4,
		 log(1321) - log(921));
	near((p.plan[RVD_PF_LOOPED_WORK] - before[RVD_PF_LOOPED_WORK]) * 5,
		 log(801) - log(401));

	/* the cost alone is not clipped */
	p.dag.nodes[0].total_cost = 1e30;
	plan_compute(&p);
	assert_true(p.plan[RVD_PF_COST] > 6);
	plan_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inner_side_runs_per_outer_row),
		cmocka_unit_test(store_is_filled_once_and_read_often),
		cmocka_unit_test(limit_charges_only_what_it_fetches),
		cmocka_unit_test(init_plans_run_once_wherever_they_hang),
		cmocka_unit_test(subplans_run_per_row_unless_hashed),
		cmocka_unit_test(recursive_term_runs_in_rounds),
		cmocka_unit_test(shared_producer_is_paid_once),
		cmocka_unit_test(one_reader_does_not_make_it_shared),
		cmocka_unit_test(loops_are_capped),
		cmocka_unit_test(true_plans_are_taken_apart_exactly),
		cmocka_unit_test(costs_are_conserved_and_features_bounded),
		cmocka_unit_test(relabelling_changes_nothing),
		cmocka_unit_test(node_features_mean_what_they_say),
		cmocka_unit_test(plan_features_count_what_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
