/*-------------------------------------------------------------------------
 *
 * plan_text.h
 *	  The plan of a statement given as text.  Layer 7, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_PLAN_TEXT_H
#define RVD_PLAN_TEXT_H

#include "postgres.h"

#include "nodes/plannodes.h"

#include "ruvector_dag/dag.h"
#include "ruvector_dag/decision.h"

/*
 * Plan a statement as EXPLAIN would and check that the caller may run it; it
 * is never run.  Raises 42601 unless it is exactly one statement, 0A000 for
 * one without a plan or of which a rule makes none or several, 42P02 for
 * parameters, 42501 for missing privileges, and what the server itself finds
 * wrong.  Result and everything on the way in CurrentMemoryContext.
 */
extern PlannedStmt *rvd_sql_plan_text(const char *query);

/*
 * The same as the server would plan it if the extension were not there; and
 * from learned row counts, whether or not such a plan was ever tried: NULL
 * if none is known of the statement.
 */
extern PlannedStmt *rvd_sql_plan_text_stock(const char *query);
extern PlannedStmt *rvd_sql_plan_text_learned(const char *query);

/*
 * What the planner's hook would decide of it, if its class may be seen at all
 * (*scope is set); false: none of its tables is enabled, *d holds the query id
 * alone.  *may_explore: as a statement by itself it might try another plan.
 * Raises what is wrong with the text; privileges are not checked.
 */
extern bool rvd_sql_decide_text(const char *query, RvdScope *scope,
								RvdDecision *d, bool *may_explore);

/* The plan's graph in CurrentMemoryContext; raises if it cannot be built. */
extern void rvd_sql_plan_dag(PlannedStmt *stmt, RvdDag *dag);

#endif							/* RVD_PLAN_TEXT_H */
