/*-------------------------------------------------------------------------
 *
 * neural.h
 *	  What the neural core keeps in shared memory, per database.  Layer 2.
 *
 * A database slot that has a trajectory ring has a neural area as well, as far
 * as the memory goes (rvd_my_neural() may be NULL):
 *	 snapshots	two of {latency model, bank}.  Readers read the current one in
 *				place under its lock held shared; the learner fills the other
 *				and swaps under the lock held exclusively for microseconds.
 *	 attention	learned weights, selector, mixture and traces of the kernels
 *	 memory		BTSP: from codes to ids of RVD_MEMORIES
 * Each has a lock of its own; hooks try it and go without when it is not to
 * be had, so no statement ever waits.  At most one is held at a time, and
 * nothing that can raise an error is called meanwhile.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_NEURAL_H
#define RVD_NEURAL_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "port/atomics.h"

#include "ruvector_dag/attention.h"
#include "ruvector_dag/bank.h"
#include "ruvector_dag/btsp.h"
#include "ruvector_dag/latency_model.h"
#include "ruvector_dag/selector.h"
#include "ruvector_dag/store.h"

#define RVD_BANK_CAPACITY	1000

/* ---- model and bank ------------------------------------------------------ */

/* One block of rvd_snapshot_size() bytes; the bank has RVD_BANK_CAPACITY. */
typedef struct RvdSnapshot
{
	TimestampTz published_at;
	uint64		cycle;			/* number of the cycle that made it; 0: none */
	uint64		next_pattern;	/* id of the next pattern */
	RvdLatencyModel model;
	RvdBank		bank;			/* must be last: its patterns follow */
} RvdSnapshot;

typedef struct RvdNeural RvdNeural;

extern Size rvd_snapshot_size(void);

/* Area of this process's database, NULL: none. */
extern RvdNeural *rvd_my_neural(void);
extern RvdNeural *rvd_database_neural(RvdDatabase *db);

/*
 * Forget what was learned: a new model, cold weights and, unless they are to
 * be kept, bank and memory empty.  The snapshot's cycle is 0 then.  Waits.
 */
extern void rvd_neural_forget(RvdNeural *n, Oid database,
							  bool keep_patterns);

/*
 * The current snapshot, locked; NULL if wait is false and the lock is not to
 * be had.  Exclusive: to change it in place (flush of a micro adapter).
 */
extern RvdSnapshot *rvd_snapshot_lock(RvdNeural *n, bool exclusive, bool wait);
extern void rvd_snapshot_release(RvdNeural *n);

/* Copy *s into the snapshot not in use, and swap.  The learner alone. */
extern void rvd_snapshot_publish(RvdNeural *n, const RvdSnapshot *s);

/* ---- kernels --------------------------------------------------------------- */

#define RVD_TRACE_SLOTS		1024

typedef struct RvdTraceSlot
{
	uint64		key;			/* rvd_trace_slot(); 0: free */
	RvdTrace	trace;
} RvdTraceSlot;

typedef struct RvdAttentionState
{
	RvdAttentionWeights weights[RVD_NUM_KERNELS];
	RvdSelector selector;		/* all classes: what a new class starts from */
	RvdMixture	mixture;
	uint64		timed_runs;
	bool		dirty;			/* changed since last persisted */
	bool		loaded;			/* what was persisted has been read */
	RvdTraceSlot traces[RVD_TRACE_SLOTS];	/* direct-mapped, not persisted */
} RvdAttentionState;

extern RvdAttentionState *rvd_attention_state_lock(RvdNeural *n,
												   bool exclusive, bool wait);
extern void rvd_attention_state_release(RvdNeural *n);

/* The slot of a key, NULL if it holds another; claim: take it over then. */
extern RvdTraceSlot *rvd_attention_state_trace(RvdAttentionState *s,
											   uint64 key, bool claim);

/* ---- memory ------------------------------------------------------------------ */

extern RvdBtsp *rvd_btsp_lock(RvdNeural *n, bool exclusive, bool wait);
extern void rvd_btsp_release(RvdNeural *n);

/* ---- what the last cycle did, for those who ask ------------------------------ */

/* Fewer complete executions than this are left for a later cycle. */
#define RVD_CYCLE_MIN_TRAJECTORIES	50

typedef enum RvdCycleStep
{
	RVD_STEP_DRAIN = 0,			/* trajectories from ring to table */
	RVD_STEP_CLUSTER,
	RVD_STEP_PATTERNS,
	RVD_STEP_EWC,				/* Fisher, boundaries, constraint */
	RVD_STEP_TRAIN,				/* base LoRA */
	RVD_STEP_PUBLISH,			/* consolidate, swap, persist */
	RVD_CYCLE_STEPS
} RvdCycleStep;

typedef struct RvdCycleReport
{
	uint64		cycles;			/* that trained */
	int64		trajectories;	/* in the last one */
	int64		replayed;
	bool		skipped;		/* too few: nothing was lost */
	int64		waiting;		/* trajectories not trained on yet */
	int32		clusters;
	int32		patterns;		/* in the bank after it */
	int32		merged;
	double		step_ms[RVD_CYCLE_STEPS];
	double		workload_distance;	/* of this cycle's bundle to the last one's */
	uint32		ewc_tasks;
	RvdTrainReport train;
} RvdCycleReport;

extern void rvd_cycle_report_set(RvdNeural *n, const RvdCycleReport *r);
extern void rvd_cycle_report_get(RvdNeural *n, RvdCycleReport *r);

/* ---- latency of our own operations --------------------------------------------- */

/* Rows of the table of targets in the design; append only. */
typedef enum RvdOperation
{
	RVD_TIME_LOOKUP = 0,		/* class lookup of a statement not steered */
	RVD_TIME_EMBED,				/* plan -> Dag -> embedding, cache miss */
	RVD_TIME_ATTENTION,			/* one kernel on one plan */
	RVD_TIME_MATCH,				/* top five patterns */
	RVD_TIME_PREDICT,			/* latency model */
	RVD_TIME_ENCODE,			/* hyperdimensional code */
	RVD_TIME_RECALL,			/* BTSP */
	RVD_TIME_RECORD,			/* trajectory into the ring */
	RVD_TIME_INSTANT,			/* whole instant loop after a run */
	RVD_TIME_TIMED,				/* the further work after a timed run */
	RVD_TIME_MINCUT,
	RVD_TIME_CYCLE,				/* background cycle */
	RVD_NUM_OPERATIONS
} RvdOperation;

extern const char *rvd_operation_name(RvdOperation op);

/* Target in us (the ceiling of the design); 0: none. */
extern double rvd_operation_target_us(RvdOperation op);

/* Whole cluster; lock-free.  us is rounded to a bucket (1/8 of an octave). */
extern void rvd_operation_add(RvdOperation op, double us);

typedef struct RvdOperationStats
{
	uint64		calls;
	double		p50_us;
	double		p95_us;
	double		p99_us;
	double		max_us;
} RvdOperationStats;

extern void rvd_operation_stats(RvdOperation op, RvdOperationStats *s);

#endif							/* RVD_NEURAL_H */
