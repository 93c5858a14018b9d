/*-------------------------------------------------------------------------
 *
 * planner.c
 *	  planner_hook: which statements are ours to look at.
 *
 * A statement we are not to see, or that is cheap, goes straight on; the
 * others go through steer.c.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "optimizer/planner.h"
#include "portability/instr_time.h"
#include "storage/latch.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/hooks.h"
#include "ruvector_dag/neural.h"
#include "ruvector_dag/plan_cache.h"
#include "ruvector_dag/planning.h"
#include "ruvector_dag/settings.h"
#include "ruvector_dag/worker.h"

#include "steer.h"

/*
 * Right after a start the learner may not have loaded what was learned.  A
 * session's first expensive statement then waits for it, this long at most.
 */
#define LOAD_WAIT_MS		1000
#define LOAD_WAIT_STEP_MS	10
#define LOAD_WINDOW_MS		30000

/* One in so many decisions is timed. */
#define CLOCK_EVERY			16

static planner_hook_type prev_planner = NULL;

static PlannedStmt *
call_next(Query *query, const char *text, int cursor_options,
		  ParamListInfo params)
{
	if (prev_planner)
		return prev_planner(query, text, cursor_options, params);
	return standard_planner(query, text, cursor_options, params);
}

/* A run that is none of our business, possibly inside one that is. */
static PlannedStmt *
plan_unseen(Query *query, const char *text, int cursor_options,
			ParamListInfo params)
{
	RvdPlanning *outer = rvd_planning;
	PlannedStmt *stmt;

	if (outer == NULL)
		return call_next(query, text, cursor_options, params);
	rvd_planning = NULL;
	PG_TRY();
	{
		stmt = call_next(query, text, cursor_options, params);
	}
	PG_FINALLY();
	{
		rvd_planning = outer;
	}
	PG_END_TRY();
	return stmt;
}

static bool
database_ready(RvdDatabase *db)
{
	return db != NULL && pg_atomic_read_u32(&db->state) == RVD_DB_READY;
}

/* See LOAD_WAIT_MS.  Interruptible, once per session, holds nothing. */
static bool
wait_for_load(void)
{
	static bool waited = false;
	TimestampTz now = GetCurrentTimestamp();

	if (waited || TimestampDifferenceExceeds(rvd_control()->started_at, now,
											 LOAD_WINDOW_MS))
		return false;
	waited = true;
	for (int ms = 0; ms < LOAD_WAIT_MS; ms += LOAD_WAIT_STEP_MS)
	{
		if (database_ready(rvd_my_database()))
			return true;
		CHECK_FOR_INTERRUPTS();
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT |
						 WL_EXIT_ON_PM_DEATH, LOAD_WAIT_STEP_MS,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
	return database_ready(rvd_my_database());
}

static bool
is_ours(Query *query, RvdScope *scope)
{
	return rvd_neural_dag_enabled && !rvd_in_worker &&
		query->queryId != 0 && query->utilityStmt == NULL &&
		IsNormalProcessingMode() && IsTransactionState() &&
		!IsInParallelMode() && !IsParallelWorker() && !rvd_mid_command() &&
		rvd_scope_any() && rvd_scope_of_query(query, scope);
}

/* Now and then with the clock on it: the figure is for ruvector_dag_latency. */
static void
decide(RvdSteerJob *job)
{
	static uint32 calls = 0;
	instr_time	start;
	instr_time	end;

	if (calls++ % CLOCK_EVERY != 0)
	{
		rvd_decide(job->query, job->params, &job->scope, &job->decision);
		return;
	}
	INSTR_TIME_SET_CURRENT(start);
	rvd_decide(job->query, job->params, &job->scope, &job->decision);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	if (job->decision.action == RVD_ACT_PASS)
		rvd_operation_add(RVD_TIME_LOOKUP,
						  INSTR_TIME_GET_MILLISEC(end) * 1000.0);
}

static PlannedStmt *
rvd_planner(Query *query, const char *text, int cursor_options,
			ParamListInfo params)
{
	RvdSteerJob job;
	PlannedStmt *stmt;

	if (!is_ours(query, &job.scope))
		return plan_unseen(query, text, cursor_options, params);
	job.query = query;
	job.text = text;
	job.cursor_options = cursor_options;
	job.params = params;
	job.next = call_next;

	if (!database_ready(rvd_my_database()))
	{
		Query	   *copy = copyObject(query);

		stmt = plan_unseen(query, text, cursor_options, params);
		if (stmt->planTree->total_cost < job.scope.min_cost ||
			rvd_executor_depth() > 0 || !wait_for_load())
			return stmt;
		job.query = copy;
	}
	if (rvd_debug_plans())
		return rvd_debug_plan(&job);
	decide(&job);
	if (job.decision.action == RVD_ACT_PASS && rvd_debug_trial_seed == 0)
		return plan_unseen(job.query, text, cursor_options, params);
	stmt = rvd_steer_plan(&job);
	rvd_plan_cache_weigh(job.query, params, stmt);
	return stmt;
}

void
rvd_planner_hook_init(void)
{
	prev_planner = planner_hook;
	planner_hook = rvd_planner;
}
