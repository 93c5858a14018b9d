/*-------------------------------------------------------------------------
 *
 * test_attention_kernels.c
 *	  What single attention kernels promise: rows that do not leak (T1.9)
 *	  and stay below the operator (T1.10), critical paths (T1.11, T1.12),
 *	  cones at the ends of their decay, gates at saturation, shares of load
 *	  and siblings of branches.
 *
 *-------------------------------------------------------------------------
 */
#include "attention_cases.h"

#include "ruvector_dag/flow.h"

static int
setup(void **state)
{
	rvd_rng_init(&test_rng, RVD_RNG_TEST, 7);
	return 0;
}

/* Warshall: below[v * n + u], v itself included. */
static bool *
reachable(const Plan *plan)
{
	const int32_t n = plan->n;
	bool	   *closure = calloc((size_t) n * (size_t) n, sizeof(bool));

	for (int32_t v = 0; v < n; v++)
		closure[v * n + v] = true;
	for (int32_t e = 0; e < plan->n_edges; e++)
		closure[plan->edges[e].parent * n + plan->edges[e].child] = true;
	for (int32_t k = 0; k < n; k++)
		for (int32_t i = 0; i < n; i++)
			for (int32_t j = 0; closure[i * n + k] && j < n; j++)
				closure[i * n + j] |= closure[k * n + j];
	return closure;
}

/* ---- topological ------------------------------------------------------------ */

/* T1.9: what is known of a node outside the cone cannot show in the row. */
static void
rows_do_not_leak(void **state)
{
	for (int c = 0; c < 500; c++)
	{
		const int	kind = c % 2 ? RVD_ATTENTION_TOPOLOGICAL
			: RVD_ATTENTION_MINCUT_GATED;
		Plan		plan;
		int32_t		v;
		int32_t		outside;
		bool	   *closure;
		Run			run;
		Run			again;

		plan_create(&plan, (PlanShape) below(N_SHAPES), 2 + below(40));
		closure = reachable(&plan);
		v = 1 + below(plan.n - 1);
		outside = below(plan.n);
		if (!closure[v * plan.n + outside])
		{
			int32_t		first;
			size_t		count;

			run_kernel(&run, kind, &plan.in);
			for (int j = 0; j < RVD_NODE_FEATURES; j++)
				plan.phi[outside * RVD_NODE_FEATURES + j] += 1;
			for (int j = 0; j < RVD_EMBEDDING_DIM; j++)
				plan.vectors[outside * RVD_EMBEDDING_DIM + j] -= 1;
			run_kernel(&again, kind, &plan.in);
			first = run.rows.row_start[v];
			count = (size_t) (run.rows.row_start[v + 1] - first);
			assert_int_equal(first, again.rows.row_start[v]);
			assert_memory_equal(run.rows.column + first,
								again.rows.column + first,
								count * sizeof(int32_t));
			assert_memory_equal(run.rows.weight + first,
								again.rows.weight + first,
								count * sizeof(double));
			run_close(&run);
			run_close(&again);
		}
		free(closure);
		plan_free(&plan);
	}
}

/* T1.10, and the other way up for the causal cone */
static void
rows_stay_on_the_way_of_data(void **state)
{
	for (int c = 0; c < 500; c++)
	{
		Plan		plan;
		bool	   *closure;
		Run			inputs;
		Run			consumers;

		plan_create(&plan, (PlanShape) below(N_SHAPES), 1 + below(60));
		closure = reachable(&plan);
		run_kernel(&inputs, RVD_ATTENTION_TOPOLOGICAL, &plan.in);
		run_kernel(&consumers, RVD_ATTENTION_CAUSAL_CONE, &plan.in);
		for (int32_t v = 0; v < plan.n; v++)
		{
			for (int32_t i = inputs.rows.row_start[v];
				 i < inputs.rows.row_start[v + 1]; i++)
				assert_true(closure[v * plan.n + inputs.rows.column[i]]);
			for (int32_t i = consumers.rows.row_start[v];
				 i < consumers.rows.row_start[v + 1]; i++)
				assert_true(closure[consumers.rows.column[i] * plan.n + v]);
		}
		run_close(&inputs);
		run_close(&consumers);
		free(closure);
		plan_free(&plan);
	}
}

static void
without_load_p_is_the_mean_of_the_columns(void **state)
{
	for (int c = 0; c < 200; c++)
	{
		Plan		plan;
		Run			run;

		plan_create(&plan, (PlanShape) below(N_SHAPES), 1 + below(40));
		memset(plan.load, 0, (size_t) plan.n * sizeof(double));
		plan.in.weights = NULL;
		run_kernel(&run, RVD_ATTENTION_TOPOLOGICAL, &plan.in);
		for (int32_t u = 0; u < plan.n; u++)
		{
			double		sum = 0;

			for (int32_t v = 0; v < plan.n; v++)
				sum += row_weight(&run.rows, v, u);
			assert_close(run.p[u], sum / plan.n, 1e-12);
		}
		run_close(&run);
		plan_free(&plan);
	}
}

/* ---- causal cone ------------------------------------------------------------- */

static void
cone_of_no_reach_is_the_operator_itself(void **state)
{
	Plan		plan;
	Run			run;

	plan_create(&plan, SHAPE_SHARED, 30);
	plan.params.cone_decay = 1e-200;
	run_kernel(&run, RVD_ATTENTION_CAUSAL_CONE, &plan.in);
	for (int32_t v = 0; v < plan.n; v++)
		assert_close(row_weight(&run.rows, v, v), 1, 1e-12);
	assert_close(run.p[plan.dag.root], 1, 1e-12);
	run_close(&run);
	plan_free(&plan);
}

static void
cone_without_decay_is_uniform(void **state)
{
	for (int shape = 0; shape < N_SHAPES; shape++)
	{
		Plan		plan;
		Run			run;

		plan_create(&plan, (PlanShape) shape, 40);
		plan.params.cone_decay = 1;
		plan.in.weights = NULL;
		memset(plan.load, 0, 40 * sizeof(double));
		run_kernel(&run, RVD_ATTENTION_CAUSAL_CONE, &plan.in);
		for (int32_t v = 0; v < plan.n; v++)
		{
			int32_t		count = run.rows.row_start[v + 1] -
				run.rows.row_start[v];

			assert_close(run.p[v], 1.0 / 40, 1e-12);
			assert_close(row_weight(&run.rows, v, v), 1.0 / count,
						 1e-12);
		}
		run_close(&run);
		plan_free(&plan);
	}
}

/* The recursion and the walk are two ways to the same rows of a tree. */
static void
cone_recursion_equals_the_walk(void **state)
{
	for (int c = 0; c < 200; c++)
	{
		Plan		plan;
		Run			run;

		plan_create(&plan, SHAPE_TREE, 2 + below(60));
		run_kernel(&run, RVD_ATTENTION_CAUSAL_CONE, &plan.in);
		for (int32_t v = 0; v < plan.n; v++)
		{
			const int32_t first = run.rows.row_start[v];
			const int32_t count = run.rows.row_start[v + 1] - first;

			assert_int_equal(count, plan.dag.nodes[v].depth < 10 ?
							 plan.dag.nodes[v].depth + 1 : 10);
			for (int32_t i = 1; i < count; i++)
			{
				int32_t		child = run.rows.column[first + i - 1];

				assert_int_equal(run.rows.column[first + i],
								 plan.dag.parent[plan.dag.parent_start[child]]);
			}
		}
		run_close(&run);
		plan_free(&plan);
	}
}

/* ---- critical path -------------------------------------------------------------- */

static double
longest_below(const Plan *plan, int32_t v)
{
	double		longest = 0;

	for (int32_t e = 0; e < plan->n_edges; e++)
		if (plan->edges[e].parent == v)
			longest = fmax(longest, longest_below(plan, plan->edges[e].child));
	return longest + plan->load[v];
}

/*
 * T1.11, T1.12: on the longest path weights are in proportion to load; more
 * load on a node off it, within its slack, leaves the rest as it was.
 */
static void
weights_on_the_critical_path_follow_load(void **state)
{
	for (int c = 0; c < 500; c++)
	{
		Plan		plan;
		Run			run;
		double		longest;
		double		slack[14];
		int32_t		path[14];
		RvdCriticalPath critical = {.slack = slack,.path = path};
		void	   *work;
		double		sum = 0;

		plan_create(&plan, (PlanShape) below(N_SHAPES), 2 + below(13));
		plan.in.weights = NULL;
		work = malloc(rvd_flow_workspace(&plan.dag));
		assert_int_equal(rvd_critical_path(&plan.dag, plan.load, &critical,
										   work), RVD_OK);
		longest = longest_below(&plan, plan.dag.root);
		run_kernel(&run, RVD_ATTENTION_CRITICAL_PATH, &plan.in);
		for (int32_t i = 0; i < critical.n_path; i++)
		{
			int32_t		v = path[i];
			double		eps = 0.001 * longest / plan.n;

			sum += plan.load[v];
			assert_close(run.p[v] / run.p[path[0]],
						 (plan.load[v] + eps) /
						 (plan.load[path[0]] + eps),
						 1e-9 * run.p[v] / run.p[path[0]]);
		}
		assert_close(sum, longest, 1e-9 * longest);
		for (int32_t v = 0; v < plan.n; v++)
		{
			double		before = run.p[path[1 % critical.n_path]] /
				run.p[path[0]];
			Run			again;

			assert_true(slack[v] >= 0);
			if (slack[v] < 1e-6 * longest)
				continue;
			plan.load[v] += slack[v] / 2;
			run_kernel(&again, RVD_ATTENTION_CRITICAL_PATH, &plan.in);
			assert_close(again.p[path[1 % critical.n_path]] /
						 again.p[path[0]], before, 1e-9 * before);
			plan.load[v] -= slack[v] / 2;
			run_close(&again);
		}
		free(work);
		run_close(&run);
		plan_free(&plan);
	}
}

/* ---- min-cut gated ----------------------------------------------------------------- */

/* scan A 800 ms and scan B 1 ms under a join of 100 ms */
static void
gate_opens_at_saturation(void **state)
{
	Plan		plan;
	Run			run;

	plan_create(&plan, SHAPE_STAR, 3);
	plan.in.weights = NULL;
	plan.params.load_weight = 0;
	plan.params.cut_floor = 0.25;
	plan.load[0] = 100;
	plan.load[1] = 800;
	plan.load[2] = 1;
	run_kernel(&run, RVD_ATTENTION_MINCUT_GATED, &plan.in);
	assert_close(run.p[0], 0.25 / 2.25, 1e-12);
	assert_close(run.p[1], 1 / 2.25, 1e-12);
	run_close(&run);

	/* as long as its inputs together: just saturated */
	plan.load[0] = 801;
	run_kernel(&run, RVD_ATTENTION_MINCUT_GATED, &plan.in);
	assert_close(run.p[0], 1.0 / 3, 1e-12);
	run_close(&run);
	plan_free(&plan);
}

/* A score below zero is not favoured by being gated. */
static void
gate_is_a_prior_weight_at_any_score(void **state)
{
	for (int c = 0; c < 200; c++)
	{
		Plan		plan;
		Run			open;
		Run			gated;
		double		ratio;

		plan_create(&plan, SHAPE_STAR, 3);
		memset(plan.phi, 0, sizeof(float) * 3 * RVD_NODE_FEATURES);
		plan.phi[0] = -5;
		plan.weights.score[0] = (float) (4 * uniform() - 2);
		plan.load[0] = 1;
		plan.load[1] = 10;
		plan.load[2] = 10;
		plan.params.cut_floor = 1;
		run_kernel(&open, RVD_ATTENTION_MINCUT_GATED, &plan.in);
		plan.params.cut_floor = 0.5;
		run_kernel(&gated, RVD_ATTENTION_MINCUT_GATED, &plan.in);
		ratio = (gated.p[0] / gated.p[1]) / (open.p[0] / open.p[1]);
		assert_close(ratio, 0.5, 1e-9);
		run_close(&open);
		run_close(&gated);
		plan_free(&plan);
	}
}

/* ---- parallel branch ------------------------------------------------------------------ */

/* With temperature 1 p is the share of load; shared producers included. */
static void
branches_share_in_proportion_to_load(void **state)
{
	for (int c = 0; c < 1000; c++)
	{
		Plan		plan;
		Run			run;
		double		sum = 0;
		double		total = 0;

		plan_create(&plan, (PlanShape) below(N_SHAPES), 1 + below(200));
		plan.in.weights = NULL;
		run_kernel(&run, RVD_ATTENTION_PARALLEL_BRANCH, &plan.in);
		for (int32_t v = 0; v < plan.n; v++)
		{
			sum += plan.load[v];
			total += run.p[v];
		}
		assert_true(fabs(total - 1) <= 1e-12);
		for (int32_t v = 0; v < plan.n; v++)
			assert_close(run.p[v], plan.load[v] / sum, 1e-13);
		run_close(&run);
		plan_free(&plan);
	}
}

/* A ladder of producers each read twice: 2^1000 ways, no overflow. */
static void
ways_without_number_do_not_overflow(void **state)
{
	const int32_t n = 1001;
	Plan		plan;
	Run			run;

	plan_allocate(&plan, n, 2 * n);
	for (int32_t v = 0; v < n; v++)
	{
		plan.nodes[v].op = 1;
		for (int twice = 0; v > 0 && twice < 2; twice++)
			plan.edges[plan.n_edges++] = (PlanEdge)
		{
			v, v - 1, RVD_EDGE_SHARED
		};
	}
	plan_build(&plan);
	plan_fill(&plan);
	plan_connect(&plan);
	for (int32_t v = 0; v < n; v++)
	{
		plan.load[v] = 1;
		for (int j = 0; j < RVD_NODE_FEATURES; j++)
			plan.phi[v * RVD_NODE_FEATURES + j] = j == 0;
	}
	/* every score 700: exp of one is near the largest double */
	plan.weights.score[0] = 700;
	run_kernel(&run, RVD_ATTENTION_PARALLEL_BRANCH, &plan.in);
	assert_false(run.out.fell_back);
	for (int32_t v = 0; v < n; v++)
		assert_close(run.p[v], 1.0 / n, 1e-12);
	run_close(&run);
	plan_free(&plan);
}

static void
siblings_are_the_heaviest(void **state)
{
	Plan		plan;
	Run			run;

	/* loads 0, 1, 2 ... 2000 below a root */
	plan_create(&plan, SHAPE_STAR, 2001);
	plan.in.weights = NULL;
	for (int32_t v = 0; v < plan.n; v++)
		plan.load[v] = v;
	run_kernel(&run, RVD_ATTENTION_PARALLEL_BRANCH, &plan.in);
	assert_rows(&run.rows, plan.n);
	for (int32_t v = 1; v < plan.n; v++)
	{
		assert_int_equal(run.rows.row_start[v + 1] - run.rows.row_start[v], 8);
		for (int32_t u = 1994; u <= 2000; u++)
			assert_true(row_weight(&run.rows, v, u) > 0);
		/* the ratio of loads, whichever is larger */
		assert_close(row_weight(&run.rows, v, 2000) /
					 row_weight(&run.rows, v, v), v / 2000.0, 1e-12);
	}
	run_close(&run);

	/* none of the load is among siblings */
	for (int32_t v = 1; v < plan.n; v++)
		plan.load[v] = 0;
	plan.load[0] = 1;
	run_kernel(&run, RVD_ATTENTION_PARALLEL_BRANCH, &plan.in);
	assert_rows(&run.rows, plan.n);
	assert_true(run.p[0] == 1);
	for (int32_t v = 1; v < plan.n; v++)
		assert_close(row_weight(&run.rows, v, v), 1.0 / 8, 1e-12);
	run_close(&run);
	plan_free(&plan);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_do_not_leak),
		cmocka_unit_test(rows_stay_on_the_way_of_data),
		cmocka_unit_test(without_load_p_is_the_mean_of_the_columns),
		cmocka_unit_test(cone_of_no_reach_is_the_operator_itself),
		cmocka_unit_test(cone_without_decay_is_uniform),
		cmocka_unit_test(cone_recursion_equals_the_walk),
		cmocka_unit_test(weights_on_the_critical_path_follow_load),
		cmocka_unit_test(gate_opens_at_saturation),
		cmocka_unit_test(gate_is_a_prior_weight_at_any_score),
		cmocka_unit_test(branches_share_in_proportion_to_load),
		cmocka_unit_test(ways_without_number_do_not_overflow),
		cmocka_unit_test(siblings_are_the_heaviest),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
