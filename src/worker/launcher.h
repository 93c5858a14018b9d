/*-------------------------------------------------------------------------
 *
 * launcher.h
 *	  What the parts of the launcher share.  Layer 6, private to workers.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_LAUNCHER_H
#define RVD_LAUNCHER_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "postmaster/bgworker.h"
#include "utils/timestamp.h"

#include "ruvector_dag/store.h"

typedef enum RvdKnownState
{
	RVD_KNOWN_WAITING = 0,		/* start its learner when start_at is past */
	RVD_KNOWN_RUNNING,			/* its learner, or the probe, runs */
	RVD_KNOWN_EMPTY				/* probed: the extension is not there */
} RvdKnownState;

/* A database the launcher knows of; local to the launcher. */
typedef struct RvdKnown
{
	Oid			database;
	RvdKnownState state;
	bool		seen;			/* in the last look at pg_database */
	bool		look_again;		/* a rescan was asked for while it ran */
	int			failures;		/* crashes in a row */
	TimestampTz start_at;
	TimestampTz started_at;
	BackgroundWorkerHandle *handle; /* NULL: started by a former launcher */
	RvdJob	   *job;			/* NULL: the same */
} RvdKnown;

/*
 * Make this process known as the launcher until it ends.  A former one's
 * jobs are dropped: learners it left behind end without a word.
 */
extern void rvd_launcher_enter(void);

/* OIDs of all databases that take connections and are no templates. */
extern List *rvd_launcher_databases(void);

/* Has the learner ended?  If so *result is what it said. */
extern bool rvd_launcher_ended(RvdKnown *known, RvdJobResult *result);

/* Start a learner.  False: no background worker slot, or no job, is free. */
extern bool rvd_launcher_start(RvdKnown *known);

/* The slot of a database, NULL if it has none. */
extern RvdDatabase *rvd_launcher_slot(Oid database);

#endif							/* RVD_LAUNCHER_H */
