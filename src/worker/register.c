/*-------------------------------------------------------------------------
 *
 * register.c
 *	  Registering the launcher with the server, learners with the launcher.
 *
 * A job (control block) carries the learner's last word back to the launcher.
 * Only the launcher hands out jobs.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "ruvector_dag/worker.h"
#include "launcher.h"

/* pg_database.datconnlimit of a database whose DROP was interrupted */
#define CONNLIMIT_INVALID_DB	(-2)

static void
describe(BackgroundWorker *worker, const char *entry_point)
{
	memset(worker, 0, sizeof(*worker));
	worker->bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker->bgw_start_time = BgWorkerStart_ConsistentState;
	strlcpy(worker->bgw_library_name, "ruvector_dag", BGW_MAXLEN);
	strlcpy(worker->bgw_function_name, entry_point, BGW_MAXLEN);
}

void
rvd_worker_register(void)
{
	BackgroundWorker worker;

	describe(&worker, "rvd_launcher_main");
	worker.bgw_restart_time = 5;
	strlcpy(worker.bgw_name, "ruvector_dag launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "ruvector_dag launcher", BGW_MAXLEN);
	RegisterBackgroundWorker(&worker);
}

static void
leave_control(int code, Datum arg)
{
	LWLockAcquire(rvd_control_lock(), LW_EXCLUSIVE);
	rvd_control()->launcher_latch = NULL;
	rvd_control()->launcher_pid = 0;
	LWLockRelease(rvd_control_lock());
}

void
rvd_launcher_enter(void)
{
	RvdControl *control = rvd_control();

	LWLockAcquire(rvd_control_lock(), LW_EXCLUSIVE);
	control->launcher_latch = MyLatch;
	control->launcher_pid = MyProcPid;
	for (int i = 0; i < RVD_MAX_JOBS; i++)
		control->jobs[i].database = InvalidOid;
	LWLockRelease(rvd_control_lock());
	before_shmem_exit(leave_control, (Datum) 0);
}

RvdDatabase *
rvd_launcher_slot(Oid database)
{
	for (int i = 0; i < RVD_MAX_DATABASES; i++)
		if (rvd_database_at(i)->database == database)
			return rvd_database_at(i);
	return NULL;
}

static RvdJob *
take_job(Oid database)
{
	RvdControl *control = rvd_control();

	for (int i = 0; i < RVD_MAX_JOBS; i++)
	{
		RvdJob	   *job = &control->jobs[i];

		if (OidIsValid(job->database))
			continue;
		pg_atomic_write_u32(&job->result, RVD_JOB_RUNNING);
		pg_write_barrier();
		job->database = database;
		return job;
	}
	return NULL;
}

bool
rvd_launcher_start(RvdKnown *known)
{
	BackgroundWorker worker;
	MemoryContext old;
	bool		started;

	known->job = take_job(known->database);
	if (known->job == NULL)
		return false;
	describe(&worker, "rvd_learner_main");
	worker.bgw_restart_time = BGW_NEVER_RESTART;
	worker.bgw_main_arg = ObjectIdGetDatum(known->database);
	worker.bgw_notify_pid = MyProcPid;
	snprintf(worker.bgw_name, BGW_MAXLEN, "ruvector_dag learner for database %u",
			 known->database);
	strlcpy(worker.bgw_type, "ruvector_dag learner", BGW_MAXLEN);

	old = MemoryContextSwitchTo(TopMemoryContext);
	started = RegisterDynamicBackgroundWorker(&worker, &known->handle);
	MemoryContextSwitchTo(old);
	if (!started)
	{
		known->job->database = InvalidOid;
		known->job = NULL;
		known->handle = NULL;
	}
	return started;
}

bool
rvd_launcher_ended(RvdKnown *known, RvdJobResult *result)
{
	pid_t		pid;

	*result = RVD_JOB_STOPPED;
	if (known->handle == NULL)
	{
		/* adopted: its slot says whether it is still there */
		RvdDatabase *slot = rvd_launcher_slot(known->database);

		return slot == NULL || slot->learner_pid == 0;
	}
	if (GetBackgroundWorkerPid(known->handle, &pid) != BGWH_STOPPED)
		return false;
	*result = pg_atomic_read_u32(&known->job->result);
	known->job->database = InvalidOid;
	known->job = NULL;
	pfree(known->handle);
	known->handle = NULL;
	return true;
}

List *
rvd_launcher_databases(void)
{
	List	   *result = NIL;
	Relation	rel;
	TableScanDesc scan;
	HeapTuple	tuple;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	rel = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(rel, 0, NULL);
	while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_database form = (Form_pg_database) GETSTRUCT(tuple);
		MemoryContext old;

		if (!form->datallowconn || form->datistemplate ||
			form->datconnlimit == CONNLIMIT_INVALID_DB)
			continue;
		old = MemoryContextSwitchTo(TopMemoryContext);
		result = lappend_oid(result, form->oid);
		MemoryContextSwitchTo(old);
	}
	table_endscan(scan);
	table_close(rel, AccessShareLock);
	CommitTransactionCommand();
	return result;
}
