/*-------------------------------------------------------------------------
 *
 * transaction.c
 *	  The transactions of a learner.
 *
 * A learner must not get in anybody's way: it takes the locks of all its
 * tables at once and conditionally, before it looks at anything, reading or
 * writing, and tries later if one is not to be had.  So it never waits behind
 * DDL and cannot be part of a deadlock with DROP EXTENSION.  Those who must keep it from
 * writing back what they are deleting (a reset) lock the tables against
 * ROW EXCLUSIVE: what is dirty is collected only after the locks are held.
 * Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "learner.h"

const char *const rvd_learner_relations[] = {
	"dag_account", "dag_attention", "dag_classes", "dag_instances",
	"dag_memories", "dag_model", "dag_patterns", "dag_plans",
	"dag_row_knowledge", "dag_trajectories"
};
const int	rvd_learner_n_relations = lengthof(rvd_learner_relations);

static void
set_option(const char *name, const char *value)
{
	/* settings of later versions are passed over on earlier ones */
	if (GetConfigOption(name, true, false) != NULL)
		SetConfigOption(name, value, PGC_SUSET, PGC_S_OVERRIDE);
}

void
rvd_worker_set_options(const char *application_name)
{
	set_option("application_name", application_name);
	set_option("search_path", "pg_catalog, pg_temp");
	set_option("default_transaction_read_only", "off");
	set_option("default_transaction_isolation", "read committed");
	set_option("statement_timeout", "0");
	set_option("transaction_timeout", "0");
	set_option("idle_in_transaction_session_timeout", "0");
	set_option("lock_timeout", "1000");
	set_option("jit", "off");
}

Oid
rvd_learner_find_extension(void)
{
	return get_extension_oid("ruvector_dag", true);
}

/* Begin; false with nothing open if the extension is not what it was. */
static bool
begin(RvdLearner *learner)
{
	Oid			extension;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	extension = rvd_learner_find_extension();
	if (extension == learner->extension)
		return true;
	learner->leave = OidIsValid(extension) ? RVD_LEAVE_EXTENSION_NEW :
		RVD_LEAVE_EXTENSION_GONE;
	AbortCurrentTransaction();
	return false;
}

static void
open_spi(void)
{
	SPI_connect();
	PushActiveSnapshot(GetTransactionSnapshot());
}

/* Lock the relation if that can be had at once. */
static bool
lock_relation(Oid schema, const char *name, LOCKMODE mode)
{
	Oid			relation = get_relname_relid(name, schema);

	return OidIsValid(relation) &&
		ConditionalLockRelationOid(relation, mode) &&
		get_relname_relid(name, schema) == relation;
}

static bool
begin_locked(RvdLearner *learner, LOCKMODE mode)
{
	Oid			schema;

	if (!begin(learner))
		return false;
	schema = get_namespace_oid("ruvector", true);
	for (int i = 0; i < rvd_learner_n_relations; i++)
		if (!OidIsValid(schema) ||
			!lock_relation(schema, rvd_learner_relations[i], mode))
		{
			learner->deferred = true;
			AbortCurrentTransaction();
			return false;
		}
	open_spi();
	return true;
}

bool
rvd_learner_begin_write(RvdLearner *learner)
{
	return !RecoveryInProgress() && begin_locked(learner, RowExclusiveLock);
}

bool
rvd_learner_begin_read(RvdLearner *learner)
{
	return begin_locked(learner, AccessShareLock);
}

bool
rvd_learner_begin_soon(RvdLearner *learner, bool (*begin_one) (RvdLearner *))
{
	for (int i = 0; i < RVD_LEARNER_ATTEMPTS; i++)
	{
		if (begin_one(learner))
			return true;
		if (learner->leave || ShutdownRequestPending)
			break;
		(void) WaitLatch(MyLatch, WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 RVD_LEARNER_ATTEMPT_MS, PG_WAIT_EXTENSION);
		CHECK_FOR_INTERRUPTS();
	}
	return false;
}

void
rvd_learner_commit(void)
{
	SPI_finish();
	PopActiveSnapshot();
	CommitTransactionCommand();
}

/*
 * DROP DATABASE, CREATE DATABASE ... TEMPLATE and the like lock the database
 * against the lock that a new session takes, then wait some seconds for the
 * others to leave.  So: if the lock of a new session is not to be had,
 * somebody waits for us.
 */
bool
rvd_database_wanted(Oid database)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, database, 0);
	if (LockAcquire(&tag, RowExclusiveLock, true, true) ==
		LOCKACQUIRE_NOT_AVAIL)
		return true;
	LockRelease(&tag, RowExclusiveLock, true);
	return false;
}

SPIPlanPtr
rvd_learner_prepare(SPIPlanPtr *plan, const char *sql, int nargs, Oid *types)
{
	if (*plan == NULL)
	{
		SPIPlanPtr	made = SPI_prepare(sql, nargs, types);

		if (made == NULL || SPI_keepplan(made) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not prepare a statement of the learner"),
					 errdetail("The statement is: %s", sql)));
		*plan = made;
	}
	return *plan;
}
