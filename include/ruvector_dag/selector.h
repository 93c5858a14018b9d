/*-------------------------------------------------------------------------
 *
 * selector.h
 *	  Which attention kernel a query class uses: a bandit.  Layer 1, pure.
 *
 * UCB1 (Auer, Cesa-Bianchi and Fischer 2002) with uniform exploration; the
 * reward is the overlap of a kernel's weights, computed before execution,
 * with the measured share of self time, in [0, 1]; never the time a query
 * took, which a kernel cannot influence.  After a timed run every kernel can
 * be scored, so all are told.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_SELECTOR_H
#define RVD_SELECTOR_H

#include <stdint.h>

#include "ruvector_dag/attention.h"
#include "ruvector_dag/rng.h"

typedef struct RvdSelector
{
	uint32_t	n[RVD_NUM_ATTENTIONS];
	float		mean[RVD_NUM_ATTENTIONS];	/* of the rewards */
} RvdSelector;

/*
 * Arm by UCB1 with constant c; with probability epsilon any arm, uniformly.
 * Arms never tried come first, in order.  *propensity (may be NULL): the
 * probability with which the arm was chosen.
 */
extern int	rvd_selector_choose(const RvdSelector *s, double c,
								double epsilon, RvdRng *rng,
								double *propensity);

/* The arm with the best mean among those tried; -1 if none was. */
extern int	rvd_selector_best(const RvdSelector *s);

/* reward outside [0, 1] or NaN: ignored. */
extern void rvd_selector_reward(RvdSelector *s, int arm, double reward);

/*
 * Fade all counts: n and with it certainty times gamma in (0, 1), rounded,
 * to no less than 1; other gammas do nothing.  Meant for a changed workload;
 * gamma near 1 cannot fade counts below 1 / (2 - 2 gamma).
 */
extern void rvd_selector_discount(RvdSelector *s, double gamma);

/*
 * How good a run was against its class's reference: 0.5 - 0.5 ln(ms /
 * reference) / ln 4, clipped to [0, 1]: equal 0.5, four times faster 1.
 * NaN if either is not positive and finite.
 */
extern double rvd_quality(double ms, double reference_ms);

#endif							/* RVD_SELECTOR_H */
