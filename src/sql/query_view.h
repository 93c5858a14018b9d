/*-------------------------------------------------------------------------
 *
 * query_view.h
 *	  A statement given as text, seen as the kernels see its plan.
 *	  Layer 7, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_QUERY_VIEW_H
#define RVD_QUERY_VIEW_H

#include "postgres.h"

#include "nodes/plannodes.h"

#include "ruvector_dag/flow.h"
#include "ruvector_dag/look.h"

/* What was learned from fewer runs than this is not shown. */
#define RVD_QUERY_VIEW_SEEN		10

typedef struct RvdQueryView
{
	PlannedStmt *stmt;
	RvdDag		dag;
	RvdPlanView view;
	RvdLook		look;			/* without a code */
	double	   *load;			/* expected, in planner cost: total_load in all */
	double		total_load;
} RvdQueryView;

/* Plan the text and look at it.  Raises as rvd_sql_plan_text(). */
extern void rvd_query_view(RvdQueryView *q, const char *query);

/* Look at a plan; raises as rvd_sql_plan_dag(). */
extern void rvd_query_view_plan(RvdQueryView *q, PlannedStmt *stmt);

/*
 * Kernel by name in any case, RVD_ATTENTION_AUTO for "auto"; raises RV002
 * for others.  And the kernel meant: the statement's selector answers AUTO.
 */
extern int	rvd_query_view_attention(const char *name);
extern int	rvd_query_view_kernel(const RvdQueryView *q, int attention);

/* Minimum cut or frontier of the plan. */
extern void rvd_query_view_flow(const RvdQueryView *q, RvdFlowMode mode,
								RvdFlowResult *result);

/*
 * Operators that dominate what feeds them, by the frontier, and take a share
 * of the time that is worth a look; most first.  Returns how many.
 * nodes[n_nodes] is the caller's.
 */
extern int	rvd_query_view_bottlenecks(const RvdQueryView *q,
									   const RvdFlowResult *frontier,
									   double threshold, int *nodes);

/* Threshold argument: raises 22023 outside [0, 1]. */
extern double rvd_query_view_threshold(double threshold);

/*
 * A node as SQL shows it: its place in EXPLAIN's order, from 0; "Seq Scan";
 * name of its relation or NULL; its part of the expected time.
 */
extern int	rvd_query_view_number(const RvdQueryView *q, int node);
extern const char *rvd_query_view_operator(const RvdQueryView *q, int node);
extern char *rvd_query_view_relation(const RvdQueryView *q, int node);
extern double rvd_query_view_share(const RvdQueryView *q, int node);

/* ---- query_of_table.c ----------------------------------------------------- */

/*
 * Look at the heaviest statement on a table that the caller can plan; its
 * class.  Raises RV003 if there is none.
 */
extern int64 rvd_query_view_of_table(RvdQueryView *q, Oid tab);

/* ---- query_action.c ------------------------------------------------------- */

/* What could be done about an operator that dominates its plan. */
extern char *rvd_query_view_action(const RvdQueryView *q, int node);

#endif							/* RVD_QUERY_VIEW_H */
