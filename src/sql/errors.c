/*-------------------------------------------------------------------------
 *
 * errors.c
 *	  SQLSTATEs of class RV, and errors that must not reach the user.
 *
 * rvd_swallow_error is what every hook calls when something of ours went
 * wrong: the statement goes on with the server's own plan.  So that a fault
 * that recurs with every statement does not fill the log, each kind is logged
 * once a minute per process, with the number of those left out.
 *
 * Memory: a fixed table of kinds per process.  Layer 2: includes nothing
 * above the store.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "port/atomics.h"
#include "utils/elog.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/store.h"

#define ERROR_KINDS			32
#define ERROR_LOG_MS		60000

typedef struct ErrorKind
{
	const char *kind;			/* a string constant */
	TimestampTz logged_at;
	uint64		left_out;		/* since then */
} ErrorKind;

static ErrorKind error_kinds[ERROR_KINDS];
static int	error_kinds_used = 0;

void
rvd_require_preload(void)
{
	if (rvd_preloaded())
		return;
	ereport(ERROR,
			(errcode(RVD_ERRCODE_NOT_PRELOADED),
			 errmsg("ruvector_dag is not loaded by shared_preload_libraries"),
			 errdetail("What is learned lives in shared memory, which can only be set up when the server starts."),
			 errhint("Put shared_preload_libraries = 'ruvector_dag' into postgresql.conf (after a comma if others are listed) and restart the server.")));
}

bool
rvd_error_is_interrupt(void)
{
	switch (geterrcode())
	{
		case ERRCODE_QUERY_CANCELED:
		case ERRCODE_ADMIN_SHUTDOWN:
		case ERRCODE_CRASH_SHUTDOWN:
		case ERRCODE_CANNOT_CONNECT_NOW:
		case ERRCODE_DATABASE_DROPPED:
		case ERRCODE_IDLE_SESSION_TIMEOUT:
		case ERRCODE_IDLE_IN_TRANSACTION_SESSION_TIMEOUT:
			return true;
		default:
			return false;
	}
}

/* The entry of a kind; kinds beyond the table share the last one. */
static ErrorKind *
rvd_error_kind(const char *kind)
{
	for (int i = 0; i < error_kinds_used; i++)
	{
		if (strcmp(error_kinds[i].kind, kind) == 0)
			return &error_kinds[i];
	}
	if (error_kinds_used == ERROR_KINDS)
		return &error_kinds[ERROR_KINDS - 1];
	error_kinds[error_kinds_used].kind = kind;
	return &error_kinds[error_kinds_used++];
}

void
rvd_swallow_error(const char *kind, MemoryContext restore)
{
	RvdDatabase *db = rvd_my_database();
	ErrorKind  *entry = rvd_error_kind(kind);
	TimestampTz now = GetCurrentTimestamp();
	ErrorData  *error;

	MemoryContextSwitchTo(restore);
	error = CopyErrorData();
	FlushErrorState();
	if (db != NULL)
		pg_atomic_fetch_add_u64(&db->errors, 1);

	if (entry->logged_at != 0 &&
		!TimestampDifferenceExceeds(entry->logged_at, now, ERROR_LOG_MS))
		entry->left_out++;
	else
	{
		ereport(LOG,
				(errcode(error->sqlerrcode),
				 errmsg("ruvector_dag: error while %s: %s", kind,
						error->message ? error->message : "(no message)"),
				 errdetail("The statement goes on without ruvector_dag. Errors of this kind not logged since the last report: %llu.",
						   (unsigned long long) entry->left_out),
				 errhidestmt(true)));
		entry->logged_at = now;
		entry->left_out = 0;
	}
	FreeErrorData(error);
}
