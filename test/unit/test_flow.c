/*-------------------------------------------------------------------------
 *
 * test_flow.c
 *	  Bottlenecks of plan graphs against all cuts, against a maximum flow
 *	  written for this test, and against all antichains.
 *
 * Workspaces are heap blocks of exactly the size asked for, so that the
 * address sanitizer sees a write past them.  Numbers in comments are those
 * of the design's tests.
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ruvector_dag/flow.h"
#include "ruvector_dag/rng.h"

#define FLOW_CASES	10500		/* against the other maximum flow */
#define SET_CASES	2500		/* against all subsets */
#define MAX_N		12
#define ACCURACY	1e-9

typedef struct Plan
{
	RvdDag		dag;
	void	   *mem;
	void	   *work;
	double	   *load;
	double	   *rows;
	RvdFlowResult result;
} Plan;

static RvdRng rng;

static int32_t
below(int32_t n)
{
	return (int32_t) rvd_rng_below(&rng, (uint64_t) n);
}

/* ---- plans -------------------------------------------------------------- */

static void
open_plan(Plan *p, int32_t n, int32_t max_edges)
{
	RvdDagNode	node = {.op = 1};
	size_t		size = rvd_dag_size(n, max_edges);

	memset(p, 0, sizeof(*p));
	p->mem = malloc(size);
	assert_int_equal(rvd_dag_init(&p->dag, p->mem, size, n, max_edges),
					 RVD_OK);
	for (int32_t i = 0; i < n; i++)
		assert_int_equal(rvd_dag_add_node(&p->dag, &node, NULL), RVD_OK);
	p->load = malloc((size_t) n * sizeof(double));
	p->rows = malloc((size_t) n * sizeof(double));
	p->result.criticality = malloc((size_t) n * sizeof(double));
	p->result.in_cut = malloc((size_t) n);
	for (int32_t i = 0; i < n; i++)
		p->load[i] = p->rows[i] = 1;
}

static void
join(Plan *p, int32_t child, int32_t parent)
{
	assert_int_equal(rvd_dag_add_edge(&p->dag, child, parent, RVD_EDGE_MEMBER),
					 RVD_OK);
}

static void
close_plan(Plan *p)
{
	free(p->mem);
	free(p->work);
	free(p->load);
	free(p->rows);
	free(p->result.criticality);
	free(p->result.in_cut);
}

static void
finish(Plan *p)
{
	assert_int_equal(rvd_dag_finish(&p->dag), RVD_OK);
	p->work = malloc(rvd_flow_workspace(&p->dag));
}

static double
analyse(Plan *p, RvdFlowMode mode)
{
	memset(p->work, 0xa5, rvd_flow_workspace(&p->dag));
	assert_int_equal(rvd_flow_analyse(&p->dag, mode, p->load, p->rows,
									  &p->result, p->work), RVD_OK);
	return p->result.value;
}

/*
 * Labels are shuffled.  extra: edges beyond those of a tree, of which some
 * may be there twice.  Numbers are small and whole, so that there are ties,
 * or wide: over 12 decades.
 */
static void
random_plan(Plan *p, int32_t n, int32_t extra, bool wide)
{
	int32_t		label[64];

	for (int32_t i = 0; i < n; i++)
		label[i] = i;
	for (int32_t i = n - 1; i > 0; i--)
	{
		int32_t		j = below(i + 1);
		int32_t		swap = label[i];

		label[i] = label[j];
		label[j] = swap;
	}
	open_plan(p, n, n + extra);
	for (int32_t i = 1; i < n; i++)
		join(p, label[i], label[below(2) ? i - 1 - below(i < 3 ? i : 3)
								: below(i)]);
	for (int32_t k = 0; k < extra && n > 1; k++)
	{
		int32_t		i = 1 + below(n - 1);

		join(p, label[i], label[below(i)]);
	}
	for (int32_t i = 0; i < n; i++)
	{
		p->load[i] = wide ? exp(28 * rvd_rng_uniform(&rng) - 14)
			: below(6);
		p->rows[i] = wide ? exp(28 * rvd_rng_uniform(&rng)) - 1
			: below(6);
	}
	finish(p);
}

/* ---- definitions, once more --------------------------------------------- */

static bool
is_leaf(const RvdDag *dag, int32_t v)
{
	return dag->child_start[v] == dag->child_start[v + 1];
}

static double
at_least_one(double x)
{
	return x > 1 ? x : 1;
}

static double
input_rows(const Plan *p, int32_t v)
{
	double		sum = 0;

	for (int32_t e = p->dag.child_start[v]; e < p->dag.child_start[v + 1]; e++)
		sum += at_least_one(p->rows[p->dag.child[e]]);
	return is_leaf(&p->dag, v) ? at_least_one(p->rows[v]) : sum;
}

/*
 * What one row that v takes in becomes until it arrives at the input of top,
 * over all ways.
 */
static double
worth(const Plan *p, int32_t v, int32_t top)
{
	const RvdDag *dag = &p->dag;
	double		ways = 0;

	for (int32_t e = dag->parent_start[v]; e < dag->parent_start[v + 1]; e++)
		ways += dag->parent[e] == top ? 1 : worth(p, dag->parent[e], top);
	return ways * at_least_one(p->rows[v]) / input_rows(p, v);
}

/*
 * Capacities as seen from the input of top; its own capacity in units of its
 * input, times pass.
 */
static void
set_capacities(const Plan *p, RvdFlowMode mode, int32_t top, double *c)
{
	for (int32_t v = 0; v < p->dag.n_nodes; v++)
	{
		c[v] = 1;
		if (mode != RVD_FLOW_ROWS)
			continue;
		c[v] = input_rows(p, v) / fmax(p->load[v], 1e-3);
		if (v != top)
			c[v] *= worth(p, v, top);
	}
}

static double
pass_of_root(const Plan *p, RvdFlowMode mode)
{
	return mode != RVD_FLOW_ROWS ? 1
		: at_least_one(p->rows[p->dag.root]) / input_rows(p, p->dag.root);
}

/* All that feeds v, itself included. */
static uint32_t
cone(const RvdDag *dag, int32_t v)
{
	uint32_t	set = UINT32_C(1) << v;

	for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
		set |= cone(dag, dag->child[e]);
	return set;
}

/* Nodes from which something still gets to the output of top. */
static uint32_t
open_nodes(const RvdDag *dag, int32_t top, uint32_t taken_out)
{
	uint32_t	open = 0;

	if (taken_out >> top & 1)
		return 0;
	open = UINT32_C(1) << top;
	for (int32_t e = dag->child_start[top]; e < dag->child_start[top + 1]; e++)
		open |= open_nodes(dag, dag->child[e], taken_out);
	return open;
}

static bool
separates(const RvdDag *dag, int32_t top, uint32_t set)
{
	uint32_t	fed = 0;

	for (int32_t k = 0; k < dag->n_nodes; k++)
	{
		int32_t		v = dag->topo[k];

		if (set >> v & 1)
			continue;
		if (is_leaf(dag, v))
			fed |= UINT32_C(1) << v;
		for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
			fed |= (fed >> dag->child[e] & 1) << v;
	}
	return !(fed >> top & 1);
}

static double
sum_of(const double *c, uint32_t set)
{
	double		sum = 0;

	for (int32_t v = 0; set >> v; v++)
		sum += set >> v & 1 ? c[v] : 0;
	return sum;
}

static uint32_t
reported(const Plan *p)
{
	uint32_t	set = 0;
	int32_t		count = 0;

	for (int32_t v = 0; v < p->dag.n_nodes; v++)
	{
		set |= (uint32_t) p->result.in_cut[v] << v;
		count += p->result.in_cut[v];
	}
	assert_int_equal(count, p->result.n_cut);
	return set;
}

/* Least cost of a set that keeps everything from the output of top. */
static double
cheapest_set(const Plan *p, int32_t top, uint32_t allowed, const double *c)
{
	double		best = INFINITY;

	for (uint32_t set = allowed;; set = (set - 1) & allowed)
	{
		double		sum = sum_of(c, set);

		if (sum < best && separates(&p->dag, top, set))
			best = sum;
		if (set == 0)
			return best;
	}
}

static void
assert_close(double a, double b)
{
	if (!(fabs(a - b) <= ACCURACY * fmax(fabs(a), fabs(b))))
		fail_msg("%.17g is not %.17g", a, b);
}

/* ---- cuts --------------------------------------------------------------- */

/* T7.1, and kappa of every node by the cheapest cut of what feeds it. */
static void
cut_and_criticality_are_those_of_all_sets(void **state)
{
	for (int i = 0; i < SET_CASES; i++)
	{
		Plan		p;
		RvdFlowMode mode = i % 2 ? RVD_FLOW_ROWS : RVD_FLOW_UNIT;
		int32_t		n = 1 + below(9);

		random_plan(&p, n, below(n), i % 4 == 1);
		analyse(&p, mode);
		assert_false(p.result.disconnected);
		for (int32_t v = 0; v < n; v++)
		{
			double		c[MAX_N];
			uint32_t	feeding = cone(&p.dag, v) & ~(UINT32_C(1) << v);
			double		arriving;
			double		kappa = p.result.criticality[v];

			if (is_leaf(&p.dag, v))
			{
				assert_true(kappa == 1);
				continue;
			}
			set_capacities(&p, mode, v, c);
			arriving = cheapest_set(&p, v, feeding, c);
			assert_close(kappa, arriving / (c[v] + arriving));
			if (mode == RVD_FLOW_UNIT)
				assert_int_equal(kappa >= 0.5, c[v] <= arriving);
			if (v == p.dag.root)
				assert_close(p.result.value, pass_of_root(&p, mode) *
							 fmin(c[v], arriving));
		}
		close_plan(&p);
	}
}

/* T7.3 */
static void
cut_separates_and_none_of_it_is_idle(void **state)
{
	for (int i = 0; i < SET_CASES; i++)
	{
		Plan		p;
		RvdFlowMode mode = i % 2 ? RVD_FLOW_ROWS : RVD_FLOW_UNIT;
		int32_t		n = 1 + below(20);
		double		c[20];
		uint32_t	set;

		random_plan(&p, n, below(6), i % 4 == 1);
		analyse(&p, mode);
		set = reported(&p);
		set_capacities(&p, mode, p.dag.root, c);
		assert_close(sum_of(c, set) * pass_of_root(&p, mode), p.result.value);
		assert_true(separates(&p.dag, p.dag.root, set));
		for (int32_t v = 0; v < n; v++)
		{
			if (set >> v & 1)
				assert_false(separates(&p.dag, p.dag.root,
									   set & ~(UINT32_C(1) << v)));
		}
		close_plan(&p);
	}
}

static void
cut_is_the_one_nearest_the_root(void **state)
{
	for (int i = 0; i < SET_CASES; i++)
	{
		Plan		p;
		int32_t		n = 1 + below(9);
		double		c[MAX_N];
		uint32_t	open;
		int32_t		size;

		random_plan(&p, n, below(n), false);
		analyse(&p, RVD_FLOW_UNIT);
		set_capacities(&p, RVD_FLOW_UNIT, p.dag.root, c);
		open = open_nodes(&p.dag, p.dag.root, reported(&p));
		size = p.result.n_cut;
		for (uint32_t set = 0; set < UINT32_C(1) << n; set++)
		{
			if (sum_of(c, set) == size && separates(&p.dag, p.dag.root, set))
				assert_int_equal(open & ~open_nodes(&p.dag, p.dag.root, set),
								 0);
		}
		close_plan(&p);
	}
}

/*
 * The other maximum flow: J. Edmonds and R. M. Karp's shortest augmenting
 * paths on a matrix of doubles, each node split in two.
 */
#define VERTICES	(2 * 24 + 2)

static double residual[VERTICES][VERTICES];

static bool
find_shortest(int32_t n, int32_t s, int32_t t, int32_t *from)
{
	int32_t		queue[VERTICES];
	int32_t		n_seen = 0;

	for (int32_t v = 0; v < n; v++)
		from[v] = -1;
	from[s] = s;
	queue[n_seen++] = s;
	for (int32_t k = 0; k < n_seen; k++)
	{
		for (int32_t v = 0; v < n; v++)
		{
			if (from[v] < 0 && residual[queue[k]][v] > 0)
			{
				from[v] = queue[k];
				queue[n_seen++] = v;
			}
		}
	}
	return from[t] >= 0;
}

static double
other_flow(const Plan *p, const double *c)
{
	const RvdDag *dag = &p->dag;
	int32_t		n = dag->n_nodes;
	int32_t		s = 2 * n;
	int32_t		t = 2 * dag->root + 1;
	int32_t		from[VERTICES];
	double		flow = 0;

	for (int32_t v = 0; v < 2 * n + 1; v++)
		memset(residual[v], 0, sizeof(residual[v]));
	for (int32_t v = 0; v < n; v++)
	{
		residual[2 * v][2 * v + 1] = c[v];
		if (is_leaf(dag, v))
			residual[s][2 * v] = 1e300;
		for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
			residual[2 * dag->child[e] + 1][2 * v] = 1e300;
	}
	while (find_shortest(2 * n + 1, s, t, from))
	{
		double		most = 1e300;

		for (int32_t v = t; v != s; v = from[v])
			most = fmin(most, residual[from[v]][v]);
		for (int32_t v = t; v != s; v = from[v])
		{
			residual[from[v]][v] -= most;
			residual[v][from[v]] += most;
		}
		flow += most;
	}
	return flow;
}

/* T7.9 */
static void
cut_equals_another_maximum_flow(void **state)
{
	for (int i = 0; i < FLOW_CASES; i++)
	{
		Plan		p;
		RvdFlowMode mode = i % 3 == 0 ? RVD_FLOW_UNIT : RVD_FLOW_ROWS;
		int32_t		n = 1 + below(i % 8 == 0 ? 24 : 10);
		double		c[24];

		random_plan(&p, n, i % 5 == 0 ? 0 : below(n > 8 ? 8 : n), i % 2);
		analyse(&p, mode);
		set_capacities(&p, mode, p.dag.root, c);
		assert_close(p.result.value,
					 other_flow(&p, c) * pass_of_root(&p, mode));
		close_plan(&p);
	}
}

/* T7.4, T1.6: less load lets more pass; no node gets more critical by it. */
static void
less_load_never_lets_less_pass(void **state)
{
	for (int i = 0; i < SET_CASES; i++)
	{
		Plan		p;
		int32_t		n = 1 + below(12);
		int32_t		v = below(n);
		double		value;
		double		kappa;

		random_plan(&p, n, below(6), i % 2);
		value = analyse(&p, RVD_FLOW_ROWS);
		kappa = p.result.criticality[v];
		p.load[v] *= rvd_rng_uniform(&rng);
		assert_true(analyse(&p, RVD_FLOW_ROWS) >= value * (1 - ACCURACY));
		assert_true(p.result.criticality[v] <= kappa * (1 + ACCURACY));
		close_plan(&p);
	}
}

/* ---- frontier ----------------------------------------------------------- */

static double
antichain_sum(const Plan *p, const uint32_t *cones, uint32_t set)
{
	for (int32_t v = 0; set >> v; v++)
	{
		if (set >> v & 1 && (cones[v] & set) != UINT32_C(1) << v)
			return -1;
	}
	return sum_of(p->load, set);
}

static double
heaviest_antichain(const Plan *p, const uint32_t *cones, uint32_t allowed)
{
	double		best = 0;

	for (uint32_t set = allowed; set != 0; set = (set - 1) & allowed)
		best = fmax(best, antichain_sum(p, cones, set));
	return best;
}

/* All that is above a member. */
static uint32_t
above_all(const uint32_t *cones, int32_t n, uint32_t set)
{
	uint32_t	above = 0;

	for (int32_t v = 0; v < n; v++)
	{
		if (cones[v] & set & ~(UINT32_C(1) << v))
			above |= UINT32_C(1) << v;
	}
	return above;
}

/* T7.8 on trees and graphs; kappa of every node by its own inputs. */
static void
frontier_is_the_heaviest_antichain(void **state)
{
	for (int i = 0; i < SET_CASES; i++)
	{
		Plan		p;
		int32_t		n = 1 + below(i % 5 == 0 ? MAX_N : 9);
		bool		wide = i % 2;
		uint32_t	cones[MAX_N];
		uint32_t	all = (UINT32_C(1) << n) - 1;
		uint32_t	set;
		double		best;

		random_plan(&p, n, i % 3 == 0 ? 0 : below(n), wide);
		for (int32_t v = 0; v < n; v++)
		{
			if (!wide)
				p.load[v] += 1;
			cones[v] = cone(&p.dag, v);
		}
		analyse(&p, RVD_FLOW_TIME);
		best = heaviest_antichain(&p, cones, all);
		assert_close(p.result.value, best);
		assert_false(p.result.disconnected);

		set = reported(&p);
		assert_close(antichain_sum(&p, cones, set), best);
		for (uint32_t other = all; !wide && other != 0; other--)
		{
			if (antichain_sum(&p, cones, other) == best)
				assert_int_equal(above_all(cones, n, set) &
								 ~above_all(cones, n, other), 0);
		}
		for (int32_t v = 0; v < n; v++)
		{
			double		inputs = heaviest_antichain(&p, cones, cones[v] &
													~(UINT32_C(1) << v));

			assert_close(p.result.criticality[v],
						 p.load[v] / (p.load[v] + inputs));
			if (!wide)
				assert_int_equal(p.result.criticality[v] >= 0.5,
								 p.load[v] >= inputs);
		}
		close_plan(&p);
	}
}

static void
more_load_adds_at_most_itself_to_the_frontier(void **state)
{
	for (int i = 0; i < SET_CASES; i++)
	{
		Plan		p;
		int32_t		n = 1 + below(40);
		int32_t		v = below(n);
		double		more = 5 * rvd_rng_uniform(&rng);
		double		value;
		double		kappa;

		random_plan(&p, n, below(10), i % 2);
		value = analyse(&p, RVD_FLOW_TIME);
		kappa = p.result.criticality[v];
		p.load[v] += more;
		analyse(&p, RVD_FLOW_TIME);
		assert_true(p.result.value >= value * (1 - ACCURACY));
		assert_true(p.result.value <= (value + more) * (1 + ACCURACY));
		assert_true(p.result.criticality[v] >= kappa * (1 - ACCURACY));
		close_plan(&p);
	}
}

/* ---- cases one can check by hand ---------------------------------------- */

/* Scans of 800 ms and 1 ms under a join of 100 ms. */
static void
frontier_blames_the_slow_scan(void **state)
{
	Plan		p;

	open_plan(&p, 3, 2);
	join(&p, 1, 0);
	join(&p, 2, 0);
	finish(&p);
	p.load[0] = 100;
	p.load[1] = 800;
	p.load[2] = 1;
	assert_true(analyse(&p, RVD_FLOW_TIME) == 801);
	assert_int_equal(reported(&p), 6);
	assert_true(p.result.criticality[0] == 100.0 / 901);

	/* most rows come from the slow one: so the join waits for it */
	p.rows[1] = 1e6;
	p.rows[2] = 10;
	p.rows[0] = 1000;
	analyse(&p, RVD_FLOW_ROWS);
	assert_int_equal(reported(&p), 6);
	assert_true(p.result.criticality[0] < 0.5);
	close_plan(&p);
}

/* Rows shrink on the way up; the operator above is not to blame for that. */
static void
few_rows_are_no_bottleneck(void **state)
{
	Plan		p;

	open_plan(&p, 3, 2);
	join(&p, 1, 0);
	join(&p, 2, 1);
	finish(&p);
	p.rows[2] = 1e6;
	p.load[2] = 100;			/* scan: 10,000 rows per ms */
	p.rows[1] = 1;
	p.load[1] = 50;				/* aggregate */
	p.rows[0] = 1;
	p.load[0] = 0.01;			/* sort of one row */
	assert_close(analyse(&p, RVD_FLOW_ROWS), 0.01);
	assert_int_equal(reported(&p), 4);
	close_plan(&p);
}

/* A CTE read by both inputs of a join is paid for once. */
static void
shared_producer_counts_once(void **state)
{
	Plan		p;

	open_plan(&p, 4, 4);
	join(&p, 1, 0);
	join(&p, 2, 0);
	join(&p, 3, 1);
	join(&p, 3, 2);
	finish(&p);
	p.load[0] = 10;
	p.load[1] = 20;
	p.load[2] = 30;
	p.load[3] = 45;
	assert_true(analyse(&p, RVD_FLOW_TIME) == 50);
	assert_int_equal(reported(&p), 6);
	p.load[3] = 60;
	assert_true(analyse(&p, RVD_FLOW_TIME) == 60);
	assert_int_equal(reported(&p), 8);
	assert_true(analyse(&p, RVD_FLOW_UNIT) == 1);
	assert_int_equal(reported(&p), 1);
	close_plan(&p);
}

static void
nothing_passes_an_operator_that_never_ends(void **state)
{
	Plan		p;

	open_plan(&p, 4, 4);
	join(&p, 1, 0);
	join(&p, 2, 0);
	join(&p, 3, 1);
	join(&p, 3, 2);
	finish(&p);
	p.load[3] = INFINITY;
	assert_true(analyse(&p, RVD_FLOW_ROWS) == 0);
	assert_true(p.result.disconnected);
	assert_int_equal(reported(&p), 0);
	assert_true(p.result.criticality[3] == 1);
	assert_true(p.result.criticality[0] == 0);
	p.load[3] = 1;
	assert_true(analyse(&p, RVD_FLOW_ROWS) > 0);
	assert_false(p.result.disconnected);

	/* another way around it is all that need be cut */
	p.load[3] = 1;
	p.load[1] = INFINITY;
	assert_true(analyse(&p, RVD_FLOW_ROWS) > 0);
	assert_int_equal(reported(&p) & 2, 0);
	assert_int_equal(p.result.n_cut, 1);

	/* no load at all is no disconnection */
	memset(p.load, 0, 4 * sizeof(double));
	assert_true(analyse(&p, RVD_FLOW_TIME) == 0);
	assert_false(p.result.disconnected);
	assert_int_equal(reported(&p), 0);
	close_plan(&p);
}

static void
one_operator_is_its_own_bottleneck(void **state)
{
	Plan		p;

	open_plan(&p, 1, 0);
	finish(&p);
	p.load[0] = 4;
	p.rows[0] = 100;
	assert_true(analyse(&p, RVD_FLOW_ROWS) == 25);
	assert_int_equal(reported(&p), 1);
	assert_true(analyse(&p, RVD_FLOW_TIME) == 4);
	assert_int_equal(reported(&p), 1);
	assert_true(p.result.criticality[0] == 1);
	close_plan(&p);
}

/* The sum of what is nearly equal is rounded; the verdict is not. */
static void
half_means_saturated_to_the_last_bit(void **state)
{
	Plan		p;

	open_plan(&p, 2, 1);
	join(&p, 1, 0);
	finish(&p);
	p.load[1] = nextafter(1, 2);
	analyse(&p, RVD_FLOW_TIME);
	assert_int_equal(reported(&p), 2);
	assert_true(p.result.criticality[0] < 0.5);
	p.load[0] = p.load[1];
	analyse(&p, RVD_FLOW_TIME);
	assert_int_equal(reported(&p), 1);
	assert_true(p.result.criticality[0] == 0.5);
	close_plan(&p);
}

/*
 * One producer read on every level, so that nothing below is a module, and
 * ways that double on each: 2^1030, more than a double can hold.
 */
static void
many_ways_in_one_skeleton(void **state)
{
	Plan		p;
	int32_t		n = 3 * 1030 + 2;

	open_plan(&p, n, 2 * n);
	for (int32_t i = 0; i + 4 < n; i += 3)
	{
		join(&p, i + 1, i);
		join(&p, i + 2, i);
		join(&p, i + 3, i + 1);
		join(&p, i + 3, i + 2);
		join(&p, n - 1, i);
	}
	join(&p, n - 1, n - 2);
	finish(&p);
	for (int32_t i = 0; i < n; i++)
		p.rows[i] = i % 2 ? 0 : 1e300;
	assert_true(analyse(&p, RVD_FLOW_ROWS) > 0);
	assert_true(p.result.value < INFINITY);
	assert_true(p.result.n_cut > 0);
	close_plan(&p);
}

/* ---- size --------------------------------------------------------------- */

/* Diamonds upon each other: ways are 2^1365, and nothing may overflow. */
static void
many_ways_through_many_diamonds(void **state)
{
	Plan		p;
	int32_t		n = RVD_DAG_MAX_NODES;

	open_plan(&p, n, 2 * n);
	for (int32_t i = 0; i + 3 < n; i += 3)
	{
		join(&p, i + 1, i);
		join(&p, i + 2, i);
		join(&p, i + 3, i + 1);
		join(&p, i + 3, i + 2);
	}
	finish(&p);
	for (int32_t i = 0; i < n; i++)
	{
		p.load[i] = i % 3 ? 2 : 3;
		p.rows[i] = i % 3 ? 1e6 : 1;
	}
	assert_true(analyse(&p, RVD_FLOW_UNIT) == 1);
	assert_true(p.result.in_cut[0] && p.result.n_cut == 1);
	assert_true(analyse(&p, RVD_FLOW_TIME) == 4);
	assert_true(p.result.in_cut[1] && p.result.in_cut[2]);
	assert_int_equal(p.result.n_cut, 2);
	assert_true(analyse(&p, RVD_FLOW_ROWS) > 0);
	for (int32_t i = 0; i < n; i++)
		assert_true(p.result.criticality[i] >= 0 &&
					p.result.criticality[i] <= 1);
	close_plan(&p);
}

/*
 * A ladder: one skeleton of all nodes.  Two chains of the same length from
 * one producer to one join, with rungs.
 */
static void
long_ways_that_meet_at_the_top(void **state)
{
	Plan		p;
	int32_t		n = 1200;

	open_plan(&p, n, 3 * n);
	join(&p, 1, 0);
	join(&p, 2, 0);
	for (int32_t i = 1; i + 2 < n; i++)
	{
		join(&p, i + 2, i);
		if (i % 2 == 1 && i + 3 < n)
			join(&p, i + 3, i);
	}
	finish(&p);
	for (int32_t i = 0; i < n; i++)
		p.load[i] = i == n / 2 ? 7 : i < 3 ? 1 : 2;
	assert_true(analyse(&p, RVD_FLOW_UNIT) == 1);
	assert_true(analyse(&p, RVD_FLOW_TIME) == 9);
	assert_true(p.result.in_cut[n / 2]);
	assert_int_equal(p.result.n_cut, 2);
	close_plan(&p);
}

static void
depth_does_not_matter(void **state)
{
	Plan		p;
	int32_t		n = RVD_DAG_MAX_NODES;

	open_plan(&p, n, n);
	for (int32_t i = 1; i < n; i++)
		join(&p, i, i - 1);
	finish(&p);
	for (int32_t i = 0; i < n; i++)
		p.load[i] = i == 3000 ? 8 : 2;
	assert_close(analyse(&p, RVD_FLOW_ROWS), 1.0 / 8);
	assert_true(p.result.in_cut[3000] && p.result.n_cut == 1);
	assert_true(analyse(&p, RVD_FLOW_TIME) == 8);
	assert_true(p.result.in_cut[3000] && p.result.n_cut == 1);
	close_plan(&p);
}

/* Rows and loads as large and as small as numbers get. */
static void
extreme_numbers_stay_numbers(void **state)
{
	const double numbers[] = {0, 5e-324, 1e-300, 1, 1e300, DBL_MAX, INFINITY};

	for (int i = 0; i < SET_CASES; i++)
	{
		Plan		p;
		int32_t		n = 1 + below(30);

		random_plan(&p, n, below(10), false);
		for (int32_t v = 0; v < n; v++)
		{
			p.load[v] = numbers[below(7)];
			p.rows[v] = numbers[below(7)];
		}
		for (int mode = RVD_FLOW_ROWS; mode <= RVD_FLOW_TIME; mode++)
		{
			for (int32_t v = 0; v < n && mode == RVD_FLOW_TIME; v++)
				p.load[v] = fmin(p.load[v], RVD_FLOW_MAX_LOAD);
			analyse(&p, mode);
			assert_true(p.result.value >= 0 && p.result.value < INFINITY);
			assert_true(p.result.value > 0 || p.result.n_cut == 0);
			assert_int_equal(p.result.disconnected,
							 mode != RVD_FLOW_TIME && p.result.value == 0);
			for (int32_t v = 0; v < n; v++)
				assert_true(p.result.criticality[v] >= 0 &&
							p.result.criticality[v] <= 1);
		}
		close_plan(&p);
	}
}

static void
same_input_same_answer(void **state)
{
	for (int i = 0; i < 300; i++)
	{
		Plan		p;
		double		kappa[40];
		uint8_t		cut[40];
		int32_t		n = 1 + below(40);
		RvdFlowMode mode = i % 3;
		double		value;

		random_plan(&p, n, below(12), true);
		value = analyse(&p, mode);
		memcpy(kappa, p.result.criticality, (size_t) n * sizeof(double));
		memcpy(cut, p.result.in_cut, (size_t) n);
		assert_true(analyse(&p, mode) == value);
		assert_memory_equal(kappa, p.result.criticality,
							(size_t) n * sizeof(double));
		assert_memory_equal(cut, p.result.in_cut, (size_t) n);
		close_plan(&p);
	}
}

static void
nonsense_is_refused(void **state)
{
	Plan		p;
	const double bad[] = {-1, NAN, -INFINITY};

	open_plan(&p, 2, 1);
	join(&p, 1, 0);
#define TRY(mode, work) \
	rvd_flow_analyse(&p.dag, mode, p.load, p.rows, &p.result, work)
	assert_int_equal(TRY(RVD_FLOW_UNIT, p.load), RVD_ERR_STATE);
	finish(&p);
	assert_int_equal(TRY(RVD_FLOW_UNIT, NULL), RVD_ERR_ARGUMENT);
	assert_int_equal(TRY(RVD_FLOW_UNIT, (char *) p.work + 1),
					 RVD_ERR_ARGUMENT);
	assert_int_equal(TRY(-1, p.work), RVD_ERR_ARGUMENT);
	assert_int_equal(TRY(RVD_FLOW_TIME + 1, p.work), RVD_ERR_ARGUMENT);
	for (int i = 0; i < 3; i++)
	{
		p.load[1] = bad[i];
		assert_int_equal(TRY(RVD_FLOW_ROWS, p.work), RVD_ERR_ARGUMENT);
		assert_int_equal(TRY(RVD_FLOW_TIME, p.work), RVD_ERR_ARGUMENT);
		assert_int_equal(TRY(RVD_FLOW_UNIT, p.work), RVD_OK);
		p.load[1] = 1;
		p.rows[0] = bad[i];
		assert_int_equal(TRY(RVD_FLOW_ROWS, p.work), RVD_ERR_ARGUMENT);
		assert_int_equal(TRY(RVD_FLOW_TIME, p.work), RVD_OK);
		p.rows[0] = 1;
	}
	p.load[0] = INFINITY;
	assert_int_equal(TRY(RVD_FLOW_TIME, p.work), RVD_ERR_ARGUMENT);
	/* what a mode does not use need not be there */
	assert_int_equal(rvd_flow_analyse(&p.dag, RVD_FLOW_UNIT, NULL, NULL,
									  &p.result, p.work), RVD_OK);
	close_plan(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_and_criticality_are_those_of_all_sets),
		cmocka_unit_test(cut_separates_and_none_of_it_is_idle),
		cmocka_unit_test(cut_is_the_one_nearest_the_root),
		cmocka_unit_test(cut_equals_another_maximum_flow),
		cmocka_unit_test(less_load_never_lets_less_pass),
		cmocka_unit_test(frontier_is_the_heaviest_antichain),
		cmocka_unit_test(more_load_adds_at_most_itself_to_the_frontier),
		cmocka_unit_test(frontier_blames_the_slow_scan),
		cmocka_unit_test(few_rows_are_no_bottleneck),
		cmocka_unit_test(shared_producer_counts_once),
		cmocka_unit_test(nothing_passes_an_operator_that_never_ends),
		cmocka_unit_test(one_operator_is_its_own_bottleneck),
		cmocka_unit_test(half_means_saturated_to_the_last_bit),
		cmocka_unit_test(many_ways_in_one_skeleton),
		cmocka_unit_test(many_ways_through_many_diamonds),
		cmocka_unit_test(long_ways_that_meet_at_the_top),
		cmocka_unit_test(depth_does_not_matter),
		cmocka_unit_test(extreme_numbers_stay_numbers),
		cmocka_unit_test(same_input_same_answer),
		cmocka_unit_test(nonsense_is_refused),
	};

	rvd_rng_init(&rng, RVD_RNG_TEST, 3);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
