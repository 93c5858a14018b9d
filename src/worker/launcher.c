/*-------------------------------------------------------------------------
 *
 * launcher.c
 *	  The launcher: finds databases, keeps their learners running.
 *
 * Connected to no database, it may read the shared catalogs only, so whether
 * the extension is in a database has to be found out by a worker connected to
 * it: the learner itself, which leaves if it is not.  That happens once per
 * database, and again when CREATE EXTENSION asks for a rescan (on a standby,
 * where CREATE EXTENSION arrives silently, every minute).
 *
 * A learner that crashes is started again after a pause that doubles; one
 * that made way for DROP DATABASE and the like, some seconds later if the
 * database is still there.  Without a free background worker slot the launcher
 * counts, logs once a minute and goes on trying.  Its knowledge is local and
 * rebuilt after a crash; learners that outlived a launcher are adopted by
 * looking at their slots.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

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

#include "ruvector_dag/worker.h"
#include "launcher.h"
#include "learner.h"

#define LOOK_EVERY_MS		60000	/* at pg_database */
#define LOOK_FRESH_MS		1000	/* old enough to look before a start */
#define RESTART_MS			5000	/* after an orderly end */
#define CRASH_LONGEST_MS	300000
#define REFUSED_MS			10000	/* no worker slot was free */
#define PROBE_AGAIN_MS		60000	/* on a standby, or all slots taken */
#define STEADY_MS			300000	/* ran that long: crashes forgiven */

bool		rvd_in_worker = false;

static List *known_databases = NIL;
static TimestampTz last_look = 0;
static TimestampTz refused_logged = 0;

static TimestampTz
later(TimestampTz now, int ms)
{
	return TimestampTzPlusMilliseconds(now, ms);
}

/* ---- what is known ----------------------------------------------------- */

static RvdKnown *
find_known(Oid database)
{
	ListCell   *lc;

	foreach(lc, known_databases)
	{
		RvdKnown   *known = lfirst(lc);

		if (known->database == database)
			return known;
	}
	return NULL;
}

/* A learner that a former launcher started is adopted. */
static void
add_known(Oid database, TimestampTz now)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	RvdKnown   *known = palloc0(sizeof(RvdKnown));
	RvdDatabase *slot = rvd_launcher_slot(database);

	known->database = database;
	known->seen = true;
	known->start_at = now;
	if (slot && slot->learner_pid != 0)
	{
		known->state = RVD_KNOWN_RUNNING;
		known->started_at = now;
	}
	known_databases = lappend(known_databases, known);
	MemoryContextSwitchTo(old);
}

/* Databases that are gone, and what is still kept for them. */
static void
forget_unseen(void)
{
	ListCell   *lc;

	for (int i = 0; i < RVD_MAX_DATABASES; i++)
	{
		RvdDatabase *slot = rvd_database_at(i);
		Oid			database = slot->database;

		if (OidIsValid(database) && find_known(database) == NULL)
			rvd_database_detach(database);
	}
	foreach(lc, known_databases)
	{
		RvdKnown   *known = lfirst(lc);

		if (known->seen || known->state == RVD_KNOWN_RUNNING)
			continue;
		rvd_database_detach(known->database);
		known_databases = foreach_delete_current(known_databases, lc);
		pfree(known);
	}
}

static void
look_at_databases(TimestampTz now)
{
	List	   *databases = rvd_launcher_databases();
	ListCell   *lc;

	foreach(lc, known_databases)
		((RvdKnown *) lfirst(lc))->seen = false;
	foreach(lc, databases)
	{
		RvdKnown   *known = find_known(lfirst_oid(lc));

		if (known)
			known->seen = true;
		else
			add_known(lfirst_oid(lc), now);
	}
	forget_unseen();
	list_free(databases);
	last_look = now;
}

/* Somebody created the extension somewhere: probe all once more. */
static void
probe_again(TimestampTz now)
{
	ListCell   *lc;

	foreach(lc, known_databases)
	{
		RvdKnown   *known = lfirst(lc);

		known->look_again = true;
		if (known->state != RVD_KNOWN_EMPTY)
			continue;
		known->state = RVD_KNOWN_WAITING;
		known->start_at = now;
	}
}

/* ---- learners ---------------------------------------------------------- */

static int
crash_pause(RvdKnown *known, TimestampTz now)
{
	int			pause = RESTART_MS;

	if (now > later(known->started_at, STEADY_MS))
		known->failures = 0;
	for (int i = 0; i < known->failures && pause < CRASH_LONGEST_MS; i++)
		pause *= 2;
	known->failures++;
	return Min(pause, CRASH_LONGEST_MS);
}

/* What to do with a database whose learner has ended. */
static void
after_end(RvdKnown *known, RvdJobResult result, TimestampTz now)
{
	bool		look_again = known->look_again;

	known->look_again = false;
	known->state = RVD_KNOWN_WAITING;
	switch (result)
	{
		case RVD_JOB_RUNNING:
			known->start_at = later(now, crash_pause(known, now));
			return;
		case RVD_JOB_NO_EXTENSION:
			known->failures = 0;
			known->start_at = now;
			if (RecoveryInProgress())
				known->start_at = later(now, PROBE_AGAIN_MS);
			else if (!look_again)
				known->state = RVD_KNOWN_EMPTY;
			return;
		case RVD_JOB_NO_SLOT:
			known->start_at = later(now, PROBE_AGAIN_MS);
			return;
		case RVD_JOB_STOPPED:
			known->failures = 0;
			known->start_at = later(now, RESTART_MS);
			return;
		case RVD_JOB_RESTART:
			known->failures = 0;
			known->start_at = now;
			return;
	}
}

static void
count_refusal(RvdKnown *known, TimestampTz now)
{
	known->start_at = later(now, REFUSED_MS);
	pg_atomic_fetch_add_u64(&rvd_control()->worker_refused, 1);
	if (refused_logged != 0 && now < later(refused_logged, LOOK_EVERY_MS))
		return;
	refused_logged = now;
	ereport(LOG,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("ruvector_dag could not start a learner: no background worker slot is free"),
			 errhint("Consider increasing max_worker_processes.")));
}

static void
start_if_due(RvdKnown *known, TimestampTz now)
{
	RvdDatabase *slot = rvd_launcher_slot(known->database);

	if (slot && slot->hold_until > now && known->start_at < slot->hold_until)
		known->start_at = slot->hold_until;
	if (known->start_at > now)
		return;
	if (rvd_database_wanted(known->database))
		known->start_at = later(now, RESTART_MS);
	else if (rvd_launcher_start(known))
	{
		known->state = RVD_KNOWN_RUNNING;
		known->started_at = now;
	}
	else
		count_refusal(known, now);
}

/* Before a start the database should be known to be there still. */
static bool
must_look(TimestampTz now)
{
	ListCell   *lc;

	if (now >= later(last_look, LOOK_EVERY_MS))
		return true;
	if (now < later(last_look, LOOK_FRESH_MS))
		return false;
	foreach(lc, known_databases)
	{
		RvdKnown   *known = lfirst(lc);

		if (known->state == RVD_KNOWN_WAITING && known->start_at <= now)
			return true;
	}
	return false;
}

static void
look_after_learners(TimestampTz now)
{
	ListCell   *lc;

	foreach(lc, known_databases)
	{
		RvdKnown   *known = lfirst(lc);
		RvdJobResult result;

		if (known->state == RVD_KNOWN_RUNNING &&
			rvd_launcher_ended(known, &result))
			after_end(known, result, now);
	}
	if (must_look(now))
		look_at_databases(now);
	foreach(lc, known_databases)
		if (((RvdKnown *) lfirst(lc))->state == RVD_KNOWN_WAITING)
			start_if_due(lfirst(lc), now);
}

/* ---- main -------------------------------------------------------------- */

/* Milliseconds until something is due. */
static long
time_to_sleep(TimestampTz now)
{
	TimestampTz next = later(last_look, LOOK_EVERY_MS);
	ListCell   *lc;

	foreach(lc, known_databases)
	{
		RvdKnown   *known = lfirst(lc);

		if (known->state == RVD_KNOWN_WAITING)
			next = Min(next, known->start_at);
		else if (known->state == RVD_KNOWN_RUNNING && known->handle == NULL)
			next = Min(next, later(now, RESTART_MS));
	}
	return Max(100, (long) ((next - now) / 1000) + 1);
}

static void
launch(void)
{
	while (!ShutdownRequestPending)
	{
		TimestampTz now = GetCurrentTimestamp();

		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		if (pg_atomic_exchange_u32(&rvd_control()->rescan, 0))
		{
			last_look = 0;
			probe_again(now);
		}
		look_after_learners(now);
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 time_to_sleep(GetCurrentTimestamp()),
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
}

void
rvd_launcher_main(Datum arg)
{
	rvd_in_worker = true;
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGUSR1, procsignal_sigusr1_handler);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	rvd_worker_set_options("ruvector_dag launcher");
	pgstat_report_activity(STATE_IDLE, NULL);
	rvd_launcher_enter();
	launch();
	proc_exit(0);
}
