/*-------------------------------------------------------------------------
 *
 * test_ewc.c
 *	  Elastic weight consolidation against closed forms.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ruvector_dag/ewc.h"
#include "ruvector_dag/rng.h"

#define N_CASES		1000
#define N			20

static RvdRng rng;

typedef struct Memory
{
	float		fisher[N];
	float		consolidated[N];
	float		anchor[N];
	RvdEwc		e;
} Memory;

static void
empty(Memory *m)
{
	memset(m, 0, sizeof(*m));
	m->e.n = N;
	m->e.fisher = m->fisher;
	m->e.consolidated = m->consolidated;
	m->e.anchor = m->anchor;
}

/* One task behind it, with Fisher and anchor at random. */
static void
one_task(Memory *m)
{
	empty(m);
	m->e.tasks = 1;
	for (int i = 0; i < N; i++)
	{
		m->consolidated[i] = (float) (0.1 + rvd_rng_uniform(&rng));
		m->anchor[i] = (float) rvd_rng_normal(&rng);
	}
}

/* Gradient of 1/2 sum f (theta - t)^2 */
static void
quadratic(const float *theta, const float *f, const float *t, float *g)
{
	for (int i = 0; i < N; i++)
		g[i] = f[i] * (theta[i] - t[i]);
}

static void
two_tasks_meet_where_their_evidence_says(void **state)
{
	for (int c = 0; c < N_CASES; c++)
	{
		Memory		m;
		float		theta[N];
		float		f[N];
		float		t[N];
		double		lambda = exp(3 * rvd_rng_normal(&rng));

		one_task(&m);
		memcpy(theta, m.anchor, sizeof(theta));
		for (int i = 0; i < N; i++)
		{
			f[i] = (float) (0.1 + rvd_rng_uniform(&rng));
			t[i] = (float) rvd_rng_normal(&rng);
		}
		for (int s = 0; s < 300; s++)
		{
			float		g[N];

			quadratic(theta, f, t, g);
			rvd_ewc_step(&m.e, theta, g, 0.5, lambda);
		}
		for (int i = 0; i < N; i++)
		{
			double		old = lambda * m.consolidated[i];
			double		optimum = (old * m.anchor[i] + f[i] * t[i]) /
				(old + f[i]);

			assert_true(fabs(theta[i] - optimum) < 1e-4);
		}
	}
}

static void
lambda_goes_from_free_to_fixed(void **state)
{
	for (int c = 0; c < N_CASES; c++)
	{
		Memory		m;
		float		free_theta[N];
		float		fixed[N];
		float		first[N];
		float		t[N];
		float		ones[N];

		one_task(&m);
		for (int i = 0; i < N; i++)
		{
			ones[i] = 1;
			t[i] = (float) rvd_rng_normal(&rng);
			first[i] = free_theta[i] = fixed[i] = 0;
		}
		m.e.tasks = 0;			/* no task yet: whatever the arrays say */
		for (int s = 0; s < 100; s++)
		{
			float		g[N];

			m.e.tasks = 1;
			quadratic(free_theta, ones, t, g);
			rvd_ewc_step(&m.e, free_theta, g, 0.5, 0);
			quadratic(fixed, ones, t, g);
			rvd_ewc_step(&m.e, fixed, g, 0.5, 1e12);
			m.e.tasks = 0;
			quadratic(first, ones, t, g);
			rvd_ewc_step(&m.e, first, g, 0.5, 1e12);
		}
		for (int i = 0; i < N; i++)
		{
			assert_true(fabs(free_theta[i] - t[i]) < 1e-5);
			assert_true(fabs(first[i] - t[i]) < 1e-5);
			assert_true(fabs(fixed[i] - m.anchor[i]) < 1e-5);
		}
	}
}

/* Loss plus penalty, for any lambda, as long as rate <= 1 / curvature. */
static void
a_step_never_goes_up(void **state)
{
	for (int c = 0; c < N_CASES; c++)
	{
		Memory		m;
		float		theta[N];
		float		f[N];
		float		t[N];
		double		lambda = exp(6 * rvd_rng_normal(&rng));
		double		rate = rvd_rng_uniform(&rng);
		double		last = INFINITY;

		one_task(&m);
		for (int i = 0; i < N; i++)
		{
			f[i] = (float) rvd_rng_uniform(&rng);
			t[i] = (float) rvd_rng_normal(&rng);
			theta[i] = (float) (3 * rvd_rng_normal(&rng));
		}
		for (int s = 0; s < 50; s++)
		{
			float		g[N];
			double		objective = lambda * rvd_ewc_divergence(&m.e, theta);

			for (int i = 0; i < N; i++)
				objective += f[i] * pow((double) theta[i] - t[i], 2) / 2;
			assert_true(objective <= last * (1 + 1e-6) + 1e-9);
			last = objective;
			quadratic(theta, f, t, g);
			rvd_ewc_step(&m.e, theta, g, rate, lambda);
		}
	}
}

static void
fisher_is_the_mean_square_of_the_jacobian(void **state)
{
	Memory		m;
	double		sd[N];
	double		average[N] = {0};
	double		decay = 0.999;

	empty(&m);
	for (int i = 0; i < N; i++)
		sd[i] = exp(rvd_rng_normal(&rng));
	for (int t = 1; t <= 20000; t++)
	{
		float		j[N];

		for (int i = 0; i < N; i++)
		{
			j[i] = (float) (sd[i] * rvd_rng_normal(&rng));
			average[i] = decay * average[i] +
				(1 - decay) * (double) j[i] * j[i];
		}
		rvd_ewc_observe(&m.e, j, decay);
	}
	assert_int_equal(m.e.samples, 20000);
	for (int i = 0; i < N; i++)
	{
		double		f = rvd_ewc_fisher(&m.e, i, decay);

		assert_true(fabs(f / average[i] - 1) < 1e-3);

		/* 2,000 effective samples: sd of the estimate 3.2 %, five of them */
		assert_true(fabs(f / (sd[i] * sd[i]) - 1) < 5 * sqrt(2.0 / 1999));
	}
}

static void
bias_correction_is_exact(void **state)
{
	for (int c = 0; c < 50; c++)
	{
		Memory		m;
		float		j[N];
		double		decay = 1 - 0.1 * rvd_rng_uniform(&rng) - 1e-4;

		empty(&m);
		for (int i = 0; i < N; i++)
			j[i] = (float) rvd_rng_normal(&rng);
		for (int t = 0; t < 100; t++)
		{
			rvd_ewc_observe(&m.e, j, decay);
			for (int i = 0; i < N; i++)
				assert_true(fabs(rvd_ewc_fisher(&m.e, i, decay) -
								 (double) j[i] * j[i]) <=
							1e-4 * j[i] * j[i] + 1e-30);
		}
	}
}

static void
nothing_observed_is_no_fisher(void **state)
{
	Memory		m;
	float		theta[N];

	empty(&m);
	for (int i = 0; i < N; i++)
		theta[i] = (float) i;
	assert_true(rvd_ewc_fisher(&m.e, 0, 0.999) == 0);
	rvd_ewc_consolidate(&m.e, theta, 0.999);
	for (int i = 0; i < N; i++)
		assert_true(m.consolidated[i] == 0 && m.anchor[i] == i);
	assert_int_equal(m.e.consolidated_samples, 0);
	assert_int_equal(m.e.tasks, 1);
}

static void
jacobians_that_are_not_finite_are_dropped(void **state)
{
	Memory		m;
	float		j[N] = {0};

	empty(&m);
	j[3] = NAN;
	rvd_ewc_observe(&m.e, j, 0.9);
	j[3] = INFINITY;
	rvd_ewc_observe(&m.e, j, 0.9);
	assert_int_equal(m.e.samples, 0);
	j[3] = 3e38f;
	rvd_ewc_observe(&m.e, j, 0.9);
	assert_int_equal(m.e.samples, 1);
	assert_true(isfinite(m.fisher[3]) && m.fisher[3] > 0);
}

static void
boundaries_sum_fading_fishers(void **state)
{
	for (int c = 0; c < N_CASES; c++)
	{
		Memory		m;
		double		expected[N] = {0};
		double		decay = 0.99;
		uint64_t	samples = 0;

		empty(&m);
		for (int task = 0; task < 4; task++)
		{
			float		theta[N];
			float		j[N];
			int			n = 1 + (int) rvd_rng_below(&rng, 400);

			for (int i = 0; i < N; i++)
			{
				theta[i] = (float) rvd_rng_normal(&rng);
				j[i] = (float) rvd_rng_normal(&rng);
				expected[i] = 0.9 * expected[i] + (double) j[i] * j[i];
			}
			for (int t = 0; t < n; t++)
				rvd_ewc_observe(&m.e, j, decay);

			/* (1 + decay) / (1 - decay) = 199 */
			samples += (uint64_t) (n < 199 ? n : 199);
			rvd_ewc_consolidate(&m.e, theta, decay);
			assert_int_equal(m.e.samples, 0);
			assert_int_equal(m.e.tasks, task + 1);
			assert_true(m.e.consolidated_samples <= samples);
			assert_true(m.e.consolidated_samples + (uint64_t) task + 1 >=
						samples);
			for (int i = 0; i < N; i++)
			{
				assert_true(m.anchor[i] == theta[i]);
				assert_true(m.fisher[i] == 0);
				assert_true(fabs(m.consolidated[i] - expected[i]) <=
							1e-4 * expected[i]);
			}
		}
	}
}

static void
lambda_is_evidence_within_limits(void **state)
{
	Memory		m;

	empty(&m);
	m.e.consolidated_samples = 6000;
	assert_true(rvd_ewc_lambda(&m.e, 1, 2000, 15000) == 6000);
	assert_true(rvd_ewc_lambda(&m.e, 2, 2000, 15000) == 3000);
	assert_true(rvd_ewc_lambda(&m.e, 32, 2000, 15000) == 2000);
	assert_true(rvd_ewc_lambda(&m.e, 0, 2000, 5000) == 5000);
	m.e.consolidated_samples = 0;
	assert_true(rvd_ewc_lambda(&m.e, 1, 2000, 15000) == 2000);
}

static void
gradients_that_are_not_finite_move_nothing(void **state)
{
	Memory		m;
	float		theta[N];
	float		g[N];

	one_task(&m);
	for (int i = 0; i < N; i++)
	{
		theta[i] = 1;
		g[i] = i % 2 ? NAN : i % 4 ? INFINITY : 1;
	}
	rvd_ewc_step(&m.e, theta, g, 0.1, 10);
	for (int i = 0; i < N; i++)
		assert_true((theta[i] == 1) == (i % 4 != 0));
}

static void
divergence_is_held_to_its_budget(void **state)
{
	for (int c = 0; c < N_CASES; c++)
	{
		Memory		m;
		float		theta[N];
		float		before[N];
		double		expected = 0;
		double		budget = exp(2 * rvd_rng_normal(&rng));

		one_task(&m);
		for (int i = 0; i < N; i++)
		{
			before[i] = theta[i] = (float) (2 * rvd_rng_normal(&rng));
			expected += m.consolidated[i] *
				pow((double) theta[i] - m.anchor[i], 2) / 2;
		}
		assert_true(fabs(rvd_ewc_divergence(&m.e, theta) - expected) <
					1e-9 * (1 + expected));
		assert_int_equal(rvd_ewc_constrain(&m.e, theta, budget),
						 expected > budget);
		if (expected <= budget)
		{
			assert_memory_equal(theta, before, sizeof(theta));
			continue;
		}
		assert_true(fabs(rvd_ewc_divergence(&m.e, theta) / budget - 1) < 1e-4);

		/* on the way from the anchor to where it was */
		for (int i = 0; i < N; i++)
			assert_true(fabs((theta[i] - m.anchor[i]) -
							 sqrt(budget / expected) *
							 (before[i] - m.anchor[i])) < 1e-4);
	}
}

static void
constraint_copes_with_extremes(void **state)
{
	Memory		m;
	float		theta[N] = {0};

	one_task(&m);
	theta[0] = NAN;
	theta[1] = 5;
	assert_true(rvd_ewc_constrain(&m.e, theta, 1));
	assert_memory_equal(theta, m.anchor, sizeof(theta));
	for (int i = 0; i < N; i++)
		theta[i] += 1;
	assert_true(rvd_ewc_constrain(&m.e, theta, -1));
	for (int i = 0; i < N; i++)
		assert_true(theta[i] == m.anchor[i]);
	m.e.tasks = 0;
	theta[0] += 1e6f;
	assert_false(rvd_ewc_constrain(&m.e, theta, 1));
}

static int
setup(void **state)
{
	rvd_rng_init(&rng, RVD_RNG_TEST, 2);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_tasks_meet_where_their_evidence_says),
		cmocka_unit_test(lambda_goes_from_free_to_fixed),
		cmocka_unit_test(a_step_never_goes_up),
		cmocka_unit_test(fisher_is_the_mean_square_of_the_jacobian),
		cmocka_unit_test(bias_correction_is_exact),
		cmocka_unit_test(nothing_observed_is_no_fisher),
		cmocka_unit_test(jacobians_that_are_not_finite_are_dropped),
		cmocka_unit_test(boundaries_sum_fading_fishers),
		cmocka_unit_test(lambda_is_evidence_within_limits),
		cmocka_unit_test(gradients_that_are_not_finite_move_nothing),
		cmocka_unit_test(divergence_is_held_to_its_budget),
		cmocka_unit_test(constraint_copes_with_extremes),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
