/*-------------------------------------------------------------------------
 *
 * selector.c
 *	  UCB1 over attention kernels, and the quality of a run.  See selector.h.
 *
 * The number of pulls t is the sum of the counts, so that fading the counts
 * fades the confidence in all means alike.  Ties go to the lowest arm.
 *
 * The caller's memory; no state.  Auer, Cesa-Bianchi, Fischer, "Finite-time
 * analysis of the multiarmed bandit problem" (2002).  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/selector.h"

#include <math.h>
#include <stddef.h>

/* A run this many times faster than its reference is as good as can be. */
#define BEST_RATIO	4.0

/* The arm UCB1 wants: the first untried one, or that of the largest index. */
static int
greedy_arm(const RvdSelector *s, double c)
{
	double		pulls = 0;
	double		best_index = -1;
	int			best = 0;

	for (int arm = 0; arm < RVD_NUM_ATTENTIONS; arm++)
	{
		if (s->n[arm] == 0)
			return arm;
		pulls += s->n[arm];
	}
	for (int arm = 0; arm < RVD_NUM_ATTENTIONS; arm++)
	{
		double		index = s->mean[arm] + c * sqrt(log(pulls) / s->n[arm]);

		if (index > best_index)
		{
			best_index = index;
			best = arm;
		}
	}
	return best;
}

/* NaN and what is below 0 count as 0. */
int
rvd_selector_choose(const RvdSelector *s, double c, double epsilon,
					RvdRng *rng, double *propensity)
{
	int			greedy = greedy_arm(s, c > 0 ? c : 0);
	int			arm = greedy;

	if (!(epsilon > 0))
		epsilon = 0;
	if (epsilon > 1)
		epsilon = 1;
	if (epsilon > 0 && rvd_rng_uniform(rng) < epsilon)
		arm = (int) rvd_rng_below(rng, RVD_NUM_ATTENTIONS);
	if (propensity != NULL)
		*propensity = epsilon / RVD_NUM_ATTENTIONS +
			(arm == greedy ? 1 - epsilon : 0);
	return arm;
}

int
rvd_selector_best(const RvdSelector *s)
{
	int			best = -1;

	for (int arm = 0; arm < RVD_NUM_ATTENTIONS; arm++)
		if (s->n[arm] > 0 && (best < 0 || s->mean[arm] > s->mean[best]))
			best = arm;
	return best;
}

void
rvd_selector_reward(RvdSelector *s, int arm, double reward)
{
	if (arm < 0 || arm >= RVD_NUM_ATTENTIONS)
		return;
	if (!(reward >= 0 && reward <= 1))
		return;
	if (s->n[arm] < UINT32_MAX)
		s->n[arm]++;
	s->mean[arm] += (float) ((reward - s->mean[arm]) / s->n[arm]);
}

/* Rounded, but never to 0: what an arm is worth is not forgotten. */
void
rvd_selector_discount(RvdSelector *s, double gamma)
{
	if (!(gamma > 0 && gamma < 1))
		return;
	for (int arm = 0; arm < RVD_NUM_ATTENTIONS; arm++)
	{
		double		n = floor(s->n[arm] * gamma + 0.5);

		if (s->n[arm] > 0)
			s->n[arm] = n > 1 ? (uint32_t) n : 1;
	}
}

double
rvd_quality(double ms, double reference_ms)
{
	double		quality;

	if (!(ms > 0 && isfinite(ms) && reference_ms > 0 &&
		  isfinite(reference_ms)))
		return NAN;
	quality = 0.5 - 0.5 * (log(ms) - log(reference_ms)) / log(BEST_RATIO);
	if (quality < 0)
		return 0;
	return quality < 1 ? quality : 1;
}
