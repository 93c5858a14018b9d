/*-------------------------------------------------------------------------
 *
 * test_critical_path.c
 *	  Longest chain and slack against an enumeration of all ways.
 *
 * Workspaces are heap blocks of exactly the size asked for, so that the
 * address sanitizer sees a write past them.
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

#include "ruvector_dag/flow.h"
#include "ruvector_dag/rng.h"

#define N_CASES		3000
#define MAX_N		14
#define TINY		1e-9

typedef struct Case
{
	RvdDag		dag;
	void	   *mem;
	double	   *load;
	double	   *slack;
	int32_t    *path;
	void	   *work;
	RvdCriticalPath result;
} Case;

static RvdRng rng;

static void
open_case(Case *c, int32_t n, int32_t max_edges)
{
	RvdDagNode	node = {.op = 1};
	size_t		size = rvd_dag_size(n, max_edges);

	c->mem = malloc(size);
	assert_int_equal(rvd_dag_init(&c->dag, c->mem, size, n, max_edges),
					 RVD_OK);
	for (int32_t i = 0; i < n; i++)
		assert_int_equal(rvd_dag_add_node(&c->dag, &node, NULL), RVD_OK);
	c->load = calloc((size_t) n, sizeof(double));
	c->slack = malloc((size_t) n * sizeof(double));
	c->path = malloc((size_t) n * sizeof(int32_t));
	c->result.slack = c->slack;
	c->result.path = c->path;
}

static void
join(Case *c, int32_t child, int32_t parent)
{
	assert_int_equal(rvd_dag_add_edge(&c->dag, child, parent, RVD_EDGE_MEMBER),
					 RVD_OK);
}

static void
solve(Case *c)
{
	if (!c->dag.finished)
	{
		assert_int_equal(rvd_dag_finish(&c->dag), RVD_OK);
		c->work = malloc(rvd_flow_workspace(&c->dag));
	}
	assert_int_equal(rvd_critical_path(&c->dag, c->load, &c->result, c->work),
					 RVD_OK);
}

static void
close_case(Case *c)
{
	free(c->mem);
	free(c->load);
	free(c->slack);
	free(c->path);
	free(c->work);
}

/* Each node below one or more of those before it; the root is node 0. */
static void
random_case(Case *c, bool shared)
{
	int32_t		n = 1 + (int32_t) rvd_rng_below(&rng, MAX_N);

	open_case(c, n, 3 * n);
	for (int32_t i = 1; i < n; i++)
	{
		int32_t		readers = 1;

		if (shared)
			readers += (int32_t) rvd_rng_below(&rng, 3);

		for (int32_t k = 0; k < readers; k++)
			join(c, i, (int32_t) rvd_rng_below(&rng, (uint64_t) i));
	}
	for (int32_t i = 0; i < n; i++)
		c->load[i] = (double) rvd_rng_below(&rng, 8) * 0.1;
}

/*
 * All ways from the root: through[v] becomes the longest that goes through
 * v.  The first longest, inputs in order, goes to best.
 */
typedef struct Enumeration
{
	double		through[MAX_N];
	double		length;
	int32_t		way[MAX_N];
	int32_t		best[MAX_N];
	int32_t		n_best;
} Enumeration;

static void
walk_on(const Case *c, Enumeration *all, int32_t v, int32_t depth, double sum)
{
	const RvdDag *dag = &c->dag;

	all->way[depth++] = v;
	sum += c->load[v];
	for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
		walk_on(c, all, dag->child[e], depth, sum);
	if (dag->child_start[v] < dag->child_start[v + 1])
		return;
	for (int32_t k = 0; k < depth; k++)
		all->through[all->way[k]] = fmax(all->through[all->way[k]], sum);
	if (sum > all->length + TINY)
	{
		all->length = sum;
		memcpy(all->best, all->way, sizeof(all->way));
		all->n_best = depth;
	}
}

static void
agrees_with_enumeration(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		Case		c;
		Enumeration all = {.length = -1};

		random_case(&c, i % 3 != 0);
		solve(&c);
		walk_on(&c, &all, c.dag.root, 0, 0);

		assert_true(fabs(c.result.length - all.length) < TINY);
		for (int32_t v = 0; v < c.dag.n_nodes; v++)
		{
			double		slack = all.length - all.through[v];

			assert_true(c.slack[v] >= 0);
			assert_true(fabs(c.slack[v] - slack) < TINY);
			/* not merely small on any longest way */
			assert_true((c.slack[v] == 0) == (slack < TINY));
		}
		close_case(&c);
	}
}

/* Loads that are exact, so that ties are: the first input wins them. */
static void
ties_go_to_the_first_input(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		Case		c;
		Enumeration all = {.length = -1};

		random_case(&c, i % 2 == 0);
		for (int32_t v = 0; v < c.dag.n_nodes; v++)
			c.load[v] = (double) rvd_rng_below(&rng, 4);
		solve(&c);
		walk_on(&c, &all, c.dag.root, 0, 0);
		assert_int_equal(c.result.n_path, all.n_best);
		for (int32_t k = 0; k < all.n_best; k++)
			assert_int_equal(c.path[k], all.best[k]);
		close_case(&c);
	}
}

static void
path_is_a_way_and_has_the_length(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		Case		c;
		double		sum = 0;

		random_case(&c, true);
		solve(&c);
		assert_int_equal(c.path[0], c.dag.root);
		for (int32_t k = 0; k < c.result.n_path; k++)
		{
			int32_t		v = c.path[k];
			bool		found = k + 1 == c.result.n_path &&
				c.dag.child_start[v] == c.dag.child_start[v + 1];

			sum += c.load[v];
			assert_true(c.slack[v] == 0);
			for (int32_t e = c.dag.child_start[v];
				 k + 1 < c.result.n_path && e < c.dag.child_start[v + 1]; e++)
				found = found || c.dag.child[e] == c.path[k + 1];
			assert_true(found);
		}
		assert_true(fabs(sum - c.result.length) < TINY);
		close_case(&c);
	}
}

/* T1.12 */
static void
less_than_the_slack_changes_no_path(void **state)
{
	int			tried = 0;

	for (int i = 0; i < N_CASES; i++)
	{
		Case		c;
		int32_t		before[MAX_N];
		int32_t		n_before;
		double		length;
		int32_t		v;

		random_case(&c, true);
		solve(&c);
		v = (int32_t) rvd_rng_below(&rng, (uint64_t) c.dag.n_nodes);
		if (c.slack[v] > TINY)
		{
			tried++;
			n_before = c.result.n_path;
			length = c.result.length;
			memcpy(before, c.path, (size_t) n_before * sizeof(int32_t));
			c.load[v] += c.slack[v] * 0.9;
			solve(&c);
			assert_true(fabs(c.result.length - length) < TINY);
			assert_int_equal(c.result.n_path, n_before);
			assert_memory_equal(before, c.path,
								(size_t) n_before * sizeof(int32_t));
			/* and more than the slack does change its length */
			c.load[v] += c.slack[v] + 1;
			solve(&c);
			assert_true(c.result.length > length + 0.9);
		}
		close_case(&c);
	}
	assert_true(tried > N_CASES / 4);
}

static void
depth_does_not_matter(void **state)
{
	Case		c;

	open_case(&c, RVD_DAG_MAX_NODES, RVD_DAG_MAX_NODES);
	for (int32_t i = 1; i < RVD_DAG_MAX_NODES; i++)
		join(&c, i, i - 1);
	for (int32_t i = 0; i < RVD_DAG_MAX_NODES; i++)
		c.load[i] = 0.1;
	solve(&c);
	assert_int_equal(c.result.n_path, RVD_DAG_MAX_NODES);
	assert_true(fabs(c.result.length - 409.6) < TINY);
	for (int32_t i = 0; i < RVD_DAG_MAX_NODES; i++)
		assert_true(c.slack[i] == 0);
	close_case(&c);
}

static void
nonsense_is_refused(void **state)
{
	Case		c;
	const double bad[] = {-1, NAN, INFINITY, -INFINITY};

	open_case(&c, 2, 2);
	join(&c, 1, 0);
	assert_int_equal(rvd_critical_path(&c.dag, c.load, &c.result, c.load),
					 RVD_ERR_STATE);
	solve(&c);
	assert_int_equal(rvd_critical_path(&c.dag, c.load, &c.result, NULL),
					 RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_critical_path(&c.dag, c.load, &c.result,
									   (char *) c.work + 1),
					 RVD_ERR_ARGUMENT);
	for (int i = 0; i < 4; i++)
	{
		c.load[1] = bad[i];
		assert_int_equal(rvd_critical_path(&c.dag, c.load, &c.result, c.work),
						 RVD_ERR_ARGUMENT);
	}
	/* nothing at all: the way of first inputs */
	c.load[1] = 0;
	solve(&c);
	assert_int_equal(c.result.n_path, 2);
	assert_true(c.result.length == 0);
	close_case(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_enumeration),
		cmocka_unit_test(ties_go_to_the_first_input),
		cmocka_unit_test(path_is_a_way_and_has_the_length),
		cmocka_unit_test(less_than_the_slack_changes_no_path),
		cmocka_unit_test(depth_does_not_matter),
		cmocka_unit_test(nonsense_is_refused),
	};

	rvd_rng_init(&rng, RVD_RNG_TEST, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
