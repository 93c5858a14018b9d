/*-------------------------------------------------------------------------
 *
 * latency_model.h
 *	  How long will this plan take?  Layer 1, pure.
 *
 *	 ln ms = line(ln cost) + o_0,   o = W x + base(x) + micro(z)
 * x (RVD_MODEL_IN = 272) is the plan's embedding times 16 (so that its
 * squared norm is 256) followed by the plan features; z (64) is a fixed
 * projection of the embedding to 48, scaled alike, followed by the plan
 * features.  The line is a regression of ln ms on ln cost: the cost model,
 * calibrated.  It takes samples until its slope is known and then stays, so
 * that a new workload does not move the answers for others.  Outputs:
 *	   0		correction of ln ms
 *	   1 .. 12	ln(self time / calibrated self cost) by RvdCostClass
 *	  13 .. 15	ln(true / estimated rows) of scans, joins, aggregates
 * The base (rank 8) is trained in the background with EWC; the micro adapter
 * (rank 1 - 2) after every query.
 *
 * The model is one block without pointers, so that a snapshot is a copy.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_LATENCY_MODEL_H
#define RVD_LATENCY_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "ruvector_dag/drift.h"
#include "ruvector_dag/embedding.h"
#include "ruvector_dag/ewc.h"
#include "ruvector_dag/features.h"
#include "ruvector_dag/lora.h"
#include "ruvector_dag/stats.h"

#define RVD_MODEL_IN		(RVD_EMBEDDING_DIM + RVD_PLAN_FEATURES)
#define RVD_MODEL_MICRO_IN	64
#define RVD_MODEL_OUT		16
#define RVD_MODEL_BASE_RANK	16		/* room; base_rank says how many */
#define RVD_MODEL_MICRO_RANK 2

#define RVD_OUT_LATENCY		0
#define RVD_OUT_COST		1
#define RVD_OUT_ROWS_SCAN	13
#define RVD_OUT_ROWS_JOIN	14
#define RVD_OUT_ROWS_AGG	15

/* Parameters under EWC: both factors of the base adapter. */
#define RVD_MODEL_BASE_SIZE	(RVD_MODEL_BASE_RANK * (RVD_MODEL_IN + RVD_MODEL_OUT))

typedef struct RvdMicro
{
	int32_t		rank;			/* 1 or 2; 0: off */
	uint32_t	samples;		/* since it was zero */
	float		a[RVD_MODEL_MICRO_RANK * RVD_MODEL_MICRO_IN];
	float		b[RVD_MODEL_OUT * RVD_MODEL_MICRO_RANK];
} RvdMicro;

typedef struct RvdLatencyModel
{
	int32_t		version;		/* of the layout; RVD_MODEL_VERSION */
	int32_t		base_rank;		/* 4 .. 16; 0: base off */
	uint64_t	samples;		/* trained on, all cycles */
	RvdLine		line;			/* ln ms on ln cost */
	float		w[RVD_MODEL_OUT * RVD_MODEL_IN];
	float		base_a[RVD_MODEL_BASE_RANK * RVD_MODEL_IN];
	float		base_b[RVD_MODEL_OUT * RVD_MODEL_BASE_RANK];
	float		variance[RVD_MODEL_OUT];	/* of residuals, by output */
	uint64_t	seen[RVD_MODEL_OUT];	/* targets seen, by output */
	/* (sum z z^T + I)^-1: how unlike everything seen a plan is */
	float		precision[RVD_MODEL_MICRO_IN * RVD_MODEL_MICRO_IN];
	RvdMicro	micro;			/* what was flushed and not yet absorbed */
} RvdLatencyModel;

#define RVD_MODEL_VERSION	1

typedef struct RvdModelInput
{
	double		log_cost;		/* ln max(total cost, 1) */
	float		x[RVD_MODEL_IN];
	float		z[RVD_MODEL_MICRO_IN];
} RvdModelInput;

typedef struct RvdPrediction
{
	bool		known;			/* false: nothing was learned yet */
	double		log_ms;
	double		sd;				/* of log_ms, with novelty of the plan */
	float		out[RVD_MODEL_OUT]; /* outputs as above, 0 until learned */
} RvdPrediction;

/*
 * What one execution says; NaN in target: not observed.  A target beyond +-50
 * ln units is no time or ratio of rows and counts as not observed; a sample
 * whose input is not finite, or absurd, is passed over.
 */
typedef struct RvdModelSample
{
	RvdModelInput input;
	float		target[RVD_MODEL_OUT];	/* [0]: ln ms, not the correction */
} RvdModelSample;

extern void rvd_model_init(RvdLatencyModel *m, int base_rank, int micro_rank,
						   uint64_t seed);
extern void rvd_model_input(RvdModelInput *in, const float *embedding,
							const float *plan_features, double total_cost);

/*
 * micro: the calling process's own not yet flushed adapter, NULL: none.
 * O(8 * 272 + 64 * 64).
 */
extern void rvd_model_predict(const RvdLatencyModel *m, const RvdMicro *micro,
							  const RvdModelInput *in, RvdPrediction *p);

/*
 * The instant step, after one execution: trains micro (on the input z)
 * against the error of the model, its own flushed adapter and micro together.
 * rate: upper limit of the step.  RVD_ERR_EMPTY as long as the model was
 * never trained (there is no line to be off from); RVD_ERR_ARGUMENT if the
 * sample says nothing; neither changes micro.
 */
extern RvdStatus rvd_micro_learn(RvdMicro *micro, const RvdLatencyModel *m,
								 const RvdModelSample *s, double rate);

/*
 * Fold a flushed adapter into the shared one: the products add up and are
 * recompressed.  Nothing happens if either is off or not finite.
 */
extern void rvd_micro_fold(RvdMicro *shared, const RvdMicro *flushed);
extern void rvd_micro_reset(RvdMicro *micro, int rank, uint64_t seed);

/* ---- background training -------------------------------------------------- */

/* All zero before the first cycle. */
typedef struct RvdTrainer
{
	float		fisher[RVD_MODEL_BASE_SIZE];
	float		consolidated[RVD_MODEL_BASE_SIZE];
	float		anchor[RVD_MODEL_BASE_SIZE];
	uint64_t	ewc_samples;
	uint64_t	ewc_consolidated;
	uint32_t	ewc_tasks;
	RvdBoundary boundary;
	float		scratch[RVD_MODEL_BASE_SIZE];	/* of one call, not state */
} RvdTrainer;

#define RVD_MAX_BATCH		64

typedef struct RvdTrainOptions
{
	double		rate;			/* base step, 0.001; up to 10x while far off */
	int			epochs;			/* 8 */
	int			batch;			/* 32; at most RVD_MAX_BATCH */
	bool		ewc;			/* false: no penalty (bench) */
	double		lambda_min;
	double		lambda_max;
	double		fisher_decay;
	uint64_t	seed;
} RvdTrainOptions;

typedef struct RvdTrainReport
{
	double		loss_before;	/* mean squared error of ln ms, this data */
	double		loss_after;
	double		lambda;
	double		absorbed;		/* |micro| taken into the base */
	double		lost;			/* energy dropped by recompression */
	uint32_t	boundaries;
	bool		constrained;	/* the divergence budget was hit */
} RvdTrainReport;

/*
 * One cycle: task boundaries, absorption of the micro adapter, line,
 * mini-batches over the samples with the EWC step, residual variances and
 * precision.  The first n_new samples are new and in the order in which they
 * happened; the rest are replayed.  Only new ones count for boundaries, line,
 * Fisher and precision.
 *
 * RVD_ERR_EMPTY: no sample is of use, nothing has changed; RVD_ERR_STATE: the
 * result is not finite.  Either everything is updated or, on error, nothing
 * the caller passed must be used.  O(epochs * n * 3 * 8 * 288).
 */
extern RvdStatus rvd_model_train(RvdLatencyModel *m, RvdTrainer *t,
								 const RvdModelSample *samples, int n,
								 int n_new, const RvdTrainOptions *options,
								 RvdTrainReport *report);

/*
 * A task has ended, by what the caller knows of the workload: hold on to what
 * m has learned.  False, and nothing changed: no evidence since the last time.
 */
extern bool rvd_trainer_consolidate(RvdTrainer *t, const RvdLatencyModel *m,
									double fisher_decay);

#endif							/* RVD_LATENCY_MODEL_H */
