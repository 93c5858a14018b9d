/*-------------------------------------------------------------------------
 *
 * kernels.h
 *	  What the parts of bench/kernels share: clock, random plans, reporting.
 *
 * Part of a program of its own, linked with the pure layers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_BENCH_KERNELS_H
#define RVD_BENCH_KERNELS_H

#include <stdint.h>

#include "ruvector_dag/attention.h"
#include "ruvector_dag/rng.h"

/* ---- measuring (kernels.c) ---------------------------------------------- */

/* Run the operation once; i counts up from 0 over all calls. */
typedef void (*Operation) (void *arg, int64_t i);

extern double now_us(void);
extern void *get_memory(size_t size);	/* never NULL, 64-byte aligned */
extern double quantile(double *values, int n, double q);	/* sorts */

/*
 * Median over batches of the mean time of a call, in us.  A batch is as many
 * calls as fit 300 us, one at least.
 */
extern double measure(Operation run, void *arg, double seconds);

/* p99 of calls timed one by one, the clock's own cost included. */
extern double measure_p99(Operation run, void *arg, int calls);

/* One line for bench/kernels. */
extern void report(const char *operation, double us);

/* Results end here, so that no call can be left out. */
extern volatile double sink;

/* The status of a call that cannot fail. */
extern void must(RvdStatus status, const char *what);

/* ---- plans (kernels_plans.c) -------------------------------------------- */

typedef enum PlanFamily
{
	PLAN_JOINS = 0,				/* as the planner makes them: a tree */
	PLAN_LEFT_DEEP,				/* joins on a spine, a scan each: a tree */
	PLAN_CHAIN,					/* one input each: a tree */
	PLAN_APPEND,				/* root, about sqrt(n) groups, scans: a tree */
	PLAN_SHARED,				/* joins whose CTEs are read several times */
	PLAN_FAMILIES
} PlanFamily;

extern const char *const plan_family_names[PLAN_FAMILIES];

typedef struct PlanEdge
{
	int32_t		child;
	int32_t		parent;
	RvdEdgeKind kind;
} PlanEdge;

/* A plan and everything computed for it, as a backend would hold it. */
typedef struct Plan
{
	int32_t		n;
	int32_t		n_edges;
	RvdDagNode *nodes;			/* as they are added */
	PlanEdge   *edges;
	size_t		dag_size;
	void	   *dag_mem;
	RvdDag		dag;
	double	   *loops;
	double	   *self_cost;
	double	   *rows;
	float	   *phi;
	float	   *vectors;
	float		features[RVD_PLAN_FEATURES];
	float		embedding[RVD_EMBEDDING_DIM];
	RvdTrace   *traces;
	RvdAttentionWeights weights;
	RvdAttentionParams params;
	RvdAttentionInput in;
	RvdAttentionRows context;
	RvdAttentionOutput out;
	double	   *p;				/* [n] */
	double	   *kernel_p;		/* [RVD_NUM_KERNELS * n] */
	void	   *work;			/* of a kernel, and of the flow */
} Plan;

/* A seeded random plan of n operators, 1 .. RVD_DAG_MAX_NODES. */
extern Plan *plan_make(PlanFamily family, int32_t n, uint64_t seed);
extern void plan_free(Plan *plan);

/* Graph, features, node vectors, from nodes and edges. */
extern void plan_describe(Plan *plan);

/* One kernel with context rows, as an embedding wants them. */
extern void plan_attend(Plan *plan, int kind);

/* All kernels without rows, and their mixture. */
extern void plan_attend_ensemble(Plan *plan, const RvdMixture *mixture);

/* Pooled by the weights of the last plan_attend(). */
extern void plan_embed(Plan *plan);

/* ---- what is measured --------------------------------------------------- */

extern void measure_plans(double seconds);	/* kernels_operations.c */
extern void measure_learning(double seconds);	/* kernels_learning.c */
extern void measure_record(int threads);	/* kernels_record.c */
extern void measure_growth(int plans, double seconds);	/* kernels_growth.c */

#endif							/* RVD_BENCH_KERNELS_H */
