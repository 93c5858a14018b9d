/*-------------------------------------------------------------------------
 *
 * test_selector.c
 *	  The bandit over attention kernels against its definition, and quality.
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

#include "ruvector_dag/selector.h"

#define K	RVD_NUM_ATTENTIONS
#define C	1.41421356

/* ---- a naive twin: keeps all rewards, knows no struct ------- */

#define MAX_STEPS	4000

typedef struct History
{
	int			n;
	int			arm[MAX_STEPS];
	double		reward[MAX_STEPS];
} History;

static double
index_of(const History *h, int arm, double c)
{
	double		sum = 0;
	double		n = 0;

	for (int i = 0; i < h->n; i++)
		if (h->arm[i] == arm)
		{
			sum += h->reward[i];
			n++;
		}
	return n == 0 ? INFINITY : sum / n + c * sqrt(log(h->n) / n);
}

/* *clear: no other arm comes near. */
static int
naive_choice(const History *h, double c, int *clear)
{
	double		value[K];
	int			best = 0;

	for (int arm = 0; arm < K; arm++)
		value[arm] = index_of(h, arm, c);
	for (int arm = 1; arm < K; arm++)
		if (value[arm] > value[best])
			best = arm;
	*clear = 1;
	for (int arm = 0; arm < K; arm++)
		if (arm != best && !isinf(value[best]) &&
			value[best] - value[arm] < 1e-5)
			*clear = 0;
	return best;
}

/* T2.1: the same choices as the twin, on streams of random rewards. */
static void
trace_equals_naive_reference(void **state)
{
	static History h;
	RvdRng		rng;
	int			unclear = 0;
	int			steps = 0;

	rvd_rng_init(&rng, RVD_RNG_TEST, 1);
	for (int stream = 0; stream < 12; stream++)
	{
		RvdSelector s = {0};
		double		c = stream % 3 == 0 ? 0.1 : C;

		h.n = 0;
		for (int t = 0; t < 1000; t++, steps++)
		{
			int			clear;
			int			expected = naive_choice(&h, c, &clear);
			double		propensity = -1;
			int			arm = rvd_selector_choose(&s, c, 0, &rng,
												  &propensity);
			double		reward = rvd_rng_uniform(&rng) * (arm + 1) / K;

			if (clear)
				assert_int_equal(arm, expected);
			unclear += !clear;
			assert_true(propensity == 1);
			rvd_selector_reward(&s, arm, reward);
			h.arm[h.n] = arm;
			h.reward[h.n++] = reward;
		}
	}
	assert_true(unclear < steps / 20);
}

/* Told by hand: arm 2 has 4 pulls, the others 1; mean against doubt. */
static void
index_by_hand(void **state)
{
	RvdSelector s = {0};
	RvdRng		rng;

	rvd_rng_init(&rng, RVD_RNG_TEST, 2);
	for (int arm = 0; arm < K; arm++)
		rvd_selector_reward(&s, arm, 0.5);
	for (int i = 0; i < 3; i++)
		rvd_selector_reward(&s, 2, 0.7);
	assert_true(fabs(s.mean[2] - 0.65) < 1e-6);

	/* ln 11 = 2.3979: 0.65 + c 0.7743 against 0.5 + c 1.5485 */
	assert_int_equal(rvd_selector_choose(&s, 0.19, 0, &rng, NULL), 2);
	assert_int_equal(rvd_selector_choose(&s, 0.20, 0, &rng, NULL), 0);
	assert_int_equal(rvd_selector_choose(&s, 0, 0, &rng, NULL), 2);
	assert_int_equal(rvd_selector_choose(&s, -3, 0, &rng, NULL), 2);
	assert_int_equal(rvd_selector_choose(&s, NAN, 0, &rng, NULL), 2);
	assert_int_equal(rvd_selector_best(&s), 2);
}

static void
untried_arms_come_first_in_order(void **state)
{
	RvdSelector s = {0};
	RvdRng		rng;

	rvd_rng_init(&rng, RVD_RNG_TEST, 3);
	assert_int_equal(rvd_selector_best(&s), -1);
	for (int arm = 0; arm < K; arm++)
	{
		assert_int_equal(rvd_selector_choose(&s, C, 0, &rng, NULL), arm);
		rvd_selector_reward(&s, arm, arm == 3 ? 1 : 0);
		assert_int_equal(rvd_selector_best(&s), arm < 3 ? 0 : 3);
	}
	memset(&s, 0, sizeof(s));
	rvd_selector_reward(&s, 5, 0);
	assert_int_equal(rvd_selector_best(&s), 5);
}

/* T2.2: pulls of a bad arm stay below the bound of the theorem. */
static void
bad_arms_are_pulled_rarely(void **state)
{
	const int	runs = 200;
	const int	horizon = 10000;
	const double gap = 0.6;
	double		bound = 8 * log(horizon) / (gap * gap) + 1 + M_PI * M_PI / 3;
	double		bad = 0;
	RvdRng		rng;

	rvd_rng_init(&rng, RVD_RNG_TEST, 4);
	for (int run = 0; run < runs; run++)
	{
		RvdSelector s = {0};
		int			good = run % K;

		for (int t = 0; t < horizon; t++)
		{
			int			arm = rvd_selector_choose(&s, C, 0, &rng, NULL);
			double		p = arm == good ? 0.8 : 0.8 - gap;

			rvd_selector_reward(&s, arm, rvd_rng_uniform(&rng) < p);
		}
		assert_int_equal(rvd_selector_best(&s), good);
		for (int arm = 0; arm < K; arm++)
			bad += arm == good ? 0 : s.n[arm];
	}
	bad /= runs * (K - 1);
	assert_true(bad < bound);

	/* and no fewer than any consistent policy: ln t / KL(0.2, 0.8) is 11 */
	assert_true(bad > 5);
}

/* T2.3: the uniform part is uniform, and the propensities are the truth. */
static void
exploration_is_uniform(void **state)
{
	const int	n = 80000;
	const double epsilon = 0.1;
	RvdSelector s = {0};
	RvdRng		rng;
	int			count[K] = {0};
	int			greedy = 5;
	double		chi2 = 0;

	rvd_rng_init(&rng, RVD_RNG_TEST, 5);
	for (int arm = 0; arm < K; arm++)
		rvd_selector_reward(&s, arm, arm == greedy);
	for (int i = 0; i < n; i++)
	{
		double		propensity;
		int			arm = rvd_selector_choose(&s, C, epsilon, &rng,
											  &propensity);
		double		expected = epsilon / K + (arm == greedy ? 0.9 : 0);

		count[arm]++;
		assert_true(fabs(propensity - expected) < 1e-12);
	}
	for (int arm = 0; arm < K; arm++)
	{
		double		e = n * (epsilon / K + (arm == greedy ? 0.9 : 0));

		chi2 += (count[arm] - e) * (count[arm] - e) / e;
	}
	/* 7 degrees of freedom: above 45 once in 10^7 */
	assert_true(chi2 < 45);
}

static void
odd_epsilons_are_clipped(void **state)
{
	const double none[] = {0, -1, NAN};
	RvdSelector s = {0};
	RvdRng		rng;
	int			seen = 0;
	double		p;

	rvd_rng_init(&rng, RVD_RNG_TEST, 6);
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 100; k++)
		{
			assert_int_equal(rvd_selector_choose(&s, C, none[i], &rng, &p), 0);
			assert_true(p == 1);
		}
	for (int k = 0; k < 200; k++)
	{
		seen |= 1 << rvd_selector_choose(&s, C, 7, &rng, &p);
		assert_true(fabs(p - 1.0 / K) < 1e-12);
	}
	assert_int_equal(seen, (1 << K) - 1);
}

static void
bad_rewards_are_ignored(void **state)
{
	const double bad[] = {-0.01, 1.01, NAN, INFINITY, -INFINITY};
	RvdSelector s = {0};
	RvdSelector before;

	rvd_selector_reward(&s, 2, 0.25);
	before = s;
	for (int i = 0; i < 5; i++)
		rvd_selector_reward(&s, 2, bad[i]);
	rvd_selector_reward(&s, -1, 0.5);
	rvd_selector_reward(&s, K, 0.5);
	assert_memory_equal(&s, &before, sizeof(s));
}

/* Means over 1,000 random streams; the count saturates instead of wrapping. */
static void
means_are_means(void **state)
{
	RvdRng		rng;
	RvdSelector s;

	rvd_rng_init(&rng, RVD_RNG_TEST, 7);
	for (int i = 0; i < 1000; i++)
	{
		int			n = 1 + (int) rvd_rng_below(&rng, 300);
		int			arm = (int) rvd_rng_below(&rng, K);
		double		sum = 0;

		memset(&s, 0, sizeof(s));
		for (int k = 0; k < n; k++)
		{
			double		r = rvd_rng_uniform(&rng);

			sum += r;
			rvd_selector_reward(&s, arm, r);
		}
		assert_int_equal(s.n[arm], n);
		assert_true(fabs(s.mean[arm] - sum / n) < 1e-5);
	}
	s.n[0] = UINT32_MAX;
	s.mean[0] = 0.5f;
	rvd_selector_reward(&s, 0, 1);
	assert_true(s.n[0] == UINT32_MAX);
	assert_true(s.mean[0] >= 0.5f && s.mean[0] < 0.50001f);
}

static void
discount_fades_counts_not_means(void **state)
{
	RvdSelector s = {0};
	RvdSelector before;
	const double none[] = {1, 0, -1, 2, NAN};

	s.n[0] = 1000;
	s.mean[0] = 0.5f;
	s.n[1] = 3;
	s.mean[1] = 0.75f;
	s.n[2] = 1;
	before = s;
	for (int i = 0; i < 5; i++)
		rvd_selector_discount(&s, none[i]);
	assert_memory_equal(&s, &before, sizeof(s));

	rvd_selector_discount(&s, 0.5);
	assert_int_equal(s.n[0], 500);
	assert_int_equal(s.n[1], 2);
	assert_int_equal(s.n[2], 1);
	assert_int_equal(s.n[3], 0);
	assert_memory_equal(s.mean, before.mean, sizeof(s.mean));
	rvd_selector_discount(&s, 1e-9);
	assert_int_equal(s.n[0], 1);
	assert_int_equal(s.n[3], 0);
}

/* What changed is found again after the counts were faded, sooner. */
static void
discount_speeds_up_relearning(void **state)
{
	RvdRng		rng;
	int			steps[2];

	rvd_rng_init(&rng, RVD_RNG_TEST, 8);
	for (int fade = 0; fade < 2; fade++)
	{
		RvdSelector s = {0};

		for (int t = 0; t < 5000; t++)
			for (int arm = 0; arm < K; arm++)
				rvd_selector_reward(&s, arm, arm == 1 ? 0.9 : 0.2);
		if (fade)
			rvd_selector_discount(&s, 0.01);
		steps[fade] = 0;
		while (rvd_selector_best(&s) != 6)
		{
			for (int arm = 0; arm < K; arm++)
				rvd_selector_reward(&s, arm, arm == 6 ? 0.9 : 0.2);
			steps[fade]++;
		}
	}
	assert_true(steps[1] * 50 < steps[0]);
}

static void
quality_is_relative_to_the_reference(void **state)
{
	RvdRng		rng;

	rvd_rng_init(&rng, RVD_RNG_TEST, 9);
	for (int i = 0; i < 2000; i++)
	{
		double		ref = exp(20 * rvd_rng_uniform(&rng) - 10);
		double		ratio = exp(6 * rvd_rng_uniform(&rng) - 3);
		double		q = rvd_quality(ref * ratio, ref);
		double		expected = fmin(1, fmax(0, 0.5 - 0.25 * log2(ratio)));

		assert_true(fabs(q - expected) < 1e-9);
		assert_true(fabs(q + rvd_quality(ref / ratio, ref) - 1) < 1e-9);
	}
	assert_true(fabs(rvd_quality(7, 7) - 0.5) < 1e-15);
	assert_true(rvd_quality(1, 4.0001) == 1);
	assert_true(rvd_quality(4.0001, 1) == 0);
	/* the threshold of learning: 0.3 is 1.74 times the reference */
	assert_true(fabs(rvd_quality(1.7411, 1) - 0.3) < 1e-4);
}

static void
quality_of_nonsense_is_nan(void **state)
{
	const double bad[] = {0, -1, NAN, INFINITY, -INFINITY};

	for (int i = 0; i < 5; i++)
	{
		assert_true(isnan(rvd_quality(bad[i], 1)));
		assert_true(isnan(rvd_quality(1, bad[i])));
	}
	assert_true(rvd_quality(1e-300, 1e300) == 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trace_equals_naive_reference),
		cmocka_unit_test(index_by_hand),
		cmocka_unit_test(untried_arms_come_first_in_order),
		cmocka_unit_test(bad_arms_are_pulled_rarely),
		cmocka_unit_test(exploration_is_uniform),
		cmocka_unit_test(odd_epsilons_are_clipped),
		cmocka_unit_test(bad_rewards_are_ignored),
		cmocka_unit_test(means_are_means),
		cmocka_unit_test(discount_fades_counts_not_means),
		cmocka_unit_test(discount_speeds_up_relearning),
		cmocka_unit_test(quality_is_relative_to_the_reference),
		cmocka_unit_test(quality_of_nonsense_is_nan),
	};

	return cmocka_run_group_tests_name("selector", tests, NULL, NULL);
}
