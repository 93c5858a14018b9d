/*-------------------------------------------------------------------------
 *
 * choice.c
 *	  Which candidate to try, and for how long.  See choice.h.
 *
 * Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/choice.h"

#include <math.h>

#define SQRT_HALF		0.70710678118654752440
#define SQRT_TWO_PI		2.50662827463100050242

#define PRIOR_MEAN		0.35
#define PRIOR_SD		1.0

/*
 * The more wrong the estimates were that a plan rests on (ln, at the worst),
 * the more there is to gain from correcting them.
 */
#define GAIN_PER_ERROR	0.25
#define MOST_ERROR		4.0

/* Gains below this are not worth a trial. */
#define MIN_GAIN		0.95

/* Shares of the reference's time that a trial may get. */
static const double shares[] = {0.15, 0.3, 0.45, 0.6, 0.75, 0.9};

/* A first trial is short: several fit into one run, and big gains show. */
#define FIRST_SHARE		0.45

/* All trials of one run: three first ones. */
#define MAX_STAKED		1.35

/* A second trial must tell more than the first. */
#define AFTER_CUT		1.5

/* A trial that was cut is taken to be slower by this, ln. */
#define BEYOND_BOUND	0.5

/* Where others lost the next one is less likely to win. */
#define PER_LOSS		0.1
#define MOST_LOSS		1.5

#define RECORD_MEMORY	20

/* An arm this good on others of the class is worth a first run. */
#define WORTH_HAVING	0.8

#define DRAWS			32

void
rvd_belief_init(RvdBelief *b, double corrected)
{
	b->mean = PRIOR_MEAN - GAIN_PER_ERROR * fmin(fmax(corrected, 0), MOST_ERROR);
	b->variance = PRIOR_SD * PRIOR_SD;
	b->bound = -INFINITY;
}

void
rvd_belief_observe(RvdBelief *b, double y, double variance)
{
	double		precision;

	if (!(variance > 0) || !isfinite(variance) || !isfinite(y))
		return;
	precision = 1 / b->variance + 1 / variance;
	b->mean = (b->mean / b->variance + y / variance) / precision;
	b->variance = 1 / precision;
}

void
rvd_belief_censor(RvdBelief *b, double y)
{
	if (y > b->bound)
		b->bound = y;
}

/* P(z > x) of a standard normal. */
static double
upper_tail(double x)
{
	return 0.5 * erfc(x * SQRT_HALF);
}

/* phi(x) / P(z > x); by its asymptote where both underflow. */
static double
inverse_mills(double x)
{
	if (x > 8)
		return x + 1 / x;
	return exp(-0.5 * x * x) / SQRT_TWO_PI / upper_tail(x);
}

void
rvd_belief_discourage(RvdBelief *b, uint32_t lost)
{
	b->mean += fmin(PER_LOSS * lost, MOST_LOSS);
}

double
rvd_belief_mean(const RvdBelief *b)
{
	double		sd = sqrt(b->variance);

	if (b->bound == -INFINITY)
		return b->mean;
	return b->mean + sd * inverse_mills((b->bound - b->mean) / sd);
}

double
rvd_belief_draw(const RvdBelief *b, RvdRng *rng)
{
	double		sd = sqrt(b->variance);
	double		y = b->mean;

	for (int i = 0; i < DRAWS; i++)
	{
		y = b->mean + sd * rvd_rng_normal(rng);
		if (y > b->bound)
			return y;
	}
	/* far below the bound the tail is exponential */
	return b->bound - sd * log(1 - rvd_rng_uniform(rng)) /
		fmax((b->bound - b->mean) / sd, 1);
}

double
rvd_belief_below(const RvdBelief *b, double limit)
{
	double		sd = sqrt(b->variance);
	double		beyond = b->bound == -INFINITY ? 1 :
		upper_tail((b->bound - b->mean) / sd);

	if (limit <= b->bound || beyond <= 0)
		return 0;
	return 1 - upper_tail((limit - b->mean) / sd) / beyond;
}

void
rvd_arm_record_add(RvdArmRecord *r, double y, bool cut)
{
	if (!isfinite(y))
		return;
	if (cut)
		y += BEYOND_BOUND;
	if (r->n < RECORD_MEMORY)
		r->n++;
	r->mean += (float) ((y - r->mean) / r->n);
}

uint16_t
rvd_arm_record_best(const RvdArmRecord *records, int n)
{
	int			best = 0;

	for (int i = 1; i < n; i++)
		if (records[i].n > 0 && records[i].mean < log(WORTH_HAVING) &&
			(best == 0 || records[i].mean < records[best].mean))
			best = i;
	return (uint16_t) best;
}

void
rvd_belief_observe_record(RvdBelief *b, const RvdArmRecord *r, double spread)
{
	if (r->n == 0)
		return;
	/* between instances, and of the mean of the few that were seen */
	rvd_belief_observe(b, r->mean, spread * spread * (1 + 1.0 / r->n));
}

/*
 * E[1 - ratio; y < limit] and P(y >= limit) of the ratio to the reference,
 * given y > bound: the log-normal's partial expectation.
 */
static void
split_at(const RvdBelief *b, double reference, double limit,
		 double *gain, double *lost)
{
	double		sd = sqrt(b->variance);
	double		m = b->mean - reference;
	double		low = b->bound - reference;
	double		mass = 1;
	double		below = 0;
	double		below_ratio = 0;
	double		mean_ratio = exp(m + 0.5 * b->variance);

	if (b->bound != -INFINITY)
	{
		mass = upper_tail((low - m) / sd);
		below = 1 - mass;
		below_ratio = mean_ratio * (1 - upper_tail((low - m - b->variance) / sd));
	}
	*gain = 0;
	*lost = 1;
	if (limit <= low || mass < 1e-12)
		return;
	*lost = upper_tail((limit - m) / sd) / mass;
	*gain = ((1 - upper_tail((limit - m) / sd) - below) -
			 (mean_ratio * (1 - upper_tail((limit - m - b->variance) / sd)) -
			  below_ratio)) / mass;
}

double
rvd_choice_share(const RvdBelief *b, double reference, double horizon)
{
	double		best = 0;
	double		best_value = 0;
	double		least = b->bound == -INFINITY ? 0 :
		AFTER_CUT * exp(b->bound - reference);

	for (int i = 0; i < (int) (sizeof(shares) / sizeof(shares[0])); i++)
	{
		double		gain;
		double		lost;
		double		value;

		if (shares[i] < least ||
			(b->bound == -INFINITY && shares[i] > FIRST_SHARE))
			continue;
		split_at(b, reference, log(shares[i]), &gain, &lost);
		value = horizon * gain - shares[i] * lost;
		if (value > best_value)
		{
			best_value = value;
			best = shares[i];
		}
	}
	return best;
}

int
rvd_choice_stake(const RvdBelief *beliefs, int n, double reference,
				 double horizon, RvdRng *rng, RvdStake *stakes, int most)
{
	double		promise[64];
	double		staked = 0;
	int			chosen = 0;

	if (n > 64)
		n = 64;
	for (int i = 0; i < n; i++)
	{
		/* what is believed to gain is tried whatever the draw says */
		double		y = fmin(rvd_belief_draw(&beliefs[i], rng),
							 rvd_belief_mean(&beliefs[i])) - reference;
		double		ratio = exp(y);

		/* gained per time it takes to see it */
		promise[i] = y < log(MIN_GAIN) ? (1 - ratio) / fmax(ratio, 0.02) : -1;
	}
	while (chosen < most)
	{
		int			best = -1;
		double		share;

		for (int i = 0; i < n; i++)
			if (promise[i] > 0 && (best < 0 || promise[i] > promise[best]))
				best = i;
		if (best < 0)
			break;
		promise[best] = -1;
		share = rvd_choice_share(&beliefs[best], reference, horizon);
		if (share <= 0 || (staked > 0 && staked + share > MAX_STAKED))
			continue;
		stakes[chosen].index = best;
		stakes[chosen].share = share;
		staked += share;
		chosen++;
	}
	return chosen;
}
