/*-------------------------------------------------------------------------
 *
 * test_choice.c
 *	  What is believed of candidates, and the whole of choosing, trying and
 *	  judging them in a simulated workload.
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

#include "ruvector_dag/choice.h"
#include "ruvector_dag/guard.h"

#define N_CASES		1000

static RvdRng rng;

static int
start(void **state)
{
	rvd_rng_init(&rng, RVD_RNG_TEST, 20261128);
	return 0;
}

/* ---- beliefs ---------------------------------------------------------------- */

static void
observations_combine_by_precision(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		RvdBelief	b;
		double		y = rvd_rng_normal(&rng);
		double		v = exp(rvd_rng_normal(&rng));
		double		w = v / (v + 1);

		rvd_belief_init(&b, 0);
		rvd_belief_observe(&b, y, v);
		assert_true(fabs(b.mean - (w * 0.35 + (1 - w) * y)) < 1e-12);
		assert_true(fabs(b.variance - v / (1 + v)) < 1e-12);
	}
}

static void
wrong_estimates_promise_gain(void **state)
{
	double		before = INFINITY;

	for (double error = 0; error < 10; error += 0.5)
	{
		RvdBelief	b;

		rvd_belief_init(&b, error);
		assert_true(error > 4.25 ? b.mean == before : b.mean < before);
		before = b.mean;
	}
}

static void
losses_of_others_discourage(void **state)
{
	RvdBelief	b;
	RvdBelief	many;

	rvd_belief_init(&b, 0);
	rvd_belief_discourage(&b, 0);
	assert_true(b.mean == 0.35);
	rvd_belief_discourage(&b, 3);
	assert_true(fabs(b.mean - 0.65) < 1e-12);
	rvd_belief_init(&many, 0);
	rvd_belief_discourage(&many, 1000000);
	assert_true(fabs(many.mean - 1.85) < 1e-12);
	/* such a belief is hardly ever tried */
	assert_true(rvd_choice_share(&many, 0, 16) == 0);
}

static void
nonsense_is_ignored(void **state)
{
	RvdBelief	b;
	RvdBelief	before;
	RvdArmRecord r = {0};

	rvd_belief_init(&b, 0);
	before = b;
	rvd_belief_observe(&b, NAN, 1);
	rvd_belief_observe(&b, 1, 0);
	rvd_belief_observe(&b, 1, -1);
	rvd_belief_observe(&b, INFINITY, 1);
	rvd_belief_observe(&b, 1, NAN);
	rvd_belief_observe_record(&b, &r, 0.5);
	assert_memory_equal(&b, &before, sizeof(b));
	rvd_arm_record_add(&r, NAN, false);
	assert_int_equal(r.n, 0);
}

/* Mean beyond the bound, by numeric integration. */
static double
integrated_mean(const RvdBelief *b)
{
	double		sd = sqrt(b->variance);
	double		from = fmax(b->bound, b->mean - 12 * sd);
	double		to = fmax(b->mean + 12 * sd, b->bound + 12 * sd);
	double		mass = 0;
	double		moment = 0;

	for (int i = 0; i < 200000; i++)
	{
		double		y = from + (to - from) * (i + 0.5) / 200000;
		double		z = (y - b->mean) / sd;
		double		p = exp(-0.5 * z * z);

		mass += p;
		moment += p * y;
	}
	return moment / mass;
}

static void
censored_mean_is_the_integral(void **state)
{
	for (int i = 0; i < 30; i++)
	{
		RvdBelief	b = {rvd_rng_normal(&rng), exp(rvd_rng_normal(&rng)), -INFINITY};

		rvd_belief_censor(&b, b.mean + sqrt(b.variance) *
						  (4 * rvd_rng_uniform(&rng) - 1));
		assert_true(fabs(rvd_belief_mean(&b) - integrated_mean(&b)) < 1e-3);
	}
}

static void
draws_lie_beyond_the_bound(void **state)
{
	for (int i = 0; i < 20; i++)
	{
		RvdBelief	b = {0, 1, -INFINITY};
		double		sum = 0;

		rvd_belief_censor(&b, -1 + 0.2 * i);
		for (int k = 0; k < 4000; k++)
		{
			double		y = rvd_belief_draw(&b, &rng);

			assert_true(y > b.bound);
			sum += y;
		}
		/* five standard errors, and what the tail's approximation costs */
		assert_true(fabs(sum / 4000 - rvd_belief_mean(&b)) < 0.09);
	}
}

static void
probability_below(void **state)
{
	RvdBelief	b = {0, 1, -INFINITY};

	assert_true(fabs(rvd_belief_below(&b, 0) - 0.5) < 1e-12);
	rvd_belief_censor(&b, 0);
	assert_true(rvd_belief_below(&b, -1) == 0);
	assert_true(fabs(rvd_belief_below(&b, 0.6744898) - 0.5) < 1e-6);
	rvd_belief_censor(&b, -1);	/* says less than what is known */
	assert_true(b.bound == 0);
}

static void
records_of_arms(void **state)
{
	RvdArmRecord r[4] = {{0, 0}};

	rvd_arm_record_add(&r[2], -1, false);
	rvd_arm_record_add(&r[2], -2, false);
	assert_true(fabs(r[2].mean + 1.5) < 1e-6);
	rvd_arm_record_add(&r[3], -1.2, true);
	assert_true(fabs(r[3].mean + 0.7) < 1e-6);
	assert_int_equal(rvd_arm_record_best(r, 4), 2);
	assert_int_equal(rvd_arm_record_best(r, 2), 0);
	/* a hundred old outcomes do not outvote thirty new ones */
	for (int i = 0; i < 100; i++)
		rvd_arm_record_add(&r[1], -1, false);
	for (int i = 0; i < 30; i++)
		rvd_arm_record_add(&r[1], 1, false);
	assert_true(r[1].mean > 0.4);
}

/* ---- order ------------------------------------------------------------------ */

static void
better_ones_go_first(void **state)
{
	int			first[3] = {0};

	for (int i = 0; i < N_CASES; i++)
	{
		RvdBelief	b[3] = {{-0.1, 0.01, -INFINITY}, {-2, 0.01, -INFINITY},
		{0.5, 0.01, -INFINITY}};
		RvdStake	stakes[3];
		int			n = rvd_choice_stake(b, 3, 0, 4, &rng, stakes, 3);

		assert_in_range(n, 1, 3);
		first[stakes[0].index]++;
	}
	assert_int_equal(first[1], N_CASES);
}

static void
what_does_not_promise_is_not_tried(void **state)
{
	RvdBelief	b[2] = {{1, 0.01, -INFINITY}, {-1, 0.01, -INFINITY}};
	RvdStake	stakes[2];

	assert_int_equal(rvd_choice_stake(b, 2, 0, 4, &rng, stakes, 2), 1);
	assert_int_equal(stakes[0].index, 1);
	/* the plan in use is better already */
	assert_int_equal(rvd_choice_stake(b, 2, -2, 4, &rng, stakes, 2), 0);
	assert_int_equal(rvd_choice_stake(b, 0, 0, 4, &rng, stakes, 2), 0);
	assert_int_equal(rvd_choice_stake(b, 2, 0, 4, &rng, stakes, 0), 0);
}

/* What a share is worth, by drawing. */
static double
drawn_value(const RvdBelief *b, double reference, double share)
{
	double		sum = 0;

	for (int i = 0; i < 20000; i++)
	{
		double		ratio = exp(rvd_belief_draw(b, &rng) - reference);

		sum += ratio < share ? 4.0 * (1 - ratio) : -share;
	}
	return sum / 20000;
}

static void
share_has_the_best_balance(void **state)
{
	for (int i = 0; i < 40; i++)
	{
		RvdBelief	b = {rvd_rng_normal(&rng) - 0.5, exp(rvd_rng_normal(&rng) - 1),
		-INFINITY};
		double		reference = -rvd_rng_uniform(&rng);
		double		share;
		double		least = 0;

		if (i % 2)
		{
			rvd_belief_censor(&b, log(0.2) + reference);
			least = 0.3;
		}
		share = rvd_choice_share(&b, reference, 4);
		for (int k = 1; k <= 6; k++)
		{
			double		other = 0.15 * k;

			if (other >= least - 1e-9 && (least > 0 || other < 0.46))
				assert_true((share > 0 ? drawn_value(&b, reference, share) : 0) >=
							drawn_value(&b, reference, other) - 0.06);
		}
		assert_true(share == 0 || share >= least - 1e-9);
	}
}

static void
no_more_than_the_reference_is_staked(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		RvdBelief	b[6];
		RvdStake	stakes[3];
		double		sum = 0;
		int			n;

		for (int k = 0; k < 6; k++)
			rvd_belief_init(&b[k], 0);
		n = rvd_choice_stake(b, 6, 0, 4, &rng, stakes, 3);
		for (int k = 0; k < n; k++)
			sum += stakes[k].share;
		assert_true(sum <= 1.35 + 1e-9);
	}
}

/* ---- the whole -------------------------------------------------------------- */

#define TEMPLATES	300
#define ARMS		8
#define NOISE		0.2
#define LIMIT		0.1

typedef struct Template
{
	double		base;			/* ms */
	double		y[ARMS];		/* true ln ratio; arm 0 is the baseline */
	bool		same[ARMS];		/* the baseline's plan: no candidate */
	RvdBelief	belief[ARMS];
	RvdLatency	ratio[ARMS];
	RvdLatency	baseline;
	bool		rejected[ARMS];
	int			cuts[ARMS];
	int			best;
	int			trying;
	int			runs;
} Template;

typedef struct Simulation
{
	double		mean;			/* of the arms' true ln ratios */
	double		prediction_sd;	/* of the prior that is given; 0: none */
	double		always;			/* total of the baseline */
	double		total;
	double		worst_excess;	/* largest total - (1 + limit) always */
	double		executed;
	double		saved;
	double		regret;
	int			slower;			/* templates left 5 % worse */
} Simulation;

static double
noisy(double ms)
{
	return ms * exp(NOISE * rvd_rng_normal(&rng));
}

static void
make_template(Template *t, const Simulation *s)
{
	memset(t, 0, sizeof(*t));
	t->base = 100 * exp(rvd_rng_normal(&rng));
	for (int a = 0; a < ARMS; a++)
	{
		t->same[a] = a == 0 || rvd_rng_uniform(&rng) < 0.3;
		t->y[a] = t->same[a] ? 0 : s->mean + 0.7 * rvd_rng_normal(&rng);
		rvd_belief_init(&t->belief[a], 0);
		if (s->prediction_sd > 0)
			rvd_belief_observe(&t->belief[a], t->y[a] + s->prediction_sd *
							   rvd_rng_normal(&rng),
							   s->prediction_sd * s->prediction_sd);
	}
}

/* A trial of arm a; returns what it cost, and whether it finished. */
static double
try_arm(Template *t, Simulation *s, int a, double share, bool *won)
{
	double		expected = rvd_latency_typical(&t->baseline);
	double		reference = expected * (t->best ? exp(t->ratio[t->best].mean) : 1);
	double		ms = noisy(t->base * exp(t->y[a]));
	double		budget = rvd_guard_budget(reference, 1, share, 0.5 *
										  rvd_guard_allowance(LIMIT, s->executed,
															  s->saved, s->regret));
	RvdVerdict	v;

	*won = false;
	if (budget <= 0)
		return 0;
	if (ms > budget)
	{
		rvd_belief_censor(&t->belief[a], log(budget / expected));
		t->rejected[a] = ++t->cuts[a] >= 2 || budget >= 0.6 * reference;
		s->regret += budget;
		return budget;
	}
	*won = true;
	rvd_latency_add(&t->ratio[a], ms / expected);
	v = rvd_guard_judge(&t->ratio[a], t->best ? &t->ratio[t->best] : NULL,
						t->baseline.n, rvd_latency_variance(&t->baseline));
	t->trying = v == RVD_UNDECIDED ? a : 0;
	if (v == RVD_PROMOTE)
		t->best = a;
	else if (v == RVD_REJECT)
		t->rejected[a] = true;
	return ms;
}

/* One execution, as explore.c and executor.c go about it. */
static void
execute(Template *t, Simulation *s)
{
	double		spent = 0;
	double		ms;
	bool		won = false;
	RvdStake	stakes[3];
	int			n = 0;
	double		expected = rvd_latency_typical(&t->baseline);
	RvdBelief	open[ARMS];
	int			arms[ARMS];
	int			n_open = 0;
	double		reference = t->best ? t->ratio[t->best].mean : 0;

	t->runs++;
	s->always += t->base * exp(0.5 * NOISE * NOISE);
	if (t->baseline.n >= 2 && t->trying)
		spent += try_arm(t, s, t->trying, 1.0, &won);
	else if (t->baseline.n >= 2)
	{
		for (int a = 1; a < ARMS; a++)
			if (!t->same[a] && !t->rejected[a] && a != t->best)
			{
				arms[n_open] = a;
				open[n_open++] = t->belief[a];
			}
		n = rvd_choice_stake(open, n_open, reference, fmax(16, t->runs), &rng, stakes, 3);
		for (int i = 0; i < n && !won; i++)
			spent += try_arm(t, s, arms[stakes[i].index], stakes[i].share, &won);
	}
	if (!won)
	{
		ms = noisy(t->base * exp(t->y[t->best]));
		if (t->best == 0)
			rvd_latency_add(&t->baseline, ms);
		else
			rvd_latency_add(&t->ratio[t->best], ms / expected);
		spent += ms;
	}
	else
		ms = spent;
	s->total += spent;
	s->executed += expected > 0 ? expected : ms;
	if (expected > 0 && (won || t->best))
	{
		if (ms < expected)
			s->saved += expected - ms;
		else
			s->regret += ms - expected;
	}
	/* noise of single runs is not what is limited */
	s->worst_excess = fmax(s->worst_excess, s->total - (1 + LIMIT) * s->always);
}

static void
simulate(Simulation *s, int runs)
{
	Template   *t = calloc(TEMPLATES, sizeof(Template));

	for (int i = 0; i < TEMPLATES; i++)
		make_template(&t[i], s);
	for (int r = 0; r < runs * TEMPLATES; r++)
		execute(&t[rvd_rng_below(&rng, TEMPLATES)], s);
	for (int i = 0; i < TEMPLATES; i++)
		s->slower += t[i].y[t[i].best] > log(1.05);
	free(t);
}

/* Table of algorithms 2.4: 0.83 after 10 runs each, 0.75 after 50. */
static void
learning_pays_off(void **state)
{
	Simulation	ten = {.mean = 0.35, .prediction_sd = 0.5};
	Simulation	fifty = {.mean = 0.35, .prediction_sd = 0.5};
	Simulation	blind = {.mean = 0.35};

	simulate(&ten, 10);
	simulate(&fifty, 50);
	simulate(&blind, 50);
	assert_true(ten.total < 0.90 * ten.always);
	assert_true(fifty.total < 0.80 * fifty.always);
	assert_true(blind.total < 0.90 * blind.always);
	assert_true(fifty.slower <= TEMPLATES * 2 / 100);
}

/* T2.4, T2.5: whatever the arms are like, the bound holds. */
static void
hostile_arms_stay_within_the_limit(void **state)
{
	for (int i = 0; i < 10; i++)
	{
		Simulation	s = {.mean = 0.2 + 0.3 * i, .prediction_sd = i % 2 ? 0.5 : 0};

		simulate(&s, 20);
		/* a hundredth for noise: what is expected is known from a few runs */
		assert_true(s.total <= (1.01 + LIMIT) * s.always);
		/* on the way, noise of the few runs there are aside */
		assert_true(s.worst_excess < 0.01 * s.always);
	}
}

/* T2.8 */
static void
the_same_seed_does_the_same(void **state)
{
	Simulation	a = {.mean = 0.35, .prediction_sd = 0.5};
	Simulation	b = a;

	rvd_rng_init(&rng, RVD_RNG_TEST, 5);
	simulate(&a, 5);
	rvd_rng_init(&rng, RVD_RNG_TEST, 5);
	simulate(&b, 5);
	assert_true(a.total == b.total && a.regret == b.regret);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(observations_combine_by_precision),
		cmocka_unit_test(wrong_estimates_promise_gain),
		cmocka_unit_test(losses_of_others_discourage),
		cmocka_unit_test(nonsense_is_ignored),
		cmocka_unit_test(censored_mean_is_the_integral),
		cmocka_unit_test(draws_lie_beyond_the_bound),
		cmocka_unit_test(probability_below),
		cmocka_unit_test(records_of_arms),
		cmocka_unit_test(better_ones_go_first),
		cmocka_unit_test(what_does_not_promise_is_not_tried),
		cmocka_unit_test(share_has_the_best_balance),
		cmocka_unit_test(no_more_than_the_reference_is_staked),
		cmocka_unit_test(learning_pays_off),
		cmocka_unit_test(hostile_arms_stay_within_the_limit),
		cmocka_unit_test(the_same_seed_does_the_same),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
