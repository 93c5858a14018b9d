/*-------------------------------------------------------------------------
 *
 * steer.h
 *	  Between planner.c and steer.c.  Layer 6, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_STEER_H
#define RVD_STEER_H

#include "optimizer/planner.h"

#include "ruvector_dag/decision.h"

typedef PlannedStmt *(*RvdNextPlanner) (Query *query, const char *text,
										int cursor_options,
										ParamListInfo params);

/* One statement to be planned. */
typedef struct RvdSteerJob
{
	Query	   *query;			/* untouched: each run plans a copy */
	const char *text;
	int			cursor_options;
	ParamListInfo params;
	RvdNextPlanner next;		/* the planner behind our hook */
	RvdScope	scope;
	RvdDecision decision;
} RvdSteerJob;

/* The plan to run; errors are those of the stock planner. */
extern PlannedStmt *rvd_steer_plan(RvdSteerJob *job);

#endif							/* RVD_STEER_H */
