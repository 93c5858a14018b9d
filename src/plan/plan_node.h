/*-------------------------------------------------------------------------
 *
 * plan_node.h
 *	  What one plan node is, looked at by itself.  Private to src/plan.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_PLAN_NODE_H
#define RVD_PLAN_NODE_H

#include "postgres.h"

#include "nodes/plannodes.h"

#include "ruvector_dag/plan_dag.h"

/* RVD_OP_INVALID for a node kind this version does not know. */
extern RvdOp rvd_plan_node_op(const Plan *plan);

/* RvdDagNode.variant as documented in plan_dag.h. */
extern uint16 rvd_plan_node_variant(const Plan *plan);

/* Index in the range table of what the node scans or modifies, or 0. */
extern Index rvd_plan_node_rti(const Plan *plan);

/* OID of the index it uses, or InvalidOid. */
extern Oid	rvd_plan_node_index(const Plan *plan);

/* Inputs that are neither left nor right: Append's members and the like. */
extern List *rvd_plan_node_members(const Plan *plan);

typedef bool (*RvdExprWalker) (Node *node, void *context);

/*
 * Call walker with each expression (or list of them) the node evaluates, in
 * a fixed order, until it answers true; that is returned.  Copies that the
 * planner keeps only for EXPLAIN or rechecks are left out.
 */
extern bool rvd_plan_node_walk_exprs(Plan *plan, RvdExprWalker walker,
									 void *context);

/*
 * Hash of what else tells plan shapes apart: sort and group columns, indexed
 * attributes, number of join clauses ... (plan_label.c).  0 if nothing does.
 * Free of constants: executions of a prepared statement agree.
 */
extern uint64 rvd_plan_label_of(PlannedStmt *stmt, Plan *plan);

/*
 * For each range-table entry, how many before it are of the same relation
 * (or, if it is none, of the same kind) (plan_rtable.c).  O(n log n).
 */
extern int32 *rvd_plan_rtable_number(List *rtable);

#endif							/* RVD_PLAN_NODE_H */
