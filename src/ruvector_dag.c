/*-------------------------------------------------------------------------
 *
 * ruvector_dag.c
 *	  The table of contents: what is set up when the library is loaded.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "ruvector_dag/arm.h"
#include "ruvector_dag/compat.h"
#include "ruvector_dag/hooks.h"
#include "ruvector_dag/scope.h"
#include "ruvector_dag/settings.h"
#include "ruvector_dag/store.h"
#include "ruvector_dag/worker.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	bool		preloading = process_shared_preload_libraries_in_progress;

	rvd_settings_init(preloading);

	/*
	 * Without shared memory there is nothing to learn into: functions that
	 * need it say so (RV010), and no hook is installed.
	 */
	if (!preloading)
		return;

	EnableQueryId();			/* query classes are keyed by query id */
	rvd_store_init();			/* shared memory: request and start-up hooks */
	rvd_scope_init();			/* which relations are enabled */
	rvd_arm_init();				/* planner settings that may be tried */
	rvd_planner_hook_init();	/* decide, and plan with what was learned */
	rvd_path_hooks_init();		/* correct row estimates on the way */
	rvd_executor_hooks_init();	/* executor: measure, trials, learn */
	rvd_utility_hook_init();	/* EXPLAIN, CREATE and DROP DATABASE */
	rvd_worker_register();		/* launcher and learners */
}
