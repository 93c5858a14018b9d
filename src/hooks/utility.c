/*-------------------------------------------------------------------------
 *
 * utility.c
 *	  ProcessUtility_hook: EXPLAIN, commands under way, and leaving databases
 *	  that are dropped.
 *
 * The planner hook cannot tell a plan made for EXPLAIN from any other, nor
 * one made half way through an ALTER TABLE; here both can be noted.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "commands/dbcommands.h"
#include "nodes/parsenodes.h"
#include "tcop/utility.h"

#include "ruvector_dag/hooks.h"
#include "ruvector_dag/store.h"
#include "ruvector_dag/worker.h"

#include "explain.h"

static ProcessUtility_hook_type prev_ProcessUtility = NULL;

/* Executor depth, plus one, of the innermost EXPLAIN or look; 0: none. */
static int	explain_at = 0;

/* Inside a command that changes catalogs or other things bit by bit. */
static bool in_definition = false;

bool
rvd_in_explain(void)
{
	return explain_at == rvd_executor_depth() + 1;
}

int
rvd_looking_begin(void)
{
	int			saved = explain_at;

	explain_at = rvd_executor_depth() + 1;
	return saved;
}

void
rvd_looking_end(int saved)
{
	explain_at = saved;
}

/*
 * Is a command under way that has written something it does not see itself
 * yet?  Subtransactions end with CommandCounterIncrement(), after which it
 * would: a partition half detached, say.  Statements planned in there (by
 * referential integrity checks, stable functions, triggers) are let alone.
 */
bool
rvd_mid_command(void)
{
	return (in_definition || rvd_executor_depth() > 0) &&
		TransactionIdIsValid(GetTopTransactionIdIfAny());
}

/* These plan or run statements while nothing of their own is half done. */
static bool
runs_statements(Node *stmt)
{
	switch (nodeTag(stmt))
	{
		case T_CallStmt:
		case T_ConstraintsSetStmt:
		case T_CopyStmt:
		case T_CreateTableAsStmt:
		case T_DeclareCursorStmt:
		case T_DoStmt:
		case T_ExecuteStmt:
		case T_ExplainStmt:
		case T_FetchStmt:
		case T_PrepareStmt:
		case T_RefreshMatViewStmt:
			return true;
		default:
			return false;
	}
}

static void
pass_on(PlannedStmt *pstmt, const char *text, bool read_only,
		ProcessUtilityContext context, ParamListInfo params,
		QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	if (prev_ProcessUtility)
		prev_ProcessUtility(pstmt, text, read_only, context, params, env, dest,
							qc);
	else
		standard_ProcessUtility(pstmt, text, read_only, context, params, env,
								dest, qc);
}

/* A database that is dropped or copied may have nobody connected to it. */
static void
release_database(Node *stmt)
{
	const char *name = NULL;
	ListCell   *lc;
	Oid			database;

	if (IsA(stmt, DropdbStmt))
		name = ((DropdbStmt *) stmt)->dbname;
	else if (IsA(stmt, CreatedbStmt))
		foreach(lc, ((CreatedbStmt *) stmt)->options)
		{
			DefElem    *option = (DefElem *) lfirst(lc);

			if (strcmp(option->defname, "template") == 0 && option->arg &&
				IsA(option->arg, String))
				name = strVal(option->arg);
		}
	if (name == NULL)
		return;
	database = get_database_oid(name, true);
	if (OidIsValid(database))
		rvd_worker_release_database(database);
}

static void
explain(PlannedStmt *pstmt, const char *text, bool read_only,
		ProcessUtilityContext context, ParamListInfo params,
		QueryEnvironment *env, DestReceiver *dest, QueryCompletion *qc)
{
	RvdExplainRun run;
	DestReceiver *ours = rvd_explain_begin(&run, pstmt, dest);
	int			saved = rvd_looking_begin();

	PG_TRY();
	{
		pass_on(pstmt, text, read_only, context, params, env, ours, qc);
	}
	PG_FINALLY();
	{
		rvd_explain_end(&run);
		rvd_looking_end(saved);
	}
	PG_END_TRY();
}

static void
rvd_ProcessUtility(PlannedStmt *pstmt, const char *text, bool read_only,
				   ProcessUtilityContext context, ParamListInfo params,
				   QueryEnvironment *env, DestReceiver *dest,
				   QueryCompletion *qc)
{
	Node	   *stmt = pstmt->utilityStmt;
	bool		was_in_definition = in_definition;

	if (IsA(stmt, DropdbStmt) || IsA(stmt, CreatedbStmt))
		release_database(stmt);
	if (IsA(stmt, ExplainStmt))
	{
		explain(pstmt, text, read_only, context, params, env, dest, qc);
		return;
	}
	if (!runs_statements(stmt))
		in_definition = true;
	PG_TRY();
	{
		pass_on(pstmt, text, read_only, context, params, env, dest, qc);
	}
	PG_FINALLY();
	{
		in_definition = was_in_definition;
	}
	PG_END_TRY();
}

void
rvd_utility_hook_init(void)
{
	prev_ProcessUtility = ProcessUtility_hook;
	ProcessUtility_hook = rvd_ProcessUtility;
	rvd_explain_init();
}
