/*-------------------------------------------------------------------------
 *
 * test_stats.c
 *	  Running statistics against naive two-pass formulas over stored samples.
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ruvector_dag/hash.h"
#include "ruvector_dag/stats.h"

#define N_CASES			2000
#define MAX_SAMPLES		200
#define TOLERANCE		1e-9	/* relative, of sums of MAX_SAMPLES doubles */
#define LINE_TOLERANCE	1e-6	/* relative: sums are not centred */

static uint64_t random_state;

/* Uniform in [0, 1). */
static double
random_unit(void)
{
	random_state += UINT64_C(0x9e3779b97f4a7c15);
	return (double) (rvd_hash_mix(random_state) >> 11) * 0x1p-53;
}

/* About normal: twelve uniforms. */
static double
random_normal(void)
{
	double		sum = -6.0;

	for (int i = 0; i < 12; i++)
		sum += random_unit();
	return sum;
}

static int
random_below(int n)
{
	return (int) (random_unit() * n);
}

static void
assert_close(double actual, double expected, double tolerance)
{
	double		scale = fmax(fabs(expected), 1.0);

	if (!(fabs(actual - expected) <= tolerance * scale))
		fail_msg("%.17g is not %.17g", actual, expected);
}

/* Log-normal latencies of random location and spread; returns how many. */
static int
random_latencies(double *ms)
{
	int			n = 1 + random_below(MAX_SAMPLES);
	double		location = random_unit() * 16.0 - 5.0;
	double		spread = random_below(4) == 0 ? 0.0 : random_unit() * 2.0;

	for (int i = 0; i < n; i++)
		ms[i] = fmax(exp(location + spread * random_normal()), 0.001);
	return n;
}

typedef struct Naive
{
	double		mean;
	double		m2;
	double		sum_ms;
	double		best;
	double		worst;
} Naive;

static Naive
naive_moments(const double *ms, int n)
{
	Naive		naive = {.best = DBL_MAX};

	for (int i = 0; i < n; i++)
	{
		naive.mean += log(ms[i]) / n;
		naive.sum_ms += ms[i];
		naive.best = fmin(naive.best, ms[i]);
		naive.worst = fmax(naive.worst, ms[i]);
	}
	for (int i = 0; i < n; i++)
		naive.m2 += (log(ms[i]) - naive.mean) * (log(ms[i]) - naive.mean);
	return naive;
}

static void
check_moments(const RvdLatency *s, const double *ms, int n)
{
	Naive		naive = naive_moments(ms, n);

	assert_int_equal(s->n, n);
	assert_close(s->mean, naive.mean, TOLERANCE);
	assert_close(s->m2, naive.m2, TOLERANCE);
	assert_close(s->sum_ms, naive.sum_ms, TOLERANCE);
	assert_true(s->best_ms == (float) naive.best);
	assert_true(s->worst_ms == (float) naive.worst);
	assert_true(s->last_ms == (float) ms[n - 1]);
}

static void
moments_agree_with_two_passes(void **state)
{
	random_state = 1;
	for (int i = 0; i < N_CASES; i++)
	{
		double		ms[MAX_SAMPLES];
		int			n = random_latencies(ms);
		RvdLatency	s = {0};

		for (int j = 0; j < n; j++)
			rvd_latency_add(&s, ms[j]);
		check_moments(&s, ms, n);
	}
}

/* Cut each sample in pieces, some of them empty, and fold them together. */
static void
merged_pieces_agree_with_the_whole(void **state)
{
	random_state = 2;
	for (int i = 0; i < N_CASES; i++)
	{
		double		ms[MAX_SAMPLES];
		int			n = random_latencies(ms);
		int			at = 0;
		RvdLatency	whole = {0};

		while (at < n)
		{
			RvdLatency	piece = {0};
			int			length = random_below(n - at + 1);

			for (int j = 0; j < length; j++)
				rvd_latency_add(&piece, ms[at++]);
			rvd_latency_merge(&whole, &piece);
		}
		check_moments(&whole, ms, n);
	}
}

/* A large offset is where the textbook formula loses every digit. */
static void
small_spread_at_large_offset_survives(void **state)
{
	RvdLatency	s = {0};
	const double factor = 1.0 + 1e-6;

	for (int i = 0; i < 1000; i++)
		rvd_latency_add(&s, i % 2 ? 1e30 : 1e30 * factor);
	assert_true(fabs(s.m2 / (1000 * 2.5e-13) - 1.0) < 1e-3);
}

static void
derived_figures_agree_with_their_formulas(void **state)
{
	random_state = 3;
	for (int i = 0; i < N_CASES; i++)
	{
		double		ms[MAX_SAMPLES];
		int			n = random_latencies(ms);
		Naive		naive = naive_moments(ms, n);
		double		sample = n > 1 ? naive.m2 / (n - 1) : 0.0;
		RvdLatency	s = {0};

		for (int j = 0; j < n; j++)
			rvd_latency_add(&s, ms[j]);
		assert_close(rvd_latency_typical(&s), exp(naive.mean), TOLERANCE);
		assert_close(rvd_latency_variance(&s),
					 (2 * 0.15 * 0.15 + (n - 1) * sample) / (n + 1),
					 TOLERANCE);
		assert_close(rvd_latency_stddev_ms(&s),
					 sqrt((exp(sample) - 1) * exp(2 * naive.mean + sample)),
					 1e-6);
	}
}

static void
no_runs_give_zero_and_the_prior(void **state)
{
	RvdLatency	s = {0};

	assert_true(rvd_latency_typical(&s) == 0.0);
	assert_true(rvd_latency_stddev_ms(&s) == 0.0);
	assert_close(rvd_latency_variance(&s), 0.0225, TOLERANCE);
	rvd_latency_add(&s, 5.0);
	assert_close(rvd_latency_typical(&s), 5.0, TOLERANCE);
	assert_true(rvd_latency_stddev_ms(&s) == 0.0);
	assert_close(rvd_latency_variance(&s), 0.0225, TOLERANCE);
}

/* Many equal runs narrow the variance, but never to nothing. */
static void
equal_runs_do_not_claim_certainty(void **state)
{
	RvdLatency	s = {0};
	double		before = 1.0;

	for (int i = 0; i < 100; i++)
	{
		rvd_latency_add(&s, 7.0);
		assert_true(rvd_latency_variance(&s) > 0.0);
		assert_true(rvd_latency_variance(&s) <= before);
		before = rvd_latency_variance(&s);
	}
	assert_true(before < 0.001);
}

static void
odd_values_are_floored_or_capped(void **state)
{
	const double odd[] = {NAN, -1.0, 0.0, 1e-9, -INFINITY};
	RvdLatency	s = {0};

	for (int i = 0; i < 5; i++)
		rvd_latency_add(&s, odd[i]);
	assert_int_equal(s.n, 5);
	assert_close(rvd_latency_typical(&s), 0.001, TOLERANCE);
	assert_close(s.m2, 0.0, TOLERANCE);
	rvd_latency_add(&s, INFINITY);
	assert_true(isfinite(s.mean) && isfinite(s.m2) && isfinite(s.sum_ms));
	assert_true(isfinite(s.worst_ms));
}

static void
censored_runs_raise_the_bound_only(void **state)
{
	RvdLatency	s = {0};
	RvdLatency	before;

	rvd_latency_add(&s, 4.0);
	rvd_latency_add(&s, 9.0);
	before = s;
	rvd_latency_add_censored(&s, 50.0);
	rvd_latency_add_censored(&s, 20.0);
	rvd_latency_add_censored(&s, NAN);
	assert_int_equal(s.n_censored, 3);
	assert_true(s.bound_ms == 50.0f);
	s.n_censored = before.n_censored;
	s.bound_ms = before.bound_ms;
	assert_memory_equal(&s, &before, sizeof(s));
}

static void
merge_keeps_censored_runs_apart(void **state)
{
	RvdLatency	into = {0};
	RvdLatency	censored = {0};

	rvd_latency_add(&into, 3.0);
	rvd_latency_add_censored(&into, 10.0);
	rvd_latency_add_censored(&censored, 40.0);
	rvd_latency_merge(&into, &censored);
	assert_int_equal(into.n, 1);
	assert_int_equal(into.n_censored, 2);
	assert_true(into.bound_ms == 40.0f);
	assert_true(into.last_ms == 3.0f);
	assert_close(rvd_latency_typical(&into), 3.0, TOLERANCE);
}

static void
counts_saturate(void **state)
{
	RvdLatency	s = {.n = UINT32_MAX, .n_censored = UINT32_MAX, .mean = 1.0};
	RvdLatency	one = {0};

	rvd_latency_add(&s, 2.0);
	rvd_latency_add_censored(&s, 2.0);
	rvd_latency_add(&one, 2.0);
	rvd_latency_merge(&s, &one);
	assert_int_equal(s.n, UINT32_MAX);
	assert_int_equal(s.n_censored, UINT32_MAX);
	assert_close(s.mean, 1.0, 1e-6);
}

/* Least squares from deviations; answers whether x had any spread. */
static int
naive_line(const double *x, const double *y, int n, double at,
		   double *fit, double *sd)
{
	double		mean_x = 0.0;
	double		mean_y = 0.0;
	double		cxx = 0.0;
	double		cxy = 0.0;
	double		residuals = 0.0;

	for (int i = 0; i < n; i++)
	{
		mean_x += x[i] / n;
		mean_y += y[i] / n;
	}
	for (int i = 0; i < n; i++)
	{
		cxx += (x[i] - mean_x) * (x[i] - mean_x);
		cxy += (x[i] - mean_x) * (y[i] - mean_y);
	}
	for (int i = 0; i < n; i++)
	{
		double		r = y[i] - mean_y - cxy / cxx * (x[i] - mean_x);

		residuals += r * r;
	}
	*fit = mean_y + cxy / cxx * (at - mean_x);
	*sd = sqrt(residuals / (n - 2));
	return cxx > 0.0;
}

static void
line_agrees_with_two_passes(void **state)
{
	random_state = 4;
	for (int i = 0; i < N_CASES; i++)
	{
		double		x[MAX_SAMPLES];
		double		y[MAX_SAMPLES];
		int			n = 3 + random_below(MAX_SAMPLES - 3);
		double		slope = random_normal();
		double		noise = 0.01 + random_unit();
		double		at = 3.0 + 15.0 * random_unit();
		double		fit;
		double		sd;
		double		expected_fit;
		double		expected_sd;
		RvdLine		line = {0};

		for (int j = 0; j < n; j++)
		{
			x[j] = 3.0 + 15.0 * random_unit();
			y[j] = slope * x[j] - 4.0 + noise * random_normal();
			rvd_line_add(&line, x[j], y[j]);
		}
		assert_true(naive_line(x, y, n, at, &expected_fit, &expected_sd));
		assert_int_equal(rvd_line_predict(&line, at, &fit, &sd), n);
		assert_close(fit, expected_fit, LINE_TOLERANCE);
		assert_close(sd, expected_sd, LINE_TOLERANCE);
	}
}

static void
line_without_spread_is_the_mean(void **state)
{
	RvdLine		line = {0};
	double		fit = -1.0;
	double		sd = -1.0;

	assert_int_equal(rvd_line_predict(&line, 1.0, &fit, &sd), 0);
	assert_true(fit == -1.0 && sd == -1.0);

	rvd_line_add(&line, 12.345, 1.0);
	assert_int_equal(rvd_line_predict(&line, 99.0, &fit, &sd), 1);
	assert_true(fit == 1.0 && sd == 0.0);

	rvd_line_add(&line, 12.345, 2.0);
	rvd_line_add(&line, 12.345, 6.0);
	assert_int_equal(rvd_line_predict(&line, 99.0, &fit, &sd), 3);
	assert_close(fit, 3.0, TOLERANCE);
	assert_close(sd, sqrt(7.0), TOLERANCE);
}

/* Two points lie on a line whatever they are: no claim of certainty. */
static void
line_through_two_points_keeps_their_spread(void **state)
{
	RvdLine		line = {0};
	double		fit;
	double		sd;

	rvd_line_add(&line, 1.0, 2.0);
	rvd_line_add(&line, 3.0, 6.0);
	assert_int_equal(rvd_line_predict(&line, 2.5, &fit, &sd), 2);
	assert_close(fit, 5.0, TOLERANCE);
	assert_close(sd, sqrt(8.0), TOLERANCE);
}

static void
line_ignores_what_is_not_finite(void **state)
{
	RvdLine		line = {0};
	double		fit;
	double		sd;

	rvd_line_add(&line, 1.0, 2.0);
	rvd_line_add(&line, NAN, 2.0);
	rvd_line_add(&line, 1.0, INFINITY);
	assert_int_equal(rvd_line_predict(&line, 1.0, &fit, &sd), 1);
	rvd_line_add(&line, 3.0, 4.0);
	assert_int_equal(rvd_line_predict(&line, NAN, &fit, &sd), 2);
	assert_close(fit, 3.0, TOLERANCE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments_agree_with_two_passes),
		cmocka_unit_test(merged_pieces_agree_with_the_whole),
		cmocka_unit_test(small_spread_at_large_offset_survives),
		cmocka_unit_test(derived_figures_agree_with_their_formulas),
		cmocka_unit_test(no_runs_give_zero_and_the_prior),
		cmocka_unit_test(equal_runs_do_not_claim_certainty),
		cmocka_unit_test(odd_values_are_floored_or_capped),
		cmocka_unit_test(censored_runs_raise_the_bound_only),
		cmocka_unit_test(merge_keeps_censored_runs_apart),
		cmocka_unit_test(counts_saturate),
		cmocka_unit_test(line_agrees_with_two_passes),
		cmocka_unit_test(line_without_spread_is_the_mean),
		cmocka_unit_test(line_through_two_points_keeps_their_spread),
		cmocka_unit_test(line_ignores_what_is_not_finite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
