/*-------------------------------------------------------------------------
 *
 * scope.h
 *	  Which statements the user has let us see.  Layer 4.
 *
 * Read from table ruvector.dag_tables (relid 0: the whole database), cached
 * per backend and thrown away by relcache invalidation, so that enabling is
 * transactional and known to every backend when it commits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_SCOPE_H
#define RVD_SCOPE_H

#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"

/* Settings as they stand for one statement after per-table overrides. */
typedef struct RvdScope
{
	int			mode;			/* RvdMode */
	double		min_cost;
	double		trial_budget;
	double		regret_limit;
} RvdScope;

/* One cheap test: is anything enabled in this database at all? */
extern bool rvd_scope_any(void);

/*
 * Does the statement touch a relation that is enabled?  *scope receives the
 * settings in force.  Never raises, never waits for a lock.
 */
extern bool rvd_scope_of_query(Query *query, RvdScope *scope);
extern bool rvd_scope_of_plan(PlannedStmt *stmt, RvdScope *scope);

/*
 * Validate a config object: known keys, values in range; raises 22023 that
 * names the key.  Keys: dag_mode, dag_min_cost, dag_trial_budget,
 * dag_regret_limit.
 */
struct Jsonb;
extern void rvd_scope_check_config(Datum jsonb_config);

/* Tell every backend, at commit, to read the table again. */
extern void rvd_scope_invalidate(void);

extern void rvd_scope_init(void);

#endif							/* RVD_SCOPE_H */
