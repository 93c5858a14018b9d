/*-------------------------------------------------------------------------
 *
 * plan_dag.h
 *	  PlannedStmt -> Dag, and its readable skeleton.  Layer 3.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_PLAN_DAG_H
#define RVD_PLAN_DAG_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/plannodes.h"

#include "ruvector_dag/dag.h"
#include "ruvector_dag/features.h"

/*
 * Operators.  The numbers are persisted in trajectories: append, never
 * reorder.  Names by rvd_op_name().
 */
typedef enum RvdOp
{
	RVD_OP_INVALID = 0,
	RVD_OP_RESULT,
	RVD_OP_PROJECT_SET,
	RVD_OP_MODIFY_TABLE,
	RVD_OP_APPEND,
	RVD_OP_MERGE_APPEND,
	RVD_OP_RECURSIVE_UNION,
	RVD_OP_BITMAP_AND,
	RVD_OP_BITMAP_OR,
	RVD_OP_SEQ_SCAN,
	RVD_OP_SAMPLE_SCAN,
	RVD_OP_INDEX_SCAN,
	RVD_OP_INDEX_ONLY_SCAN,
	RVD_OP_BITMAP_INDEX_SCAN,
	RVD_OP_BITMAP_HEAP_SCAN,
	RVD_OP_TID_SCAN,
	RVD_OP_TID_RANGE_SCAN,
	RVD_OP_SUBQUERY_SCAN,
	RVD_OP_FUNCTION_SCAN,
	RVD_OP_VALUES_SCAN,
	RVD_OP_TABLE_FUNC_SCAN,
	RVD_OP_CTE_SCAN,
	RVD_OP_NAMED_TUPLESTORE_SCAN,
	RVD_OP_WORK_TABLE_SCAN,
	RVD_OP_FOREIGN_SCAN,
	RVD_OP_CUSTOM_SCAN,
	RVD_OP_NEST_LOOP,
	RVD_OP_MERGE_JOIN,
	RVD_OP_HASH_JOIN,
	RVD_OP_MATERIAL,
	RVD_OP_MEMOIZE,
	RVD_OP_SORT,
	RVD_OP_INCREMENTAL_SORT,
	RVD_OP_GROUP,
	RVD_OP_AGG,
	RVD_OP_WINDOW_AGG,
	RVD_OP_UNIQUE,
	RVD_OP_GATHER,
	RVD_OP_GATHER_MERGE,
	RVD_OP_HASH,
	RVD_OP_SET_OP,
	RVD_OP_LOCK_ROWS,
	RVD_OP_LIMIT,
	RVD_NUM_OPS
} RvdOp;

extern const char *rvd_op_name(int op);	/* "Hash Join"; "?" if unknown */

/* Cost class and traits of each operator, for the pure layers. */
extern const RvdOpRoles *rvd_plan_op_roles(void);

/*
 * RvdDagNode.variant by operator; 0 for the others:
 *	 joins					RvdJoinKind
 *	 Agg					AggStrategy + 16 * AggSplit
 *	 SetOp					SetOpCmd + 16 * SetOpStrategy
 *	 ModifyTable, Foreign	CmdType
 *	 Index [Only] Scan		ScanDirection + 1 (0: backward)
 *	 Gather [Merge]			workers planned
 *	 Limit					LimitOption
 *	 Result					1 if it has a one-time filter
 *
 * Join types are renumbered because the server's numbers moved in 18.
 */
typedef enum RvdJoinKind
{
	RVD_JOIN_INNER = 0,
	RVD_JOIN_LEFT,
	RVD_JOIN_FULL,
	RVD_JOIN_RIGHT,
	RVD_JOIN_SEMI,
	RVD_JOIN_ANTI,
	RVD_JOIN_RIGHT_ANTI,		/* since 16 */
	RVD_JOIN_RIGHT_SEMI,		/* since 18 */
	RVD_NUM_JOIN_KINDS
} RvdJoinKind;

/*
 * Build the plan graph in CurrentMemoryContext.  RVD_ERR_FULL when the plan
 * has more than RVD_DAG_MAX_NODES operators (then it is simply not steered),
 * RVD_ERR_ARGUMENT for a node kind this version does not know or a statement
 * without a plan (utility).  O(plan + r log r) for r range-table entries.
 *
 * Inputs of a node are in the order of EXPLAIN: InitPlans, left, right,
 * members, SubPlans; the kind of each is in child_kind.  scan_ordinal counts
 * range-table entries of the same table (of the same kind for functions,
 * CTEs ...) in range-table order, so that the two sides of a self-join are
 * told apart.
 */
extern RvdStatus rvd_plan_dag_build(PlannedStmt *stmt, RvdDag *dag);

/*
 * Append the plan's shape as an indented list of operators with relation
 * (by name and, from its second scan on, ordinal: "orders#2") and index
 * names, as in
 *	 Hash Join (inner)
 *	   Seq Scan on orders
 *	   Hash
 *	     Index Scan on customer using customer_country_idx
 * CTEs, InitPlans and SubPlans are headed by a line of their own and numbered
 * in order of appearance; one used several times is shown once.  No costs, no
 * constants.  Looks names up in the catalogs: call it in a transaction.
 */
extern void rvd_plan_dag_skeleton(const RvdDag *dag, StringInfo out);

/*
 * What a plan is known by: its shape, whether it is compiled, and, unless 0 or
 * of no consequence for its operators, the arm that gives it memory.
 */
extern uint64 rvd_plan_fingerprint(const PlannedStmt *stmt, const RvdDag *dag,
								   uint16 arm_at_run);

#endif							/* RVD_PLAN_DAG_H */
