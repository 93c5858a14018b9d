/*-------------------------------------------------------------------------
 *
 * features.h
 *	  Numbers that describe operators and plans to the learned parts.
 *	  Layer 1, pure.
 *
 * Everything here is known before execution.  Logs are ln(1 + x); each is
 * shifted and scaled by a constant of its own (see feature_vectors.c) to
 * about zero mean and unit spread over plans of all sizes, then clipped to
 * +-6.  Constants rather than running moments: an embedding must mean the
 * same tomorrow.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_FEATURES_H
#define RVD_FEATURES_H

#include "ruvector_dag/dag.h"

/* Per operator. */
typedef enum RvdNodeFeature
{
	RVD_NF_BIAS = 0,			/* 1 */
	RVD_NF_ROWS,				/* rows per loop */
	RVD_NF_INPUT_ROWS,			/* of all inputs */
	RVD_NF_RATIO,				/* ln output rows - ln input rows; leaf: 0 */
	RVD_NF_SELF_COST,
	RVD_NF_SELF_SHARE,			/* self cost / cost of the plan */
	RVD_NF_TOTAL_SHARE,			/* total cost / cost of the plan */
	RVD_NF_STARTUP,				/* startup / total cost */
	RVD_NF_DEPTH,				/* depth / deepest */
	RVD_NF_HEIGHT,				/* height / highest */
	RVD_NF_FAN_IN,
	RVD_NF_LOOPS,				/* expected executions: see rvd_features_loops */
	RVD_NF_WIDTH,
	RVD_NF_PARALLEL,			/* flag */
	RVD_NF_SHARED,				/* has more than one consumer */
	RVD_NF_IS_LEAF
} RvdNodeFeature;

#define RVD_NODE_FEATURES	16

/* Of the whole plan. */
typedef enum RvdPlanFeature
{
	RVD_PF_BIAS = 0,			/* 1 */
	RVD_PF_COST,				/* ln total cost: not clipped */
	RVD_PF_ROWS,				/* rows of the root */
	RVD_PF_WORK,				/* ln sum of rows * loops over operators */
	RVD_PF_NODES,				/* number of operators */
	RVD_PF_DEPTH,
	RVD_PF_SCANS,
	RVD_PF_JOINS,
	RVD_PF_NESTED_LOOPS,
	RVD_PF_HASH_JOINS,
	RVD_PF_MERGE_JOINS,
	RVD_PF_SORTS,
	RVD_PF_AGGREGATES,
	RVD_PF_INDEX_SHARE,			/* share of scans that use an index */
	RVD_PF_LOOPED_WORK,			/* ln rows * loops below nested loops */
	RVD_PF_WORKERS				/* planned */
} RvdPlanFeature;

#define RVD_PLAN_FEATURES	16

/* Operator classes that share a cost factor. */
typedef enum RvdCostClass
{
	RVD_COST_SEQ_SCAN = 0,
	RVD_COST_INDEX_SCAN,		/* index and index-only scans */
	RVD_COST_BITMAP_SCAN,
	RVD_COST_OTHER_SCAN,
	RVD_COST_NESTED_LOOP,
	RVD_COST_HASH_JOIN,
	RVD_COST_HASH,
	RVD_COST_MERGE_JOIN,
	RVD_COST_SORT,
	RVD_COST_AGGREGATE,			/* Agg, Group, Unique, SetOp, WindowAgg */
	RVD_COST_MATERIAL,			/* Material, Memoize */
	RVD_COST_OTHER
} RvdCostClass;

#define RVD_COST_CLASSES	12

/*
 * The operators' numbers live in plan_dag.h, above this layer, so the caller
 * says what each one is: roles[op], for op < n_ops.
 */
typedef struct RvdOpRoles
{
	int			n_ops;
	const uint8_t *cost_class;	/* RvdCostClass */
	const uint8_t *traits;		/* RVD_OP_IS_* */
} RvdOpRoles;

#define RVD_OP_IS_SCAN		0x01
#define RVD_OP_IS_JOIN		0x02
#define RVD_OP_IS_SORT		0x04
#define RVD_OP_IS_AGGREGATE	0x08
#define RVD_OP_USES_INDEX	0x10
#define RVD_OP_IS_GATHER	0x20	/* variant: workers planned */
#define RVD_OP_IS_LOOP		0x40	/* runs its second input per row of the first */
#define RVD_OP_IS_STORE		0x80	/* keeps its input: a rescan does not run it */

/*
 * loops[n]: how often each operator is expected to run: 1 at the root, times
 * the outer rows below the inner side of a loop (what a store there keeps is
 * made once), SubPlans times the rows that come in or go out of their parent
 * (a filter may run them for more), recursive terms times 10 as the planner
 * assumes; InitPlans, hashed SubPlans and shared producers 1.  Capped at
 * 1e12.  O(n + m).
 */
extern void rvd_features_loops(const RvdDag *dag, const RvdOpRoles *roles,
							   double *loops);

/*
 * self[n] >= 0: planner units of the operator without its inputs, all loops.
 * A child's cost counts as often as the child runs per run of the parent, but
 * together children take no more than their parent's total: what a Limit does
 * not fetch is not charged below it.  The sum over a plan whose nodes all hang
 * below the root by edges other than RVD_EDGE_SHARED is the root's total
 * cost.  O(n + m).
 */
extern void rvd_features_self_cost(const RvdDag *dag, const RvdOpRoles *roles,
								   const double *loops, double *self);

/* phi[n * RVD_NODE_FEATURES].  O(n + m). */
extern void rvd_features_nodes(const RvdDag *dag, const RvdOpRoles *roles,
							   const double *loops, const double *self,
							   float *phi);

/* plan[RVD_PLAN_FEATURES].  O(n). */
extern void rvd_features_plan(const RvdDag *dag, const RvdOpRoles *roles,
							  const double *loops, float *plan);

#endif							/* RVD_FEATURES_H */
