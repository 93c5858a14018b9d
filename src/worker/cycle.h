/*-------------------------------------------------------------------------
 *
 * cycle.h
 *	  What the steps of a learning cycle share.  Layer 6, private.
 *
 * A cycle works on copies, of the published snapshot and of what the learner
 * keeps from cycle to cycle, in a context of its own: whatever step fails,
 * what is published and persisted is as it was.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_CYCLE_H
#define RVD_CYCLE_H

#include "postgres.h"

#include "ruvector_dag/kmeans.h"
#include "ruvector_dag/neural.h"
#include "ruvector_dag/pattern_extract.h"
#include "learner.h"

/* Patterns nearer than this are one. */
#define RVD_CYCLE_MERGE_THRESHOLD	0.95

/* What a learner keeps from cycle to cycle, besides the snapshot. */
typedef struct RvdCycleState
{
	uint64		cycle;			/* of the snapshot it belongs to */
	int64		last_id;		/* trajectories up to it were trained on */
	bool		has_workload;
	RvdHdc		workload;		/* majority of the last cycle's codes */
	RvdTrainer	trainer;
} RvdCycleState;

typedef struct RvdLearningCycle
{
	RvdLearner *learner;
	RvdNeural  *neural;
	RvdCycleRequest request;	/* zero: nobody asked */
	RvdCycleReport report;
	int64		usable;			/* only counted for a request to extract */
	bool		trains;
	bool		extracts;

	MemoryContext context;		/* of all below */
	RvdSnapshot *next;			/* copy of the published one */
	RvdCycleState *state;		/* copy of the learner's */

	/* cycle_read.c */
	RvdModelSample *samples;	/* new ones first, oldest first */
	int			n_samples;
	int			n_new;
	int64		newest_id;		/* of those new ones */
	uint64	   *keys;			/* [n_new] of their embeddings */
	RvdPatternMember *members;
	float	   *points;			/* [n_members * RVD_EMBEDDING_DIM] */
	int			n_members;

	/* cycle_patterns.c */
	int			k;				/* clusters */
	int32	   *assignment;		/* [n_members] */
} RvdLearningCycle;

/* ---- cycle_read.c; inside a transaction with SPI connected -------------- */

/*
 * How many trajectories wait, and, for a request to extract, how many there
 * are.  Sets waiting in the report, and usable.
 */
extern void rvd_cycle_count(RvdLearningCycle *c);

/* The training set: new ones and as many old ones. */
extern void rvd_cycle_read_samples(RvdLearningCycle *c);

/* Stock plans by instance, from the whole history. */
extern void rvd_cycle_read_members(RvdLearningCycle *c);

/* ---- cycle_evidence.c --------------------------------------------------- */

/* What became of learned plans, and which relations: from shared memory. */
extern void rvd_cycle_find_evidence(RvdLearningCycle *c);

/* ---- cycle_patterns.c: steps -------------------------------------------- */

extern void rvd_cycle_cluster(RvdLearningCycle *c);
extern void rvd_cycle_patterns(RvdLearningCycle *c);

/* ---- cycle_train.c: steps ----------------------------------------------- */

extern void rvd_cycle_workload(RvdLearningCycle *c);
extern void rvd_cycle_train(RvdLearningCycle *c);

/* ---- cycle_blas.c ------------------------------------------------------- */

/* OpenBLAS's product of matrices; NULL where it is not installed. */
extern RvdGemm rvd_cycle_gemm(void);

/* ---- snapshot_save.c ---------------------------------------------------- */

/*
 * Persist model, trainer and (with_patterns) the bank in one transaction,
 * then publish.  False: a table was locked for too long, the extension is
 * gone, or everything was forgotten meanwhile; nothing has changed then.
 */
extern bool rvd_snapshot_save(RvdLearningCycle *c, bool with_patterns);

/* Copies of what is published and kept, for a cycle to work on. */
extern void rvd_snapshot_take(RvdLearningCycle *c);

/* ---- snapshot_load.c ---------------------------------------------------- */

/* The learner's own, for the life of the process. */
extern RvdCycleState *rvd_cycle_state(void);

/* CRC-32C over what a row of dag_model holds. */
extern uint32 rvd_snapshot_checksum(const RvdLatencyModel *model,
									const RvdTrainer *trainer,
									const RvdHdc *workload);

/* ---- snapshot_patterns.c ------------------------------------------------ */

/* All rows into the bank, and next_pattern beyond the largest id. */
extern void rvd_snapshot_read_patterns(RvdSnapshot *s);

/* ---- cycle_answer.c ----------------------------------------------------- */

/* Number of the last request; what it wants goes to c->request. */
extern uint32 rvd_cycle_take_request(RvdLearningCycle *c);

/* Answer all requests up to number wanted. */
extern void rvd_cycle_answer(RvdLearningCycle *c, uint32 wanted, bool ok,
							 double ms);

#endif							/* RVD_CYCLE_H */
