/*-------------------------------------------------------------------------
 *
 * settings.h
 *	  Every setting (GUC), under the prefix "ruvector.".  Layer 2.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_SETTINGS_H
#define RVD_SETTINGS_H

#include "postgres.h"

typedef enum RvdMode
{
	RVD_MODE_OBSERVE = 0,		/* record only */
	RVD_MODE_ADVISE,			/* also plan what would be tried; run nothing */
	RVD_MODE_AUTO				/* steer */
} RvdMode;

extern PGDLLIMPORT bool rvd_neural_dag_enabled;
extern PGDLLIMPORT int rvd_dag_mode;
extern PGDLLIMPORT double rvd_dag_min_cost; /* planner cost units */
extern PGDLLIMPORT double rvd_dag_trial_budget; /* x expected baseline */
extern PGDLLIMPORT double rvd_dag_regret_limit; /* share of executed time */
extern PGDLLIMPORT double rvd_dag_overhead_limit;	/* share */
extern PGDLLIMPORT int rvd_dag_memory_mb;
extern PGDLLIMPORT int rvd_dag_max_trajectories;	/* per database */
extern PGDLLIMPORT int rvd_dag_background_interval_ms;
extern PGDLLIMPORT bool rvd_dag_track_query_text;

/* Developer options, hidden from SHOW ALL; used by the test suite. */
extern PGDLLIMPORT int rvd_debug_row_factor_seed;

/*
 * Define them.  Settings of context postmaster are defined only while
 * shared_preload_libraries is being processed.
 */
extern void rvd_settings_init(bool preloading);

#endif							/* RVD_SETTINGS_H */
