/*-------------------------------------------------------------------------
 *
 * ewc.h
 *	  Not forgetting: elastic weight consolidation with an online Fisher.
 *	  Layer 1, pure.
 *
 * EWC++ (Kirkpatrick et al. 2017; Schwarz et al. 2018; Chaudhry et al.
 * 2018): the diagonal Fisher is a moving average during training, copied
 * into the consolidated one at a task boundary; the penalty is
 * lambda / 2 sum F_i (theta_i - anchor_i)^2, applied by a proximal
 * (semi-implicit) step, which is stable for any lambda.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_EWC_H
#define RVD_EWC_H

#include <stdbool.h>
#include <stdint.h>

#include "ruvector_dag/status.h"

/* A view over arrays of n of the caller's. */
typedef struct RvdEwc
{
	int			n;
	float	   *fisher;			/* running, not bias-corrected */
	float	   *consolidated;	/* F~ of former tasks */
	float	   *anchor;			/* theta* */
	uint64_t	samples;		/* seen by the running average */
	uint64_t	consolidated_samples;
	uint32_t	tasks;			/* consolidated so far; 0: no penalty */
} RvdEwc;

/* F <- decay F + (1 - decay) j^2; j[n]: d output / d theta / sd. */
extern void rvd_ewc_observe(RvdEwc *e, const float *jacobian, double decay);

/* The running average without its bias: F / (1 - decay^samples). */
extern double rvd_ewc_fisher(const RvdEwc *e, int i, double decay);

/* Boundary: F~ <- 0.9 F~ + F^; anchor <- theta; the running average ends. */
extern void rvd_ewc_consolidate(RvdEwc *e, const float *theta, double decay);

/*
 * clamp(consolidated samples / batch, lambda_min, lambda_max): the evidence
 * behind F~ against that of a batch.
 */
extern double rvd_ewc_lambda(const RvdEwc *e, uint64_t batch,
							 double lambda_min, double lambda_max);

/*
 * theta <- (theta - rate g + rate lambda F~ anchor) / (1 + rate lambda F~).
 * Elements whose gradient is not finite stay.
 */
extern void rvd_ewc_step(const RvdEwc *e, float *theta, const float *gradient,
						 double rate, double lambda);

/* 1/2 sum F~ (theta - anchor)^2: the divergence from what was, in nats. */
extern double rvd_ewc_divergence(const RvdEwc *e, const float *theta);

/*
 * Move theta as a whole towards the anchor, so that the divergence is at most
 * budget nats.  True if it had to.
 */
extern bool rvd_ewc_constrain(const RvdEwc *e, float *theta, double budget);

#endif							/* RVD_EWC_H */
