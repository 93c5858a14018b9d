/*-------------------------------------------------------------------------
 *
 * train.h
 *	  The parts of a training cycle.  Layer 1, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_TRAIN_H
#define RVD_TRAIN_H

#include "ruvector_dag/latency_model.h"

/* What the steps of one cycle share. */
typedef struct RvdCycle
{
	RvdLatencyModel *m;
	RvdTrainer *t;
	const RvdModelSample *samples;
	int			n;
	int			n_new;
	int			n_usable;		/* of n */
	const RvdTrainOptions *options;
	RvdTrainReport *report;
	bool		dense;			/* w is not all zero */
	double		pull;			/* lambda against the mean of this cycle */
} RvdCycle;

/* A part [start, start + n) of the parameters under EWC. */
static inline RvdEwc
rvd_trainer_ewc(RvdTrainer *t, int start, int n)
{
	RvdEwc		e = {n, t->fisher + start, t->consolidated + start,
		t->anchor + start, t->ewc_samples, t->ewc_consolidated,
	t->ewc_tasks};

	return e;
}

/* Input sane and at least one target seen. */
extern bool rvd_sample_usable(const RvdModelSample *s);

/* weight[j] of the outputs seen, sum 1; the others' is 0. */
extern void rvd_cycle_weights(const RvdModelSample *s, float *weight);

/*
 * out[j] - target[j] of model without micro, 0 where the target is not seen;
 * weight as above; q[base_rank]: A x, computed on the way.
 */
extern void rvd_cycle_errors(const RvdCycle *c, const RvdModelSample *s,
							 float *error, float *weight, float *q);

/* train_step.c: all epochs. */
extern void rvd_train_epochs(RvdCycle *c);

/* train_absorb.c: the shared micro adapter becomes part of the base. */
extern RvdStatus rvd_train_absorb(RvdCycle *c);

/* train_moments.c */
extern void rvd_train_fisher(RvdCycle *c);
extern void rvd_train_variances(RvdCycle *c);
extern void rvd_train_precision(RvdCycle *c);

#endif							/* RVD_TRAIN_H */
