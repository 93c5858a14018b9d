/*-------------------------------------------------------------------------
 *
 * plan_cache.h
 *	  Prepared statements: planned anew for each execution, or once?
 *	  Layer 4.
 *
 * The server compares the estimated cost of the generic plan with the average
 * of the custom ones.  Where the estimate is wrong the choice is wrong for as
 * long as the session lives.  Here both are measured, planning included, and
 * where one is cheaper beyond noise the generic plan's cost is shown to the
 * server as next to nothing, or as very much.  plan_cache_mode, if a user has
 * set it, comes before any cost.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_PLAN_CACHE_H
#define RVD_PLAN_CACHE_H

#include "postgres.h"

#include "nodes/params.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"

#include "ruvector_dag/decision.h"
#include "ruvector_dag/store.h"

typedef enum RvdPlanCacheChoice
{
	RVD_PLAN_CACHE_SERVER = 0,	/* nothing is known: the server's choice */
	RVD_PLAN_CACHE_TRY,			/* planning is dear: measure the generic plan */
	RVD_PLAN_CACHE_GENERIC,
	RVD_PLAN_CACHE_CUSTOM
} RvdPlanCacheChoice;

/* By what the class's executions have cost. */
extern RvdPlanCacheChoice rvd_plan_cache_choice(const RvdClass *c);

/* In words; NULL: the server's choice. */
extern const char *rvd_plan_cache_text(RvdPlanCacheChoice choice);

/*
 * A plan with a tag was made: note whether it is generic or custom, and show
 * the server a cost that leads to what was found to be cheaper.
 */
extern void rvd_plan_cache_weigh(Query *query, ParamListInfo params,
								 PlannedStmt *stmt);

/* The plan is started: it has its own cost again. */
extern void rvd_plan_cache_restore(PlannedStmt *stmt);

/* A complete run of a prepared statement. */
extern void rvd_plan_cache_learn(const RvdRun *run);

#endif							/* RVD_PLAN_CACHE_H */
