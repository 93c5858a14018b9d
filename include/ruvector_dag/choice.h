/*-------------------------------------------------------------------------
 *
 * choice.h
 *	  Which candidate to try, and for how long.  Layer 1, pure.
 *
 * What is believed of a candidate is a normal distribution of y = ln(time
 * under it / expected time of the baseline), possibly cut off from below by
 * trials that were abandoned ("slower than that").  Evidence is added with
 * its own variance: the latency model's prediction, what the arm did for
 * siblings of the class, for the database, for the nearest pattern.
 * Candidates are ordered by Thompson sampling (Thompson, Biometrika 1933),
 * the conservative constraint (Wu et al., "Conservative Bandits", ICML 2016)
 * is the account's: guard.h.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_CHOICE_H
#define RVD_CHOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "ruvector_dag/rng.h"

typedef struct RvdBelief
{
	double		mean;
	double		variance;
	double		bound;			/* y is larger than this; -INFINITY: unknown */
} RvdBelief;

/*
 * Planner settings usually hurt: mean 0.35, sd 1 (ratio 1.4, 0.2 .. 10), with
 * a share of very large gains.  corrected: largest |ln(learned / estimated)|
 * among the row counts the plan was made with, 0: by the estimates.
 */
extern void rvd_belief_init(RvdBelief *b, double corrected);

/*
 * An observation of y with that variance of error; variance <= 0 or a value
 * that is not finite is ignored.  O(1).
 */
extern void rvd_belief_observe(RvdBelief *b, double y, double variance);

/* y is at least this: a trial that was cut there. */
extern void rvd_belief_censor(RvdBelief *b, double y);

/* So many other candidates for the same instance were found to be slower. */
extern void rvd_belief_discourage(RvdBelief *b, uint32_t lost);

/*
 * E[y | y > bound], by the inverse Mills ratio (Tobin 1958); without a bound
 * the mean.
 */
extern double rvd_belief_mean(const RvdBelief *b);

/* A draw from it, beyond the bound. */
extern double rvd_belief_draw(const RvdBelief *b, RvdRng *rng);

/* P(y < limit | y > bound). */
extern double rvd_belief_below(const RvdBelief *b, double limit);

/*
 * What arms did: outcomes y of one arm, mean and number; a trial that was
 * cut counts with its bound and a half.
 */
typedef struct RvdArmRecord
{
	uint32_t	n;
	float		mean;
} RvdArmRecord;

/*
 * Forgets slowly: n is capped, so that the last outcomes keep a say.  cut: y
 * is where the trial was stopped.
 */
extern void rvd_arm_record_add(RvdArmRecord *r, double y, bool cut);

/*
 * The arm (1 .. n - 1) of least mean, if that is a gain worth having (below
 * ratio 0.8); 0: none is.
 */
extern uint16_t rvd_arm_record_best(const RvdArmRecord *records, int n);

/*
 * Fold a record in.  spread: standard deviation of y from one instance to
 * another of those the record is of, which no number of outcomes averages
 * out.
 */
#define RVD_SPREAD_CLASS	0.7
#define RVD_SPREAD_DATABASE	1.0
extern void rvd_belief_observe_record(RvdBelief *b, const RvdArmRecord *r,
									  double spread);

/*
 * For how long to try a candidate, as a share of the time of the plan in use
 * (reference: its y): the one with the best balance of what is gained in the
 * next few executions if it finishes and what is lost if it does not.  horizon: how
 * many executions are expected to come, best taken as those there were.  0:
 * no share is worth it.  At most 0.45 the first time, at least half as much
 * again as it was cut at later.  O(1).
 */
extern double rvd_choice_share(const RvdBelief *b, double reference,
							   double horizon);

/* A candidate to be tried, and for how long. */
typedef struct RvdStake
{
	int			index;
	double		share;			/* of the reference's time */
} RvdStake;

/*
 * Of n <= 64 candidates, those that a draw or the mean shows to be better
 * than reference by 5 %, in the order of what that promises per price; most at the most,
 * and no further one once 1.35 times the reference's time is staked.  Returns
 * how many.  O(n * most).
 */
extern int	rvd_choice_stake(const RvdBelief *beliefs, int n,
							 double reference, double horizon,
							 RvdRng *rng, RvdStake *stakes, int most);

#endif							/* RVD_CHOICE_H */
