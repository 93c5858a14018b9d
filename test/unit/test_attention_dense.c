/*-------------------------------------------------------------------------
 *
 * test_attention_dense.c
 *	  Every attention kernel against its definition in dense matrices
 *	  (T1.8): weights and rows, on random trees and on plans with shared
 *	  producers, with learned scores and gains.
 *
 *-------------------------------------------------------------------------
 */
#include "attention_naive.h"

#define TOLERANCE	1e-6

static int	with_rows[RVD_NUM_KERNELS];

static void
compare(const Plan *plan)
{
	const int32_t n = plan->n;
	Naive		naive;

	naive_open(&naive, plan);
	for (int kind = 0; kind < RVD_NUM_KERNELS; kind++)
	{
		Run			run;

		run_kernel(&run, kind, &plan->in);
		assert_false(run.out.fell_back);
		naive_kernel(&naive, kind);
		for (int32_t v = 0; v < n; v++)
			assert_true(fabs(run.p[v] - naive.p[v]) < TOLERANCE);
		assert_distribution(run.p, n);
		if (run.rows.present)
		{
			with_rows[kind]++;
			assert_rows(&run.rows, n);
			for (int32_t v = 0; v < n; v++)
				for (int32_t u = 0; u < n; u++)
					assert_true(fabs(row_weight(&run.rows, v, u) -
									 naive.rows[v * n + u]) < TOLERANCE);
		}
		run_close(&run);
	}
	naive_close(&naive);
}

/* Parameters away from their defaults, too. */
static void
vary(Plan *plan)
{
	RvdAttentionParams *params = &plan->params;

	params->context = 1 + below(12);
	params->cone_depth = 1 + below(12);
	params->branch_siblings = 1 + below(10);
	params->distance_decay = 0.3 + 0.7 * uniform();
	params->cone_decay = 0.3 + 0.7 * uniform();
	params->path_tau = 0.05 + uniform();
	params->cut_threshold = uniform();
	params->cut_floor = 0.1 + 0.9 * uniform();
	params->lorentz_beta = 2 * uniform();
	params->branch_tau = 0.5 + 2 * uniform();
	params->trace_eta = 2 * uniform();
	params->trace_gain = 3 * uniform();
	params->load_weight = uniform();
}

static void
compare_many(PlanShape first, PlanShape last, int cases, int32_t largest)
{
	for (int c = 0; c < cases; c++)
	{
		PlanShape	shape = first + (PlanShape) below((int32_t) (last - first) + 1);
		Plan		plan;

		plan_create(&plan, shape, 1 + below(largest));
		if (c % 2 == 1)
			vary(&plan);
		if (c % 10 == 9)
			memset(plan.load, 0, (size_t) plan.n * sizeof(double));
		compare(&plan);
		plan_free(&plan);
	}
}

static void
random_trees_agree_with_the_definition(void **state)
{
	rvd_rng_init(&test_rng, RVD_RNG_TEST, 180);
	compare_many(SHAPE_TREE, SHAPE_LEFT_DEEP, 1000, 60);
	compare_many(SHAPE_TREE, SHAPE_LEFT_DEEP, 8, 200);
}

static void
shared_producers_agree_with_the_definition(void **state)
{
	rvd_rng_init(&test_rng, RVD_RNG_TEST, 181);
	compare_many(SHAPE_SHARED, SHAPE_SHARED, 300, 24);
}

static void
four_kernels_have_rows(void **state)
{
	for (int kind = 0; kind < RVD_NUM_KERNELS; kind++)
	{
		bool		rows = kind == RVD_ATTENTION_TOPOLOGICAL ||
			kind == RVD_ATTENTION_CAUSAL_CONE ||
			kind == RVD_ATTENTION_MINCUT_GATED ||
			kind == RVD_ATTENTION_PARALLEL_BRANCH;

		assert_true((with_rows[kind] > 0) == rows);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_trees_agree_with_the_definition),
		cmocka_unit_test(shared_producers_agree_with_the_definition),
		cmocka_unit_test(four_kernels_have_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
