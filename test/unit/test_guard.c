/*-------------------------------------------------------------------------
 *
 * test_guard.c
 *	  Verdicts on plans, budgets and the account, also under simulated noise.
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

#include "ruvector_dag/guard.h"
#include "ruvector_dag/hash.h"

#define N_CASES		2000

static uint64_t seed = 11;

static double
normal(void)
{
	double		sum = -6;

	for (int i = 0; i < 12; i++)
		sum += (double) (rvd_hash_mix(++seed) >> 11) * 0x1p-53;
	return sum;
}

/* A plan whose runs take exp(center + sd z) of the expected baseline. */
static void
runs(RvdLatency *l, int n, double ratio, double sd)
{
	memset(l, 0, sizeof(*l));
	for (int i = 0; i < n; i++)
		rvd_latency_add(l, ratio * exp(sd * normal()));
}

static void
big_win_is_promoted_at_once(void **state)
{
	RvdLatency	c;

	runs(&c, 1, 0.2, 0);
	assert_int_equal(rvd_guard_judge(&c, NULL, 2, 0.0225), RVD_PROMOTE);
}

static void
small_win_needs_more_runs(void **state)
{
	RvdLatency	c;

	runs(&c, 1, 0.8, 0);
	assert_int_equal(rvd_guard_judge(&c, NULL, 2, 0.0225), RVD_UNDECIDED);
	runs(&c, 6, 0.8, 0);
	assert_int_equal(rvd_guard_judge(&c, NULL, 2, 0.0225), RVD_PROMOTE);
}

static void
no_win_is_rejected(void **state)
{
	RvdLatency	c;

	runs(&c, 1, 0.97, 0);
	assert_int_equal(rvd_guard_judge(&c, NULL, 2, 0.0225), RVD_REJECT);
	runs(&c, 3, 1.5, 0);
	assert_int_equal(rvd_guard_judge(&c, NULL, 2, 0.0225), RVD_REJECT);
	runs(&c, 6, 0.93, 0);
	assert_int_equal(rvd_guard_judge(&c, NULL, 2, 0.0225), RVD_REJECT);
}

static void
never_run_is_undecided(void **state)
{
	RvdLatency	c = {0};

	assert_int_equal(rvd_guard_judge(&c, NULL, 2, 0.0225), RVD_UNDECIDED);
}

static void
best_plan_raises_the_bar(void **state)
{
	RvdLatency	c;
	RvdLatency	best;

	runs(&c, 1, 0.5, 0);
	runs(&best, 4, 0.45, 0);
	assert_int_equal(rvd_guard_judge(&c, NULL, 4, 0.0225), RVD_PROMOTE);
	assert_int_equal(rvd_guard_judge(&c, &best, 4, 0.0225), RVD_REJECT);
	runs(&best, 4, 2.0, 0);
	assert_int_equal(rvd_guard_judge(&c, &best, 4, 0.0225), RVD_PROMOTE);
}

/*
 * A plan no better than the baseline, judged after each run until decided,
 * against a baseline of two noisy runs.  Expected figure: how often noise of
 * ten per cent makes it look proven.
 */
static void
noise_is_hardly_ever_promoted(void **state)
{
	int			promoted = 0;

	for (int i = 0; i < N_CASES; i++)
	{
		RvdLatency	base;
		RvdLatency	c = {0};
		RvdVerdict	v = RVD_UNDECIDED;
		double		expected;

		runs(&base, 2, 1.0, 0.1);
		expected = rvd_latency_typical(&base);
		while (v == RVD_UNDECIDED)
		{
			rvd_latency_add(&c, exp(0.1 * normal()) / expected);
			v = rvd_guard_judge(&c, NULL, 2, rvd_latency_variance(&base));
		}
		promoted += v == RVD_PROMOTE;
	}
	assert_in_range(promoted, 0, N_CASES / 50);
}

static void
real_gain_is_nearly_always_promoted(void **state)
{
	int			promoted = 0;

	for (int i = 0; i < N_CASES; i++)
	{
		RvdLatency	c = {0};
		RvdVerdict	v = RVD_UNDECIDED;

		while (v == RVD_UNDECIDED)
		{
			rvd_latency_add(&c, 0.5 * exp(0.1 * normal()));
			v = rvd_guard_judge(&c, NULL, 2, 0.01);
		}
		promoted += v == RVD_PROMOTE;
	}
	assert_in_range(promoted, N_CASES * 99 / 100, N_CASES);
}

static void
slow_runs_are_told_from_noise(void **state)
{
	assert_int_equal(rvd_guard_slow(100, 100), 0);
	assert_int_equal(rvd_guard_slow(125, 100), 0);
	assert_int_equal(rvd_guard_slow(150, 100), 1);
	assert_int_equal(rvd_guard_slow(400, 100), 2);
	/* nobody minds a millisecond */
	assert_int_equal(rvd_guard_slow(1.9, 0.5), 0);
	assert_int_equal(rvd_guard_slow(15, 1), 1);
	/* no expectation, no judgement */
	assert_int_equal(rvd_guard_slow(1e6, 0), 0);
}

static void
budget_is_bounded_by_reference_and_account(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		double		reference = exp(normal() * 3);
		double		setting = 0.1 + fabs(normal());
		double		allowance = exp(normal() * 4);
		double		share = 0.1 * (1 + i % 10);
		double		budget = rvd_guard_budget(reference, setting, share,
											  allowance);

		assert_true(budget >= 0);
		assert_true(budget <= reference * setting * share * (1 + 1e-9));
		assert_true(budget <= allowance);
	}
	assert_true(rvd_guard_budget(100, 1, 0.3, 1e9) == 30);
	assert_true(rvd_guard_budget(100, 0, 1, 1e9) == 0);
	assert_true(rvd_guard_budget(100, 1, 1, 0) == 0);
	assert_true(rvd_guard_budget(0, 1, 1, 1e9) == 0);
	assert_true(rvd_guard_budget(NAN, 1, 1, 1e9) == 0);
	/* somewhat less than wanted will do, too little to learn anything not */
	assert_true(rvd_guard_budget(100, 1, 1, 70) == 70);
	assert_true(rvd_guard_budget(100, 1, 1, 5) == 0);
}

/*
 * The interval holds at all times at once: a walk without drift crosses it
 * in at most alpha of the cases, however long one looks.
 */
static void
interval_holds_whenever_one_looks(void **state)
{
	int			crossed = 0;

	for (int i = 0; i < 1000; i++)
	{
		double		sum = 0;
		int			n;

		for (n = 1; n <= 1000; n++)
		{
			sum += normal();
			if (fabs(sum / n) > rvd_guard_halfwidth(n, 1.0, 0.05))
				break;
		}
		crossed += n <= 1000;
	}
	/* 5 % and five standard deviations of the count */
	assert_in_range(crossed, 1, 84);
	assert_true(isinf(rvd_guard_halfwidth(0, 1.0, 0.05)));
	assert_true(rvd_guard_halfwidth(2, 1, 0.05) < rvd_guard_halfwidth(1, 1, 0.05));
}

/*
 * The promise: with every trial lost, what exploration costs stays within
 * the limit, whatever the order of statements.
 */
static void
account_keeps_the_promise(void **state)
{
	double		executed = 0;
	double		regret = 0;

	for (int i = 0; i < 20000; i++)
	{
		double		reference = exp(normal() * 2);
		double		budget = rvd_guard_budget(reference, 1.0, 0.7,
											  rvd_guard_allowance(0.1, executed,
																  0, regret));

		regret += budget;
		executed += reference;
		assert_true(regret <= 0.1 * executed + 1e-6);
	}
	assert_true(regret > 0.05 * executed);
	/* what was saved may be spent */
	assert_true(rvd_guard_allowance(0.1, 100, 50, 10) > 49);
	assert_true(rvd_guard_allowance(0.1, 100, 0, 50) == 0);
}

static void
every_reason_has_a_text(void **state)
{
	for (int r = RVD_REASON_STOCK; r <= RVD_REASON_LAST; r++)
		assert_true(strlen(rvd_reason_text(r)) > 0);
	assert_string_equal(rvd_reason_text(RVD_REASON_NONE), "");
	assert_string_equal(rvd_reason_text(12345), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(big_win_is_promoted_at_once),
		cmocka_unit_test(small_win_needs_more_runs),
		cmocka_unit_test(no_win_is_rejected),
		cmocka_unit_test(never_run_is_undecided),
		cmocka_unit_test(best_plan_raises_the_bar),
		cmocka_unit_test(noise_is_hardly_ever_promoted),
		cmocka_unit_test(real_gain_is_nearly_always_promoted),
		cmocka_unit_test(slow_runs_are_told_from_noise),
		cmocka_unit_test(interval_holds_whenever_one_looks),
		cmocka_unit_test(budget_is_bounded_by_reference_and_account),
		cmocka_unit_test(account_keeps_the_promise),
		cmocka_unit_test(every_reason_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
