/*-------------------------------------------------------------------------
 *
 * test_train_boundary.c
 *	  A task that ends because the workload changed: what is held on to.
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

#include "ruvector_dag/latency_model.h"
#include "ruvector_dag/rng.h"
#include "ruvector_dag/vec.h"

#define N		120
#define DECAY	0.999

typedef struct Fixture
{
	RvdLatencyModel model;
	RvdTrainer	trainer;
	RvdModelSample samples[N];
} Fixture;

static int
set_up(void **state)
{
	Fixture    *f = calloc(1, sizeof(Fixture));
	float		features[RVD_PLAN_FEATURES] = {1};
	RvdRng		rng;

	rvd_rng_init(&rng, RVD_RNG_TEST, 5);
	rvd_model_init(&f->model, 8, 2, 1);
	for (int i = 0; i < N; i++)
	{
		RvdModelSample *s = &f->samples[i];
		float		e[RVD_EMBEDDING_DIM];

		for (int d = 0; d < RVD_EMBEDDING_DIM; d++)
			e[d] = (float) rvd_rng_normal(&rng);
		rvd_vec_normalize(e, RVD_EMBEDDING_DIM);
		rvd_model_input(&s->input, e, features, 1000);
		for (int j = 0; j < RVD_MODEL_OUT; j++)
			s->target[j] = NAN;
		s->target[RVD_OUT_LATENCY] = 10 * e[0];
	}
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	free(*state);
	return 0;
}

static void
train(Fixture *f)
{
	RvdTrainOptions options = {0.001, 8, 32, true, 2000, 15000, DECAY, 3};
	RvdTrainReport report;

	assert_int_equal(rvd_model_train(&f->model, &f->trainer, f->samples, N, N,
									 &options, &report), RVD_OK);
}

static void
without_evidence_nothing_is_held(void **state)
{
	Fixture    *f = *state;
	RvdTrainer	before = f->trainer;

	assert_false(rvd_trainer_consolidate(&f->trainer, &f->model, DECAY));
	assert_memory_equal(&f->trainer, &before, sizeof(before));
}

static void
parameters_and_their_importance_are_held(void **state)
{
	Fixture    *f = *state;
	double		weight = 1 - pow(DECAY, N);
	float		fisher[RVD_MODEL_BASE_SIZE];

	train(f);
	assert_int_equal(f->trainer.ewc_samples, N);
	memcpy(fisher, f->trainer.fisher, sizeof(fisher));
	assert_true(rvd_trainer_consolidate(&f->trainer, &f->model, DECAY));
	assert_int_equal(f->trainer.ewc_tasks, 1);
	assert_int_equal(f->trainer.ewc_samples, 0);
	assert_int_equal(f->trainer.ewc_consolidated, N);
	assert_memory_equal(f->trainer.anchor, f->model.base_a,
						sizeof(f->model.base_a));
	assert_memory_equal(f->trainer.anchor + RVD_MODEL_BASE_RANK * RVD_MODEL_IN,
						f->model.base_b, sizeof(f->model.base_b));
	for (int i = 0; i < RVD_MODEL_BASE_SIZE; i++)
	{
		double		wanted = fisher[i] / weight;

		assert_true(fabs(f->trainer.consolidated[i] - wanted) <=
					1e-5 * wanted + 1e-12);
		assert_true(f->trainer.fisher[i] == 0);
	}

	/* held once: there is nothing new yet */
	assert_false(rvd_trainer_consolidate(&f->trainer, &f->model, DECAY));
	assert_int_equal(f->trainer.ewc_tasks, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(without_evidence_nothing_is_held,
										set_up, tear_down),
		cmocka_unit_test_setup_teardown(parameters_and_their_importance_are_held,
										set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
