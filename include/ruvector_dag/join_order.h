/*-------------------------------------------------------------------------
 *
 * join_order.h
 *	  A plan's order of joins, remembered with its memo, so that making the
 *	  plan again need not search for it.  Layer 4.
 *
 * A statement is planned as one or more join problems (subqueries and lists
 * longer than the collapse limits have their own).  Of each problem with many
 * relations the memo keeps the tree of joins (join_tokens.h) and the rows of
 * every join in it: a join's rows may depend on the pair it was first built
 * from, and the search builds pairs that are not in the tree.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_JOIN_ORDER_H
#define RVD_JOIN_ORDER_H

#include "postgres.h"

#include "nodes/pathnodes.h"

#include "ruvector_dag/planning.h"

/* Problems of fewer relations are searched in less time than a plan takes. */
#define RVD_JOIN_ORDER_MIN	6

typedef struct RvdJoinProblem
{
	PlannerInfo *root;
	List	   *initial_rels;
	RelOptInfo *rel;			/* all of them joined; NULL: not yet */
	int			sequence;		/* among those of the run */
	uint32		check;			/* hash of what the relations are */
} RvdJoinProblem;

/*
 * A join search begins.  NULL: nobody will want to know its order.  The
 * caller sets rel when it has ended.
 */
extern RvdJoinProblem *rvd_join_order_begin(RvdPlanning *p, PlannerInfo *root,
											List *initial_rels);

/*
 * Join them in the order the memo that is replayed has for this problem, all
 * join methods left to cost.  NULL, with the root as it was: it has none, or
 * one that is not legal any more.
 */
extern RelOptInfo *rvd_join_order_build(RvdPlanning *p,
										RvdJoinProblem *problem);

/*
 * After the run: add the orders of the plan that was chosen to a memo (its
 * joins are empty before), as far as they fit.  Never raises, but for want of
 * memory.  O(paths of the plan).
 */
extern void rvd_join_order_record(RvdPlanning *p, RvdMemo *memo);

/* The order led to another plan: take it from the plan's memo. */
extern void rvd_join_order_forget(uint64 plan_key);

/* What the database counts: joins that a problem's search has built. */
extern void rvd_join_order_count(int built);

#endif							/* RVD_JOIN_ORDER_H */
