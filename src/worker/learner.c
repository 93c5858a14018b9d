/*-------------------------------------------------------------------------
 *
 * learner.c
 *	  The learner of one database: start, its tasks, its end.
 *
 * A worker is started in every database that takes connections; where the
 * extension is not, it says so to the launcher and leaves.  Otherwise it
 * claims the database's slot, loads what was persisted, and works through a
 * table of tasks until it is told to stop or its database or extension goes.
 *
 * SIGTERM only sets a flag: what is dirty is persisted before leaving.  A
 * task that raises an error is rolled back, logged and tried again later;
 * the learner itself goes on.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/procsignal.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "ruvector_dag/settings.h"
#include "ruvector_dag/worker.h"
#include "learner.h"
#include "schedule.h"

static RvdLearner learner;

/* ---- start and end ----------------------------------------------------- */

static void
report_result(RvdJobResult result)
{
	RvdControl *control = rvd_control();

	for (int i = 0; i < RVD_MAX_JOBS; i++)
		if (control->jobs[i].database == learner.database)
			pg_atomic_write_u32(&control->jobs[i].result, result);
}

/* Leave the slot to a successor, however this process ends. */
static void
leave_slot(int code, Datum arg)
{
	RvdDatabase *db = learner.db;

	LWLockAcquire(rvd_control_lock(), LW_EXCLUSIVE);
	if (db->database == learner.database && db->learner_pid == MyProcPid)
	{
		db->learner_latch = NULL;
		db->learner_pid = 0;
		pg_atomic_write_u32(&db->state, RVD_DB_STOPPED);
	}
	LWLockRelease(rvd_control_lock());
}

/* Claim the slot; false: there is none, or it has a learner. */
static bool
enter_slot(void)
{
	bool		taken;

	learner.db = rvd_database_attach(learner.database);
	if (learner.db == NULL)
	{
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("ruvector_dag cannot learn in this database"),
				 errdetail("%d databases are served already.",
						   RVD_MAX_DATABASES)));
		report_result(RVD_JOB_NO_SLOT);
		return false;
	}
	LWLockAcquire(rvd_control_lock(), LW_EXCLUSIVE);
	taken = learner.db->learner_pid != 0;
	if (!taken)
	{
		learner.db->learner_pid = MyProcPid;
		learner.db->learner_latch = MyLatch;
	}
	LWLockRelease(rvd_control_lock());
	if (taken)
	{
		report_result(RVD_JOB_STOPPED);
		return false;
	}
	before_shmem_exit(leave_slot, (Datum) 0);
	return true;
}

static bool
find_extension(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	learner.extension = rvd_learner_find_extension();
	CommitTransactionCommand();
	return OidIsValid(learner.extension);
}

static bool
check_database(void *arg)
{
	if (rvd_database_wanted(learner.database))
		learner.leave = RVD_LEAVE_DATABASE;
	return true;
}

/* Load in one transaction, then let the backends steer. */
static bool
load_and_announce(void)
{
	pgstat_report_activity(STATE_RUNNING, "ruvector_dag: load");
	while (!rvd_learner_begin_soon(&learner, rvd_learner_begin_read))
	{
		(void) check_database(NULL);
		if (learner.leave || ShutdownRequestPending)
			return false;
	}
	rvd_learner_load(&learner, false);
	rvd_snapshot_load(&learner, false);
	rvd_learner_commit();
	learner.at_last_cycle = pg_atomic_read_u64(&learner.db->trajectories);
	pg_write_barrier();
	pg_atomic_write_u32(&learner.db->state, RVD_DB_READY);
	pgstat_report_activity(STATE_IDLE, NULL);
	return true;
}

/* ---- tasks ------------------------------------------------------------- */

/* Is the extension still what it was?  Beginning a transaction tells. */
static bool
check_extension(void *arg)
{
	if (rvd_learner_begin_read(&learner))
		rvd_learner_commit();
	return true;
}

/* On a standby: what the primary has learned since. */
static bool
refresh(void *arg)
{
	if (RecoveryInProgress() && rvd_learner_begin_read(&learner))
	{
		rvd_learner_load(&learner, true);
		rvd_snapshot_load(&learner, true);
		rvd_learner_commit();
	}
	return true;
}

enum
{
	TASK_DATABASE,
	TASK_DRAIN,
	TASK_EXTENSION,
	TASK_PERSIST,
	TASK_REFRESH,
	TASK_MODEL,
	TASK_CYCLE,
	N_TASKS
};

#define SECONDS(n)	((n) * INT64_C(1000000))

#define TASK(what, seconds, function) \
	{.name = what, .interval_us = SECONDS(seconds), .run = function}

static RvdTask tasks[N_TASKS] = {
	[TASK_DATABASE] = TASK("database check", 1, check_database),
	[TASK_DRAIN] = TASK("drain", 1, rvd_learner_drain),
	[TASK_EXTENSION] = TASK("extension check", 3, check_extension),
	[TASK_PERSIST] = TASK("persist", 5, rvd_learner_persist),
	[TASK_REFRESH] = TASK("refresh", 60, refresh),
	[TASK_MODEL] = TASK("model", 300, rvd_learner_save_model),
	[TASK_CYCLE] = TASK("cycle", 3600, rvd_learner_cycle)
};

/*
 * Run one task; an error in it ends here.  That a lock was not to be had in
 * time is no failure worth a line in the log.
 */
static bool
run_guarded(RvdTask *task)
{
	volatile bool ok = false;

	MemoryContextSwitchTo(learner.scratch);
	pgstat_report_activity(STATE_RUNNING,
						   psprintf("ruvector_dag: %s", task->name));
	PG_TRY();
	{
		ok = task->run(&learner);
	}
	PG_CATCH();
	{
		HOLD_INTERRUPTS();
		if (geterrcode() != ERRCODE_LOCK_NOT_AVAILABLE)
		{
			errcontext("ruvector_dag learner, task \"%s\"", task->name);
			EmitErrorReport();
		}
		AbortCurrentTransaction();
		FlushErrorState();
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(learner.scratch);
	MemoryContextReset(learner.scratch);
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
	return ok;
}

static void
run_due_tasks(void)
{
	RvdTask    *task;

	while (!ShutdownRequestPending && !learner.leave &&
		   (task = rvd_schedule_due(tasks, N_TASKS, GetCurrentTimestamp())))
	{
		bool		ok = run_guarded(task);

		rvd_schedule_ended(task, GetCurrentTimestamp(), ok);
		CHECK_FOR_INTERRUPTS();
	}
}

/* ---- main -------------------------------------------------------------- */

static void
reload_settings(void)
{
	if (ConfigReloadPending)
	{
		ConfigReloadPending = false;
		ProcessConfigFile(PGC_SIGHUP);
	}
	rvd_schedule_set_interval(&tasks[TASK_CYCLE],
							  rvd_dag_background_interval_ms * INT64_C(1000),
							  GetCurrentTimestamp());
}

/* Somebody wants a cycle: now, whatever became of the last one. */
static void
notice_request(void)
{
	if (pg_atomic_read_u32(&learner.db->cycle_wanted) !=
		pg_atomic_read_u32(&learner.db->cycle_done))
		tasks[TASK_CYCLE].due = GetCurrentTimestamp();
}

static void
work(void)
{
	rvd_schedule_start(tasks, N_TASKS, GetCurrentTimestamp());
	for (;;)
	{
		int64		wait;

		CHECK_FOR_INTERRUPTS();
		reload_settings();
		notice_request();
		run_due_tasks();
		if (ShutdownRequestPending || learner.leave)
			break;
		wait = rvd_schedule_wait(tasks, N_TASKS, GetCurrentTimestamp());
		if (WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					  wait / 1000 + 1, PG_WAIT_EXTENSION) & WL_LATCH_SET)
		{
			ResetLatch(MyLatch);
			rvd_schedule_hurry(&tasks[TASK_EXTENSION], GetCurrentTimestamp());
			rvd_schedule_hurry(&tasks[TASK_DRAIN], GetCurrentTimestamp());
		}
	}
}

/*
 * Also before a DROP DATABASE, which waits for us: it may be a copy or a
 * rename just as well, and a copy takes along what was learned.
 */
static void
finish(void)
{
	switch (learner.leave)
	{
		case RVD_LEAVE_EXTENSION_GONE:
			rvd_database_detach(learner.database);
			report_result(RVD_JOB_NO_EXTENSION);
			break;
		case RVD_LEAVE_EXTENSION_NEW:
			rvd_database_detach(learner.database);
			report_result(RVD_JOB_RESTART);
			break;
		case RVD_LEAVE_DATABASE:
		case RVD_LEAVE_NOT:
			(void) run_guarded(&tasks[TASK_DRAIN]);
			(void) run_guarded(&tasks[TASK_PERSIST]);
			(void) run_guarded(&tasks[TASK_MODEL]);
			report_result(RVD_JOB_STOPPED);
			break;
	}
}

void
rvd_learner_main(Datum arg)
{
	rvd_in_worker = true;
	learner.database = DatumGetObjectId(arg);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGUSR1, procsignal_sigusr1_handler);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(learner.database, InvalidOid, 0);
	rvd_worker_set_options("ruvector_dag learner");
	learner.scratch = AllocSetContextCreate(TopMemoryContext,
											"ruvector_dag learner",
											ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(learner.scratch);

	if (!find_extension())
		report_result(RVD_JOB_NO_EXTENSION);
	else if (enter_slot())
	{
		if (load_and_announce())
			work();
		finish();
	}
	proc_exit(0);
}
