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

typedef struct RvdQueryView
{
	PlannedStmt *stmt;
	RvdDag		dag;
	RvdPlanView view;
	double		total_load;
} RvdQueryView;

/* Plan the text and look at it.  Raises as rvd_sql_plan_text(). */
extern void rvd_query_view(RvdQueryView *q, const char *query);

/*
 * Attention by name, "auto" included; raises RV002 for an unknown name.
 * queryid: of the class whose selector decides.
 */
extern int	rvd_query_view_attention(const RvdQueryView *q, const char *name);

/* Minimum cut or frontier of the plan. */
extern void rvd_query_view_flow(const RvdQueryView *q, RvdFlowMode mode,
								RvdFlowResult *result);

/*
 * A node's number as SQL shows it: its place in EXPLAIN's order, from 0.
 * "Seq Scan"; name of its relation or NULL.
 */
extern int	rvd_query_view_number(const RvdQueryView *q, int node);
extern const char *rvd_query_view_operator(const RvdQueryView *q, int node);
extern char *rvd_query_view_relation(const RvdQueryView *q, int node);

/* What could be done about an operator that dominates its plan. */
extern char *rvd_query_view_action(const RvdQueryView *q, int node);

/* Threshold argument: raises 22023 outside [0, 1]. */
extern double rvd_query_view_threshold(double threshold);

#endif							/* RVD_QUERY_VIEW_H */
