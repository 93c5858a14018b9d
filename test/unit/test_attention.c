/*-------------------------------------------------------------------------
 *
 * test_attention.c
 *	  What every attention kernel promises: distributions for any input
 *	  (T1.1), names do not matter (T1.2), shifts and temperatures (T1.3,
 *	  T1.4), bounded work (T1.5), monotony (T1.6), determinism (T1.7),
 *	  refusals and fallbacks, the registry.
 *
 *-------------------------------------------------------------------------
 */
#include "attention_cases.h"

#include <float.h>

static int
setup(void **state)
{
	rvd_rng_init(&test_rng, RVD_RNG_TEST, 17);
	return 0;
}

static PlanShape
any_shape(void)
{
	return (PlanShape) below(N_SHAPES);
}

/* T1.1 */

static double
odd_load(void)
{
	switch (below(6))
	{
		case 0:
			return 0;
		case 1:
			return 1e300;
		case 2:
			return DBL_MAX;
		case 3:
			return 5e-324;
		case 4:
			return DBL_MIN;
		default:
			return uniform();
	}
}

static void
make_odd(Plan *plan)
{
	double		same = odd_load();
	int			kind = below(3);

	for (int32_t v = 0; v < plan->n; v++)
		plan->load[v] = kind == 0 ? same : odd_load();
	if (below(2))
		plan->phi[below(plan->n * RVD_NODE_FEATURES)] =
			below(2) ? FLT_MAX : -FLT_MAX;
	if (below(4) == 0)
		plan->weights.score[below(RVD_NODE_FEATURES)] = FLT_MAX;
	if (below(2))
		plan->traces[below(plan->n)].eligibility = FLT_MAX;
	if (below(2))
		plan->traces[below(plan->n)].plateau = FLT_MAX;
	if (below(3) == 0)
		plan->in.traces = NULL;
	if (below(3) == 0)
		plan->in.vectors = NULL;
	if (below(4) == 0)
		plan->in.weights = NULL;
	if (below(4) == 0)
		plan->in.now_s = -1e300;
}

static void
any_finite_input_gives_distributions(void **state)
{
	for (int c = 0; c < 1000; c++)
	{
		Plan		plan;

		plan_create(&plan, any_shape(), 1 + below(40));
		make_odd(&plan);
		for (int kind = 0; kind < RVD_NUM_KERNELS; kind++)
		{
			Run			run;

			run_kernel(&run, kind, &plan.in);
			assert_false(run.out.fell_back);
			assert_distribution(run.p, plan.n);
			if (run.rows.present)
				assert_rows(&run.rows, plan.n);
			if (plan.n == 1)
				assert_true(run.p[0] == 1);
			run_close(&run);
		}
		plan_free(&plan);
	}
}

static void
no_load_leaves_pure_structure(void **state)
{
	Plan		plan;
	Run			run;

	plan_create(&plan, SHAPE_STAR, 9);
	plan.in.weights = NULL;
	plan.in.traces = NULL;
	memset(plan.load, 0, 9 * sizeof(double));
	for (int kind = 0; kind < RVD_NUM_KERNELS; kind++)
	{
		run_kernel(&run, kind, &plan.in);
		assert_false(run.out.fell_back);
		assert_distribution(run.p, 9);
		/* but for Lorentz, which tells siblings apart by what they are */
		for (int32_t v = 2; v < 9 && kind != RVD_ATTENTION_LORENTZ &&
			 kind != RVD_ATTENTION_TOPOLOGICAL; v++)
			assert_close(run.p[v], run.p[1], 1e-12);
		run_close(&run);
	}
	plan_free(&plan);
}

/* Before execution p is to tell the share of self time: load must show. */
static void
load_decides_when_nothing_is_learned(void **state)
{
	for (int c = 0; c < 300; c++)
	{
		Plan		plan;
		int32_t		heavy;
		Run			run;

		plan_create(&plan, any_shape(), 2 + below(30));
		plan.in.weights = NULL;
		plan.in.traces = NULL;
		heavy = below(plan.n);
		for (int32_t v = 0; v < plan.n; v++)
			plan.load[v] = v == heavy ? 1e5 : uniform();
		for (int kind = 0; kind < RVD_NUM_KERNELS; kind++)
		{
			run_kernel(&run, kind, &plan.in);
			assert_true(run.p[heavy] > 0.9);
			run_close(&run);
		}
		plan_free(&plan);
	}
}

/* T1.2 */

/* The same plan with its nodes and edges added in another order. */
static void
relabel(const Plan *plan, Plan *other, int32_t *name)
{
	const int32_t n = plan->n;
	int32_t    *left = malloc((size_t) n * sizeof(int32_t));
	int32_t		parents = n;

	for (int32_t v = 0; v < n; v++)
		name[v] = left[v] = v;
	for (int32_t v = n - 1; v > 0; v--)
	{
		int32_t		u = below(v + 1);
		int32_t		swap = name[v];

		name[v] = name[u];
		name[u] = swap;
	}
	plan_allocate(other, n, plan->n_edges);
	/* parents in any order, the inputs of one in theirs */
	while (parents > 0)
	{
		int32_t		at = below(parents);
		int32_t		parent = left[at];

		left[at] = left[--parents];
		for (int32_t e = 0; e < plan->n_edges; e++)
		{
			PlanEdge	edge = plan->edges[e];

			if (edge.parent != parent)
				continue;
			edge.child = name[edge.child];
			edge.parent = name[edge.parent];
			other->edges[other->n_edges++] = edge;
		}
	}
	for (int32_t v = 0; v < n; v++)
	{
		int32_t		to = name[v];

		other->nodes[to] = plan->nodes[v];
		other->load[to] = plan->load[v];
		other->traces[to] = plan->traces[v];
		memcpy(other->phi + to * RVD_NODE_FEATURES,
			   plan->phi + v * RVD_NODE_FEATURES,
			   RVD_NODE_FEATURES * sizeof(float));
		memcpy(other->vectors + to * RVD_EMBEDDING_DIM,
			   plan->vectors + v * RVD_EMBEDDING_DIM,
			   RVD_EMBEDDING_DIM * sizeof(float));
	}
	plan_build(other);
	plan_connect(other);
	other->in.now_s = plan->in.now_s;
	other->weights = plan->weights;
	free(left);
}

static void
names_of_nodes_do_not_matter(void **state)
{
	for (int c = 0; c < 1000; c++)
	{
		Plan		plan;
		Plan		other;
		int32_t		name[40];

		plan_create(&plan, any_shape(), 1 + below(40));
		if (c % 3 == 0)
		{
			/* all alike: only their places tell operators apart */
			memset(plan.load, 0, (size_t) plan.n * sizeof(double));
			memset(&plan.weights, 0, sizeof(plan.weights));
		}
		relabel(&plan, &other, name);
		for (int kind = 0; kind < RVD_NUM_KERNELS; kind++)
		{
			Run			run;
			Run			again;

			run_kernel(&run, kind, &plan.in);
			run_kernel(&again, kind, &other.in);
			for (int32_t v = 0; v < plan.n; v++)
			{
				assert_close(run.p[v], again.p[name[v]], 1e-12);
				for (int32_t u = 0; run.rows.present && u < plan.n; u++)
					assert_close(row_weight(&run.rows, v, u),
								 row_weight(&again.rows, name[v],
											name[u]), 1e-12);
			}
			assert_int_equal(run.out.pairs_scored, again.out.pairs_scored);
			run_close(&run);
			run_close(&again);
		}
		plan_free(&plan);
		plan_free(&other);
	}
}

/* T1.3: the bias feature is a constant for all scores */
static void
adding_a_constant_to_scores_changes_nothing(void **state)
{
	for (int c = 0; c < 500; c++)
	{
		Plan		plan;
		double		before[40];

		plan_create(&plan, any_shape(), 1 + below(40));
		for (int32_t v = 0; v < plan.n; v++)
			plan.phi[v * RVD_NODE_FEATURES] = 1;
		for (int kind = 0; kind < RVD_NUM_KERNELS; kind++)
		{
			Run			run;

			plan.weights.score[0] = 0;
			run_kernel(&run, kind, &plan.in);
			memcpy(before, run.p, (size_t) plan.n * sizeof(double));
			run_close(&run);
			plan.weights.score[0] = (float) (200 * uniform() - 100);
			run_kernel(&run, kind, &plan.in);
			for (int32_t v = 0; v < plan.n; v++)
				assert_true(fabs(run.p[v] - before[v]) < 1e-12);
			run_close(&run);
		}
		plan_free(&plan);
	}
}

/* T1.4: scores over a temperature, far up and far down */
static void
temperature_leads_from_uniform_to_the_largest(void **state)
{
	for (int c = 0; c < 200; c++)
	{
		Plan		plan;
		int32_t		best;
		Run			run;

		plan_create(&plan, any_shape(), 2 + below(30));
		plan.in.traces = NULL;
		memset(plan.load, 0, (size_t) plan.n * sizeof(double));
		memset(plan.weights.gain, 0, sizeof(plan.weights.gain));
		memset(plan.phi, 0, sizeof(float) * RVD_NODE_FEATURES *
			   (size_t) plan.n);
		plan.params.lorentz_beta = 0;
		plan.params.cone_decay = 1;
		plan.params.cut_floor = 1;
		plan.params.path_tau = 1e12;
		best = below(plan.n);
		plan.phi[best * RVD_NODE_FEATURES] = 1;
		for (int kind = 0; kind < RVD_NUM_KERNELS; kind++)
		{
			plan.weights.score[0] = 1e-9f;
			run_kernel(&run, kind, &plan.in);
			for (int32_t v = 0; v < plan.n && kind != RVD_ATTENTION_TOPOLOGICAL;
				 v++)
				assert_close(run.p[v], 1.0 / plan.n, 1e-8);
			run_close(&run);
			plan.weights.score[0] = 1e4f;
			run_kernel(&run, kind, &plan.in);
			assert_close(run.p[best], 1, 1e-12);
			run_close(&run);
		}
		plan_free(&plan);
	}
}

static void
branch_temperature_flattens(void **state)
{
	Plan		plan;
	Run			run;

	plan_create(&plan, SHAPE_STAR, 5);
	plan.in.weights = NULL;
	plan.params.branch_tau = 1e9;
	run_kernel(&run, RVD_ATTENTION_PARALLEL_BRANCH, &plan.in);
	for (int32_t v = 0; v < 5; v++)
		assert_close(run.p[v], 0.2, 1e-6);
	run_close(&run);
	plan.load[3] = 1e6;
	plan.params.branch_tau = 1e-3;
	run_kernel(&run, RVD_ATTENTION_PARALLEL_BRANCH, &plan.in);
	assert_close(run.p[3], 1, 1e-12);
	run_close(&run);
	plan_free(&plan);
}

static void
path_temperature_keeps_the_longest_path(void **state)
{
	Plan		plan;
	Run			run;

	/* two inputs below a root; the longer way leads through 2 */
	plan_create(&plan, SHAPE_STAR, 3);
	plan.in.weights = NULL;
	plan.load[0] = 1;
	plan.load[1] = 5;
	plan.load[2] = 6;
	plan.params.path_tau = 1e-4;
	run_kernel(&run, RVD_ATTENTION_CRITICAL_PATH, &plan.in);
	assert_close(run.p[1], 0, 1e-12);
	assert_close(run.p[2] / run.p[0], 6, 0.02);
	run_close(&run);
	plan_free(&plan);
}

/* T1.5 */

static void
work_stays_within_the_bound(void **state)
{
	static const int32_t sizes[] = {1, 2, 10, 50, 300, 2000};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
	{
		for (int shape = 0; shape < N_SHAPES; shape++)
		{
			Plan		plan;

			plan_create(&plan, (PlanShape) shape, sizes[i]);
			for (int kind = 0; kind < RVD_NUM_KERNELS; kind++)
			{
				const RvdAttentionKernel *kernel = rvd_attention_kernel(kind);
				uint64_t	n = (uint64_t) plan.n;
				Run			run;

				run_kernel(&run, kind, &plan.in);
				assert_true(run.out.pairs_scored <=
							kernel->pairs_bound(&plan.params, plan.n));
				if (shape != SHAPE_SHARED)
					assert_true(run.out.edges_walked <= n * 10);
				if (kind == RVD_ATTENTION_CRITICAL_PATH ||
					kind == RVD_ATTENTION_LORENTZ ||
					kind == RVD_ATTENTION_TEMPORAL_BTSP)
					assert_true(run.out.pairs_scored == n);
				run_close(&run);
			}
			plan_free(&plan);
		}
	}
}

/* Where it can be told exactly it is told exactly. */
static void
pairs_of_chain_and_star_are_as_computed(void **state)
{
	Plan		plan;
	Run			run;

	plan_create(&plan, SHAPE_CHAIN, 2000);
	run_kernel(&run, RVD_ATTENTION_TOPOLOGICAL, &plan.in);
	assert_int_equal(run.out.pairs_scored, 2000 * 8 - 28);
	assert_int_equal(run.out.edges_walked, 2000 * 7 - 28);
	run_close(&run);
	run_kernel(&run, RVD_ATTENTION_CAUSAL_CONE, &plan.in);
	assert_int_equal(run.out.pairs_scored, 2000 * 10 - 45);
	run_close(&run);
	plan_free(&plan);

	/* a root and 1999 inputs: 8 pairs each, its own for the root */
	plan_create(&plan, SHAPE_STAR, 2000);
	run_kernel(&run, RVD_ATTENTION_PARALLEL_BRANCH, &plan.in);
	assert_int_equal(run.out.pairs_scored, 1999 * 8 + 1);
	assert_int_equal(run.rows.row_start[2000], 1999 * 8 + 1);
	run_close(&run);
	plan_free(&plan);
}

static void
bounds_are_those_of_the_table(void **state)
{
	RvdAttentionParams params;
	static const uint64_t per_node[RVD_NUM_KERNELS] = {8, 10, 1, 8, 1, 8, 1};

	rvd_attention_defaults(&params);
	for (int kind = 0; kind < RVD_NUM_KERNELS; kind++)
		assert_int_equal(rvd_attention_kernel(kind)->pairs_bound(&params, 70),
						 70 * per_node[kind]);
}

/* T1.6 */
static void
more_load_never_lowers_the_weight(void **state)
{
	static const int kinds[] = {
		RVD_ATTENTION_MINCUT_GATED, RVD_ATTENTION_PARALLEL_BRANCH,
		RVD_ATTENTION_CAUSAL_CONE, RVD_ATTENTION_TEMPORAL_BTSP
	};

	for (int c = 0; c < 1000; c++)
	{
		Plan		plan;
		int32_t		v;

		plan_create(&plan, (PlanShape) below(SHAPE_SHARED), 2 + below(30));
		v = below(plan.n);
		plan.params.branch_tau = 0.5 + 2 * uniform();
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		{
			double		last = 0;
			double		load = plan.load[v];

			for (int step = 0; step < 5; step++)
			{
				Run			run;

				run_kernel(&run, kinds[k], &plan.in);
				assert_true(run.p[v] >= last - 1e-12);
				last = run.p[v];
				run_close(&run);
				plan.load[v] *= 1 + 3 * uniform();
			}
			plan.load[v] = load;
		}
		plan_free(&plan);
	}
}

/* T1.7 */
static void
repeating_gives_the_same_bits(void **state)
{
	for (int c = 0; c < 300; c++)
	{
		Plan		plan;

		plan_create(&plan, any_shape(), 1 + below(60));
		for (int kind = 0; kind < RVD_NUM_KERNELS; kind++)
		{
			Run			run;
			Run			again;
			Run			bare;

			run_kernel(&run, kind, &plan.in);
			run_kernel(&again, kind, &plan.in);
			run_open(&bare, &plan.in, false);
			assert_int_equal(rvd_attention_compute(kind, &plan.in, &bare.out,
												   bare.work), RVD_OK);
			assert_memory_equal(run.p, again.p,
								(size_t) plan.n * sizeof(double));
			/* nor does it matter whether rows are asked for */
			assert_memory_equal(run.p, bare.p,
								(size_t) plan.n * sizeof(double));
			if (run.rows.present)
				assert_memory_equal(run.rows.weight, again.rows.weight,
									sizeof(double) *
									(size_t) run.rows.row_start[plan.n]);
			run_close(&run);
			run_close(&again);
			run_close(&bare);
		}
		plan_free(&plan);
	}
}

/* ---- what is refused, and what falls back --------------------------------- */

static void
assert_falls_back(int kind, const Plan *plan)
{
	Run			run;
	double		share[40];
	RvdAttentionWeights grad;

	run_kernel(&run, kind, &plan->in);
	assert_true(run.out.fell_back);
	for (int32_t v = 0; v < plan->n; v++)
		assert_true(run.p[v] == 1.0 / plan->n);
	if (run.rows.present)
	{
		assert_rows(&run.rows, plan->n);
		for (int32_t v = 0; v < plan->n; v++)
			assert_true(row_weight(&run.rows, v, v) == 1);
	}
	/* nothing is learned from what was not computed */
	random_share(share, plan->n);
	assert_int_equal(rvd_attention_gradient(kind, &plan->in, &run.out, share,
											&grad, run.work), RVD_OK);
	for (int j = 0; j < RVD_NODE_FEATURES; j++)
		assert_true(grad.score[j] == 0);
	for (int m = 0; m < RVD_HEADS; m++)
		assert_true(grad.gain[m] == 0);
	run_close(&run);
}

static void
what_is_not_finite_falls_back_to_uniform(void **state)
{
	for (int c = 0; c < 200; c++)
	{
		const double bad[] = {NAN, INFINITY, -INFINITY};
		double		value = bad[below(3)];
		Plan		plan;
		int32_t		v;

		plan_create(&plan, any_shape(), 1 + below(40));
		v = below(plan.n);
		switch (c % 4)
		{
			case 0:
				plan.load[v] = value;
				break;
			case 1:
				plan.phi[v * RVD_NODE_FEATURES + below(16)] = (float) value;
				break;
			case 2:
				plan.weights.score[below(16)] = (float) value;
				break;
			default:
				plan.weights.gain[below(4)] = (float) value;
				break;
		}
		for (int kind = 0; kind < RVD_NUM_KERNELS; kind++)
			assert_falls_back(kind, &plan);
		plan_free(&plan);
	}
}

static void
vectors_matter_where_heads_are_used(void **state)
{
	Plan		plan;
	Run			run;

	plan_create(&plan, SHAPE_STAR, 6);
	plan.vectors[3 * RVD_EMBEDDING_DIM + 200] = NAN;
	assert_falls_back(RVD_ATTENTION_TOPOLOGICAL, &plan);
	assert_falls_back(RVD_ATTENTION_PARALLEL_BRANCH, &plan);
	/* finite, but not their product */
	plan.vectors[3 * RVD_EMBEDDING_DIM + 200] = FLT_MAX;
	assert_falls_back(RVD_ATTENTION_TOPOLOGICAL, &plan);
	assert_falls_back(RVD_ATTENTION_PARALLEL_BRANCH, &plan);
	memset(plan.weights.gain, 0, sizeof(plan.weights.gain));
	run_kernel(&run, RVD_ATTENTION_TOPOLOGICAL, &plan.in);
	assert_false(run.out.fell_back);
	run_close(&run);
	plan_free(&plan);
}

static void
traces_matter_to_the_temporal_kernel(void **state)
{
	Plan		plan;

	plan_create(&plan, SHAPE_TREE, 12);
	plan.traces[3].eligibility = NAN;
	assert_falls_back(RVD_ATTENTION_TEMPORAL_BTSP, &plan);
	plan.traces[3].eligibility = INFINITY;
	assert_falls_back(RVD_ATTENTION_TEMPORAL_BTSP, &plan);
	plan.traces[3].eligibility = 1;
	plan.traces[3].time_s = -INFINITY;
	assert_falls_back(RVD_ATTENTION_TEMPORAL_BTSP, &plan);
	plan.traces[3].time_s = 0;
	plan.in.now_s = NAN;
	assert_falls_back(RVD_ATTENTION_TEMPORAL_BTSP, &plan);
	plan_free(&plan);
}

static void
negative_load_falls_back(void **state)
{
	Plan		plan;

	plan_create(&plan, SHAPE_TREE, 12);
	plan.load[5] = -1;
	for (int kind = 0; kind < RVD_NUM_KERNELS; kind++)
		assert_falls_back(kind, &plan);
	plan_free(&plan);
}

static RvdStatus
try_compute(Plan *plan, int kind)
{
	Run			run;
	RvdStatus	status;

	run_open(&run, &plan->in, true);
	status = rvd_attention_compute(kind, &plan->in, &run.out, run.work);
	run_close(&run);
	return status;
}

static void
unsound_arguments_are_refused(void **state)
{
	Plan		plan;
	RvdAttentionParams sound;
	RvdDag		empty = {0};
	double	   *numbers[] = {
		&plan.params.distance_decay, &plan.params.cone_decay,
		&plan.params.path_tau, &plan.params.cut_threshold,
		&plan.params.cut_floor, &plan.params.lorentz_beta,
		&plan.params.branch_tau, &plan.params.trace_eta,
		&plan.params.trace_gain, &plan.params.load_weight
	};
	int		   *counts[] = {
		&plan.params.context, &plan.params.cone_depth,
		&plan.params.branch_siblings
	};

	plan_create(&plan, SHAPE_TREE, 8);
	sound = plan.params;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
	{
		*numbers[i] = NAN;
		assert_int_equal(try_compute(&plan, 0), RVD_ERR_ARGUMENT);
		*numbers[i] = INFINITY;
		assert_int_equal(try_compute(&plan, 0), RVD_ERR_ARGUMENT);
		*numbers[i] = -1;
		assert_int_equal(try_compute(&plan, 0), numbers[i] ==
						 &plan.params.cut_threshold ? RVD_OK
						 : RVD_ERR_ARGUMENT);
		plan.params = sound;
	}
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
	{
		*counts[i] = 0;
		assert_int_equal(try_compute(&plan, 0), RVD_ERR_ARGUMENT);
		plan.params = sound;
	}
	assert_int_equal(try_compute(&plan, -1), RVD_ERR_ARGUMENT);
	assert_int_equal(try_compute(&plan, RVD_ATTENTION_ENSEMBLE),
					 RVD_ERR_ARGUMENT);

	plan.dag.finished = 0;
	assert_int_equal(try_compute(&plan, 0), RVD_ERR_STATE);
	plan.dag.finished = 1;
	plan.in.dag = &empty;
	assert_int_equal(try_compute(&plan, 0), RVD_ERR_ARGUMENT);
	plan_free(&plan);
}

static void
too_little_room_for_rows_is_refused(void **state)
{
	Plan		plan;
	Run			run;

	plan_create(&plan, SHAPE_TREE, 30);
	run_open(&run, &plan.in, true);
	run.rows.capacity--;
	assert_int_equal(rvd_attention_compute(0, &plan.in, &run.out, run.work),
					 RVD_ERR_FULL);
	run_close(&run);
	plan_free(&plan);
}

/* Larger than the plan: rows hold all of it, and fit. */
static void
limits_beyond_the_plan_are_its_size(void **state)
{
	for (int shape = 0; shape < N_SHAPES; shape++)
	{
		Plan		plan;

		plan_create(&plan, (PlanShape) shape, 50);
		plan.params.context = INT32_MAX;
		plan.params.cone_depth = INT32_MAX;
		plan.params.branch_siblings = INT32_MAX;
		assert_int_equal(rvd_attention_row_capacity(&plan.dag, &plan.params),
						 2500);
		for (int kind = 0; kind < RVD_NUM_KERNELS; kind++)
		{
			Run			run;

			run_kernel(&run, kind, &plan.in);
			if (run.rows.present)
				assert_rows(&run.rows, 50);
			run_close(&run);
		}
		plan_free(&plan);
	}
}

/* ---- registry --------------------------------------------------------------- */

static void
names_and_numbers_agree(void **state)
{
	static const char *const names[] = {
		"topological", "causal_cone", "critical_path", "mincut_gated",
		"hierarchical_lorentz", "parallel_branch", "temporal_btsp",
		"ensemble"
	};

	for (int kind = 0; kind < RVD_NUM_ATTENTIONS; kind++)
	{
		assert_string_equal(rvd_attention_name(kind), names[kind]);
		assert_int_equal(rvd_attention_by_name(names[kind]), kind);
	}
	assert_int_equal(rvd_attention_by_name("auto"), RVD_NUM_ATTENTIONS);
	assert_int_equal(rvd_attention_by_name(""), RVD_NUM_ATTENTIONS);
	assert_null(rvd_attention_name(-1));
	assert_null(rvd_attention_name(RVD_NUM_ATTENTIONS));
	assert_null(rvd_attention_kernel(RVD_ATTENTION_ENSEMBLE));
	assert_null(rvd_attention_kernel(-1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_finite_input_gives_distributions),
		cmocka_unit_test(no_load_leaves_pure_structure),
		cmocka_unit_test(load_decides_when_nothing_is_learned),
		cmocka_unit_test(names_of_nodes_do_not_matter),
		cmocka_unit_test(adding_a_constant_to_scores_changes_nothing),
		cmocka_unit_test(temperature_leads_from_uniform_to_the_largest),
		cmocka_unit_test(branch_temperature_flattens),
		cmocka_unit_test(path_temperature_keeps_the_longest_path),
		cmocka_unit_test(work_stays_within_the_bound),
		cmocka_unit_test(pairs_of_chain_and_star_are_as_computed),
		cmocka_unit_test(bounds_are_those_of_the_table),
		cmocka_unit_test(more_load_never_lowers_the_weight),
		cmocka_unit_test(repeating_gives_the_same_bits),
		cmocka_unit_test(what_is_not_finite_falls_back_to_uniform),
		cmocka_unit_test(vectors_matter_where_heads_are_used),
		cmocka_unit_test(traces_matter_to_the_temporal_kernel),
		cmocka_unit_test(negative_load_falls_back),
		cmocka_unit_test(unsound_arguments_are_refused),
		cmocka_unit_test(too_little_room_for_rows_is_refused),
		cmocka_unit_test(limits_beyond_the_plan_are_its_size),
		cmocka_unit_test(names_and_numbers_agree),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
