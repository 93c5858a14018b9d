/*-------------------------------------------------------------------------
 *
 * release.c
 *	  What other processes ask of the workers.
 *
 * Called in backends.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "ruvector_dag/store.h"
#include "ruvector_dag/worker.h"
#include "launcher.h"

#define HOLD_MS			10000
#define RELEASE_MS		5000
#define LOOK_EVERY_US	20000L

PG_FUNCTION_INFO_V1(ruvector_dag_wake_launcher);

/*
 * Only who may do such things to the database may send its learner away; for
 * others the command itself will fail.
 */
static bool
may_release(Oid database)
{
	HeapTuple	tuple = SearchSysCache1(DATABASEOID,
										ObjectIdGetDatum(database));
	bool		allowed = false;

	if (HeapTupleIsValid(tuple))
	{
		Form_pg_database form = (Form_pg_database) GETSTRUCT(tuple);

		allowed = has_privs_of_role(GetUserId(), form->datdba);
		ReleaseSysCache(tuple);
	}
	return allowed;
}

/* Stop the learner if there is one; false: there is none. */
static bool
stop_learner(Oid database)
{
	RvdDatabase *slot;
	bool		running = false;

	LWLockAcquire(rvd_control_lock(), LW_EXCLUSIVE);
	slot = rvd_launcher_slot(database);
	if (slot && slot->database == database)
	{
		slot->hold_until = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
													   HOLD_MS);
		running = slot->learner_pid != 0;
		if (running)
			kill(slot->learner_pid, SIGTERM);
	}
	LWLockRelease(rvd_control_lock());
	return running;
}

/* Its pid is cleared a moment before it leaves the process array. */
static bool
learner_connected(Oid database)
{
	bool		found = false;

	LWLockAcquire(rvd_control_lock(), LW_SHARED);
	for (int i = 0; i < RVD_MAX_DATABASES; i++)
		if (rvd_database_at(i)->database == database &&
			rvd_database_at(i)->learner_pid != 0)
			found = true;
	LWLockRelease(rvd_control_lock());
	return found;
}

bool
rvd_worker_release_database(Oid database)
{
	TimestampTz give_up;

	if (!rvd_preloaded() || !may_release(database) || !stop_learner(database))
		return true;
	give_up = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), RELEASE_MS);
	while (learner_connected(database))
	{
		if (GetCurrentTimestamp() > give_up)
			return false;
		CHECK_FOR_INTERRUPTS();
		pg_usleep(LOOK_EVERY_US);
	}
	return true;
}

/* ---- CREATE EXTENSION -------------------------------------------------- */

static bool wake_at_commit = false;

/*
 * Only once it is committed can a learner see the extension.  One that still
 * serves an extension just dropped is told to look, too.
 */
static void
wake_callback(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT && wake_at_commit && rvd_preloaded())
	{
		RvdDatabase *db = rvd_my_database();

		rvd_wake_launcher();
		if (db)
			rvd_database_wake(db, true);
	}
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PREPARE)
		wake_at_commit = false;
}

Datum
ruvector_dag_wake_launcher(PG_FUNCTION_ARGS)
{
	static bool registered = false;

	if (!registered)
	{
		RegisterXactCallback(wake_callback, NULL);
		registered = true;
	}
	wake_at_commit = true;
	PG_RETURN_VOID();
}
