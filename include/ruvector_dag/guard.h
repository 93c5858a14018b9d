/*-------------------------------------------------------------------------
 *
 * guard.h
 *	  Judging plans by what they cost: promote, reject, demote, budgets.
 *	  Layer 1, pure.
 *
 * A plan is judged by its log ratios to the expected baseline time, never by
 * absolute times, so that instances of different size compare.  The account
 * is that of a conservative bandit (Wu et al., "Conservative Bandits", ICML
 * 2016): what exploration may cost is a share of the baseline time executed
 * so far plus what steering has saved, less what exploration has cost.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_GUARD_H
#define RVD_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "ruvector_dag/stats.h"

typedef enum RvdVerdict
{
	RVD_UNDECIDED = 0,
	RVD_PROMOTE,
	RVD_REJECT
} RvdVerdict;

/* Why a plan has its role; persisted, append only. */
typedef enum RvdReason
{
	RVD_REASON_NONE = 0,
	RVD_REASON_STOCK,			/* what the server chooses by itself */
	RVD_REASON_PROPOSED,		/* learned rows lead to it; not decided yet */
	RVD_REASON_FASTER,			/* faster than the reference beyond noise */
	RVD_REASON_NO_GAIN,			/* finished, but not faster */
	RVD_REASON_ABANDONED,		/* did not finish within its budget */
	RVD_REASON_DEMOTED,			/* was proven, then turned slow */
	RVD_REASON_LOST,			/* its configuration no longer makes it */
	RVD_REASON_FAILED,			/* raised an error under trial */
	RVD_REASON_SUPERSEDED,		/* a faster plan took its place */
	RVD_REASON_CUT,				/* stopped early; may be tried for longer */
	RVD_REASON_HELD,			/* kept after the server changed its plan */
	RVD_REASON_WORLD,			/* statistics, indexes or settings changed */
	RVD_REASON_PINNED			/* by an administrator; of no plan's own role */
#define RVD_REASON_LAST RVD_REASON_PINNED
} RvdReason;

extern const char *rvd_reason_text(int reason);

/*
 * Half the width of an interval on the mean of n observations with that
 * variance which holds at all n at once, with error alpha: a normal mixture
 * (Robbins, Ann. Math. Stat. 1970; Howard et al., Ann. Stat. 2021), tuned to
 * few observations.  So a verdict may be asked for after every run.
 */
extern double rvd_guard_halfwidth(uint32_t n, double variance, double alpha);

/* The same in standard errors of the mean, the mixture tuned by rho; n > 0. */
extern double rvd_guard_anytime_z(double n, double rho, double alpha);

/*
 * Compare a candidate with its reference (the baseline, or the best plan so
 * far), both as ratios to the expected baseline time; baseline_runs and
 * baseline_variance (of one run's log time) say how sure that expectation
 * is.  Promotes when the anytime-valid interval (alpha 0.05) excludes a gain
 * below 5 %, rejects when the mean shows no such gain, and after six runs
 * asks for 1.5 standard errors only, so that a decision is reached.
 */
extern RvdVerdict rvd_guard_judge(const RvdLatency *candidate,
								  const RvdLatency *reference,
								  uint32_t baseline_runs,
								  double baseline_variance);

/*
 * A steered run took ms where the baseline was expected to take expected_ms:
 * 0 fine, 1 slow (two in a row demote), 2 so slow that one suffices.
 */
extern int	rvd_guard_slow(double ms, double expected_ms);

/*
 * Budget in ms for a trial whose reference is expected to take reference_ms;
 * 0: not now.  trial_budget: setting, multiple of that time; share: of this
 * that the trial may have (choice.h).  allowance_ms: what the account still
 * allows; a trial that could not have most of its share is not worth it.
 */
extern double rvd_guard_budget(double reference_ms, double trial_budget,
							   double share, double allowance_ms);

/* limit: share of executed time that abandoned trials may cost. */
extern double rvd_guard_allowance(double limit, double executed,
								  double saved, double regret);

#endif							/* RVD_GUARD_H */
