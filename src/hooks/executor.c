/*-------------------------------------------------------------------------
 *
 * executor.c
 *	  The four executor hooks: measure, try, learn.
 *
 * Executions under way are kept in a small static array: an entry must
 * outlive the memory of a statement that fails, so that the transaction
 * callbacks can record it as censored, and nothing may be allocated per
 * statement.
 *
 * Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "executor/instrument.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/timestamp.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/decision.h"
#include "ruvector_dag/errors.h"
#include "ruvector_dag/hooks.h"
#include "ruvector_dag/observe.h"
#include "ruvector_dag/settings.h"
#include "ruvector_dag/trial.h"
#include "ruvector_dag/worker.h"

#define MAX_EXECUTIONS	32

typedef struct Execution
{
	QueryDesc  *query_desc;
	uint32		tag_id;			/* 0: only counted */
	SubTransactionId subxact;
	bool		foreign_eyes;	/* somebody else instruments it */
	bool		counts_rows;	/* we do */
	bool		partial;		/* read piecemeal */
	bool		running;
	uint32		runs;
	double		ms;				/* in ExecutorRun */
	instr_time	since;
	BufferUsage usage;			/* at its start */
	bool		after_trial;	/* an abandoned trial came before */
	bool		replaced;		/* the candidate's rows were sent instead */
	RvdTrial	trial;			/* tag in the statement's memory */
} Execution;

static ExecutorStart_hook_type prev_ExecutorStart = NULL;
static ExecutorRun_hook_type prev_ExecutorRun = NULL;
static ExecutorFinish_hook_type prev_ExecutorFinish = NULL;
static ExecutorEnd_hook_type prev_ExecutorEnd = NULL;

static Execution executions[MAX_EXECUTIONS];
static int	num_executions = 0;
static int	depth = 0;

int
rvd_executor_depth(void)
{
	return depth;
}

static Execution *
find_execution(QueryDesc *query_desc)
{
	for (int i = num_executions - 1; i >= 0; i--)
		if (executions[i].query_desc == query_desc)
			return &executions[i];
	return NULL;
}

static void
drop_execution(Execution *e)
{
	int			i = e - executions;

	num_executions--;
	if (i < num_executions)
		memmove(&executions[i], &executions[i + 1],
				sizeof(Execution) * (num_executions - i));
}

static double
clock_ms(instr_time since)
{
	instr_time	now;

	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, since);
	return INSTR_TIME_GET_MILLISEC(now);
}

static bool
is_ours(QueryDesc *query_desc, int eflags)
{
	return rvd_neural_dag_enabled && !rvd_in_worker &&
		!(eflags & EXEC_FLAG_EXPLAIN_ONLY) &&
		query_desc->plannedstmt->queryId != 0 && rvd_scope_any() &&
		!IsParallelWorker() && !rvd_in_explain();
}

/* ---- start --------------------------------------------------------------------- */

static void
begin_execution(QueryDesc *query_desc, RvdTag *tag, bool foreign_eyes,
				bool counts_rows)
{
	Execution  *e;

	if (num_executions == MAX_EXECUTIONS)
		return;
	e = &executions[num_executions++];
	memset(e, 0, offsetof(Execution, usage));
	e->after_trial = e->replaced = false;
	e->query_desc = query_desc;
	e->subxact = GetCurrentSubTransactionId();
	e->foreign_eyes = foreign_eyes;
	e->counts_rows = counts_rows;
	if (tag)
	{
		e->tag_id = tag->id;
		e->usage = pgBufferUsage;
		tag->executions++;
	}
}

static void
rvd_ExecutorStart(QueryDesc *query_desc, int eflags)
{
	bool		ours = is_ours(query_desc, eflags);
	RvdTag	   *tag = ours ? rvd_tag_find(query_desc->plannedstmt) : NULL;
	bool		foreign_eyes = query_desc->instrument_options != 0;
	bool		counts_rows = false;

	if (tag && rvd_learn_want_rows(tag))
	{
		query_desc->instrument_options |= INSTRUMENT_ROWS;
		counts_rows = true;
	}
	if (prev_ExecutorStart)
		prev_ExecutorStart(query_desc, eflags);
	else
		standard_ExecutorStart(query_desc, eflags);
	if (ours)
		begin_execution(query_desc, tag, foreign_eyes, counts_rows);
}

/* ---- run ----------------------------------------------------------------------- */

/* Try the candidate, if there is one and this is the moment; true: done. */
static bool
try_candidate(Execution *e, QueryDesc *query_desc, ScanDirection direction,
			  uint64 count)
{
	RvdTag	   *tag = rvd_tag_by_id(e->tag_id);
	RvdTrial	trial;
	Execution  *again;

	if (tag == NULL || !tag->has_candidate || depth > 0 || e->runs > 0 ||
		count != 0 || !ScanDirectionIsForward(direction) ||
		!rvd_trial_run_allowed(query_desc, tag, e->foreign_eyes))
		return false;

	depth++;
	PG_TRY();
	{
		rvd_trial_run(query_desc, tag, &trial);
	}
	PG_FINALLY();
	{
		depth--;
	}
	PG_END_TRY();
	if (trial.tag == NULL)
		return false;
	if (!trial.won)
		rvd_learn_abandoned(trial.tag, trial.ms, trial.failed);

	/* functions in the candidate may have come and gone in the array */
	again = find_execution(query_desc);
	if (again)
	{
		again->trial = trial;
		again->after_trial = !trial.won;
		again->replaced = trial.won;
		if (trial.won)
			again->ms = trial.ms;
	}
	return trial.won;
}

static void
pass_on_run(RVD_EXECUTOR_RUN_PARAMS)
{
	depth++;
	PG_TRY();
	{
		if (prev_ExecutorRun)
			prev_ExecutorRun(RVD_EXECUTOR_RUN_ARGS);
		else
			standard_ExecutorRun(RVD_EXECUTOR_RUN_ARGS);
	}
	PG_FINALLY();
	{
		depth--;
	}
	PG_END_TRY();
}

static void
rvd_ExecutorRun(RVD_EXECUTOR_RUN_PARAMS)
{
	Execution  *e = find_execution(queryDesc);

	if (e == NULL)
	{
		pass_on_run(RVD_EXECUTOR_RUN_ARGS);
		return;
	}
	if (e->tag_id != 0 && try_candidate(e, queryDesc, direction, count))
		return;

	e = find_execution(queryDesc);
	if (e)
	{
		e->partial |= count != 0 || e->runs > 0;
		e->runs++;
		e->running = true;
		INSTR_TIME_SET_CURRENT(e->since);
	}
	pass_on_run(RVD_EXECUTOR_RUN_ARGS);
	e = find_execution(queryDesc);
	if (e && e->running)
	{
		e->ms += clock_ms(e->since);
		e->running = false;
	}
}

static void
rvd_ExecutorFinish(QueryDesc *query_desc)
{
	depth++;
	PG_TRY();
	{
		if (prev_ExecutorFinish)
			prev_ExecutorFinish(query_desc);
		else
			standard_ExecutorFinish(query_desc);
	}
	PG_FINALLY();
	{
		depth--;
	}
	PG_END_TRY();
}

/* ---- end ----------------------------------------------------------------------- */

static void
record_trajectory(const Execution *e, const RvdRun *run, uint64 rows,
				  const float *nodes)
{
	const RvdTag *tag = run->tag;
	RvdDatabase *db = rvd_my_database();
	RvdTrajectory t;

	if (db == NULL)
		return;
	memset(&t, 0, sizeof(t));
	t.queryid = tag->queryid;
	t.instance = tag->seen_instance;
	t.plan_id = tag->fingerprint;
	t.recorded_at = GetCurrentTimestamp();
	t.planning_ms = tag->executions > 1 ? 0 : (float) tag->planning_ms;
	t.execution_ms = (float) run->ms;
	t.expected_ms = (float) tag->baseline_ms;
	t.rows = (double) rows;
	t.shared_hit = pgBufferUsage.shared_blks_hit - e->usage.shared_blks_hit;
	t.shared_read = pgBufferUsage.shared_blks_read - e->usage.shared_blks_read;
	t.temp_blocks = pgBufferUsage.temp_blks_read - e->usage.temp_blks_read +
		pgBufferUsage.temp_blks_written - e->usage.temp_blks_written;
	t.outcome = run->outcome;
	t.role = tag->role;
	t.trial = run->trial;
	t.trial_abandoned = run->after_trial;
	t.n_nodes = tag->n_nodes;
	for (int i = 0; i < tag->n_nodes; i++)
	{
		t.nodes[i].op = tag->nodes[i].op;
		t.nodes[i].depth = tag->nodes[i].depth;
		t.nodes[i].est_rows = tag->nodes[i].est_rows;
		t.nodes[i].act_rows = nodes ? nodes[i] : -1;
	}
	rvd_trajectory_push(db, &t);
}

static void
learn_replaced(Execution *e, RvdRun *run, uint64 rows)
{
	run->tag = e->trial.tag;
	run->trial = true;
	run->ms = e->trial.ms;
	run->est_cost = e->trial.tag->est_cost;
	run->counted_rows = e->trial.counted_rows;
	run->news = e->trial.news;
	run->outcome = RVD_RUN_COMPLETE;
	rvd_learn_run(run);
	record_trajectory(e, run, rows, run->counted_rows ? e->trial.nodes : NULL);
}

static void
learn_execution(Execution *e, QueryDesc *query_desc)
{
	PlannedStmt *stmt = query_desc->plannedstmt;
	RvdTag	   *tag = rvd_tag_by_id(e->tag_id);
	uint64		rows = query_desc->estate->es_processed;
	float		nodes[RVD_TRAJECTORY_NODES];
	RvdRun		run;

	memset(&run, 0, sizeof(run));
	run.query = query_desc->sourceText;
	run.relations = stmt->relationOids;
	if (e->replaced)
	{
		learn_replaced(e, &run, rows);
		return;
	}
	if (tag == NULL)
		return;
	run.tag = tag;
	run.ms = e->ms;
	run.est_cost = tag->est_cost;
	run.after_trial = e->after_trial;
	run.outcome = e->runs > 0 && !e->partial ? RVD_RUN_COMPLETE :
		RVD_RUN_PARTIAL;
	if (e->counts_rows && run.outcome == RVD_RUN_COMPLETE)
	{
		run.news = rvd_observe_rows(query_desc, tag, true, nodes);
		run.counted_rows = true;
	}
	run.news += e->after_trial ? e->trial.news : 0;
	rvd_learn_run(&run);
	record_trajectory(e, &run, rows, run.counted_rows ? nodes : NULL);
}

static void
end_execution(Execution *e, QueryDesc *query_desc)
{
	PlannedStmt *stmt = query_desc->plannedstmt;
	RvdScope	scope;

	if (e->tag_id != 0)
		learn_execution(e, query_desc);
	else if (rvd_scope_of_relations(stmt->relationOids, &scope))
		rvd_learn_count(stmt->queryId, stmt->planTree->total_cost, e->ms,
						scope.min_cost, query_desc->sourceText,
						stmt->relationOids);
}

static void
rvd_ExecutorEnd(QueryDesc *query_desc)
{
	Execution  *e = find_execution(query_desc);
	MemoryContext cxt = CurrentMemoryContext;

	if (e)
	{
		PG_TRY();
		{
			if (rvd_my_database())
				end_execution(e, query_desc);
		}
		PG_CATCH();
		{
			rvd_swallow_error("learning from an execution", cxt);
		}
		PG_END_TRY();
		e = find_execution(query_desc);
		if (e)
			drop_execution(e);
	}
	if (prev_ExecutorEnd)
		prev_ExecutorEnd(query_desc);
	else
		standard_ExecutorEnd(query_desc);
}

/* ---- statements that never came to their end ------------------------------------- */

/*
 * Error or cancel: at least this slow, and nothing else is known.  The
 * statement's memory may be gone: only what the entry holds is used.
 */
static void
record_censored(Execution *e)
{
	RvdTag	   *tag = rvd_tag_by_id(e->tag_id);
	RvdRun		run;

	if (tag == NULL || rvd_my_database() == NULL)
		return;
	if (e->running)
		e->ms += clock_ms(e->since);
	memset(&run, 0, sizeof(run));
	run.tag = tag;
	run.ms = e->ms;
	run.est_cost = tag->est_cost;
	run.outcome = RVD_RUN_FAILED;
	run.after_trial = e->after_trial;
	rvd_learn_run(&run);
	record_trajectory(e, &run, 0, NULL);
}

static void
forget_executions(SubTransactionId subxact, bool all, bool failed)
{
	for (int i = num_executions - 1; i >= 0; i--)
		if (all || executions[i].subxact == subxact)
		{
			if (failed && executions[i].runs > 0)
				record_censored(&executions[i]);
			drop_execution(&executions[i]);
		}
}

static void
on_transaction_end(XactEvent event, void *arg)
{
	if (num_executions == 0)
		return;
	switch (event)
	{
		case XACT_EVENT_ABORT:
			forget_executions(InvalidSubTransactionId, true, true);
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
			forget_executions(InvalidSubTransactionId, true, false);
			break;
		default:
			break;
	}
}

static void
on_subtransaction_end(SubXactEvent event, SubTransactionId subxact,
					  SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_executions(subxact, false, true);
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		for (int i = 0; i < num_executions; i++)
			if (executions[i].subxact == subxact)
				executions[i].subxact = parent;
	}
}

void
rvd_executor_hooks_init(void)
{
	prev_ExecutorStart = ExecutorStart_hook;
	ExecutorStart_hook = rvd_ExecutorStart;
	prev_ExecutorRun = ExecutorRun_hook;
	ExecutorRun_hook = rvd_ExecutorRun;
	prev_ExecutorFinish = ExecutorFinish_hook;
	ExecutorFinish_hook = rvd_ExecutorFinish;
	prev_ExecutorEnd = ExecutorEnd_hook;
	ExecutorEnd_hook = rvd_ExecutorEnd;
	RegisterXactCallback(on_transaction_end, NULL);
	RegisterSubXactCallback(on_subtransaction_end, NULL);
}
