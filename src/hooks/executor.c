/*-------------------------------------------------------------------------
 *
 * executor.c
 *	  The four executor hooks: measure, try, learn.
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

#include "ruvector_dag/arm.h"
#include "ruvector_dag/compat.h"
#include "ruvector_dag/decision.h"
#include "ruvector_dag/errors.h"
#include "ruvector_dag/hooks.h"
#include "ruvector_dag/plan_cache.h"
#include "ruvector_dag/settings.h"
#include "ruvector_dag/trial.h"
#include "ruvector_dag/worker.h"

#include "execution.h"
#include "explain.h"

static ExecutorStart_hook_type prev_ExecutorStart = NULL;
static ExecutorRun_hook_type prev_ExecutorRun = NULL;
static ExecutorFinish_hook_type prev_ExecutorFinish = NULL;
static ExecutorEnd_hook_type prev_ExecutorEnd = NULL;

static int	depth = 0;

int
rvd_executor_depth(void)
{
	return depth;
}

static bool
is_ours(QueryDesc *query_desc, int eflags)
{
	return rvd_neural_dag_enabled && !rvd_in_worker &&
		!(eflags & EXEC_FLAG_EXPLAIN_ONLY) &&
		query_desc->plannedstmt->queryId != 0 && !rvd_mid_command() &&
		rvd_scope_any() &&
		!IsParallelWorker() && !rvd_in_explain();
}

/* ---- settings of an arm that act while its plan runs, under EXPLAIN, too ------- */

static int
begin_arm(QueryDesc *query_desc)
{
	const RvdArm *arm = NULL;
	const RvdTag *tag = rvd_neural_dag_enabled && !rvd_in_worker ?
		rvd_tag_find(query_desc->plannedstmt) : NULL;

	if (rvd_debug_arm[0] && rvd_neural_dag_enabled && !rvd_in_worker &&
		!IsInParallelMode() && rvd_scope_any())
		arm = rvd_arm_by_name(rvd_debug_arm);
	else if (tag && tag->arm != RVD_ARM_NONE && !IsInParallelMode())
		arm = rvd_arm(tag->arm);
	return arm && arm->at_run ? rvd_arm_apply(arm, true) : 0;
}

static void
end_arm(int nest_level)
{
	if (nest_level > 0)
		rvd_arm_revert(nest_level);
}

/* ---- start --------------------------------------------------------------------- */

static void
begin_execution(QueryDesc *query_desc, RvdTag *tag, bool foreign_eyes,
				int instruments)
{
	RvdExecution *e = rvd_execution_begin(query_desc);

	if (e == NULL)
		return;
	e->foreign_eyes = foreign_eyes;
	e->counts_rows = instruments != 0;
	e->times_nodes = (instruments & INSTRUMENT_TIMER) != 0;
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
	uint32		tag_id = tag ? tag->id : 0;
	bool		foreign_eyes = query_desc->instrument_options != 0;
	int			instruments = 0;
	int			nest_level;
	RvdExecution *stale = rvd_execution_find(query_desc);

	rvd_plan_cache_restore(query_desc->plannedstmt);
	rvd_explain_note(query_desc, eflags);
	/* a failed cursor never came to its end, and its memory is used again */
	if (stale)
		rvd_execution_drop(stale);
	if (tag && tag->counts_rows &&
		(tag->executions == 0 || rvd_learn_want_rows(tag)))
		instruments = INSTRUMENT_ROWS;
	if (tag && tag->counts_rows && rvd_learn_want_times(tag))
		instruments = INSTRUMENT_ROWS | INSTRUMENT_TIMER;
	query_desc->instrument_options |= instruments;
	nest_level = begin_arm(query_desc);
	if (prev_ExecutorStart)
		prev_ExecutorStart(query_desc, eflags);
	else
		standard_ExecutorStart(query_desc, eflags);
	end_arm(nest_level);
	/* hooks behind ours may have asked for more than we did */
	foreign_eyes |= query_desc->instrument_options != instruments;
	if (ours)
		/* starting up may have run functions, and they recycled the slot */
		begin_execution(query_desc, rvd_tag_by_id(tag_id), foreign_eyes,
						instruments);
}

/* ---- run ----------------------------------------------------------------------- */

/* Try the candidates one after the other; true: one of them won. */
static bool
run_trials(RvdTrials *trials, QueryDesc *query_desc, RvdTrial *trial,
		   int *news)
{
	*news = 0;
	memset(trial, 0, offsetof(RvdTrial, seen));
	depth++;
	PG_TRY();
	{
		while (!trial->won && rvd_trials_next(trials, query_desc, trial))
		{
			*news += trial->seen.news;
			if (!trial->won)
				rvd_learn_abandoned(trial->tag, trial->ms, trial->failed);
		}
	}
	PG_CATCH();
	{
		depth--;
		/* a cancel or a time-out: the time is spent all the same */
		if (rvd_my_database() && !trial->won)
			pg_atomic_fetch_add_u64(&rvd_my_database()->regret_us,
									(int64) (trial->ms * 1000));
		PG_RE_THROW();
	}
	PG_END_TRY();
	depth--;
	return trial->won;
}

/* Try the candidates, if there are any and this is the moment; true: done. */
static bool
try_candidates(RvdExecution *e, QueryDesc *query_desc,
			   ScanDirection direction, uint64 count)
{
	RvdTag	   *tag = rvd_tag_by_id(e->tag_id);
	RvdTrials  *trials;
	RvdTrial	trial;
	RvdExecution *again;
	int			news;

	if (tag == NULL || tag->n_candidates == 0 || depth > 0 || e->runs > 0 ||
		count != 0 || !ScanDirectionIsForward(direction) ||
		!rvd_trial_run_allowed(query_desc, tag, e->foreign_eyes))
		return false;
	trials = rvd_trials_take(tag);
	if (trials == NULL)
		return false;
	(void) run_trials(trials, query_desc, &trial, &news);
	rvd_trials_end(trials);
	if (trial.tag == NULL)
		return false;

	/* functions in the candidates may have come and gone in the array */
	again = rvd_execution_find(query_desc);
	if (again)
	{
		again->trial = trial;
		again->trial.seen.news = news;
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
	int			nest_level = begin_arm(queryDesc);

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
	end_arm(nest_level);
}

static void
rvd_ExecutorRun(RVD_EXECUTOR_RUN_PARAMS)
{
	RvdExecution *e = rvd_execution_find(queryDesc);

	if (e == NULL)
	{
		pass_on_run(RVD_EXECUTOR_RUN_ARGS);
		return;
	}
	if (e->tag_id != 0 && try_candidates(e, queryDesc, direction, count))
		return;

	e = rvd_execution_find(queryDesc);
	if (e)
	{
		e->partial |= count != 0 || e->runs > 0;
		e->runs++;
		rvd_execution_start_clock(e);
	}
	pass_on_run(RVD_EXECUTOR_RUN_ARGS);
	e = rvd_execution_find(queryDesc);
	if (e)
		rvd_execution_stop_clock(e);
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
rvd_ExecutorEnd(QueryDesc *query_desc)
{
	RvdExecution *e = rvd_execution_find(query_desc);
	MemoryContext cxt = CurrentMemoryContext;

	if (e)
	{
		PG_TRY();
		{
			/* what was learned before is loaded first */
			if (rvd_database_loaded())
				rvd_execution_learn(e, query_desc);
		}
		PG_CATCH();
		{
			if (rvd_error_is_interrupt())
				PG_RE_THROW();
			rvd_swallow_error("learning from an execution", cxt);
		}
		PG_END_TRY();
		e = rvd_execution_find(query_desc);
		if (e)
			rvd_execution_drop(e);
	}
	if (prev_ExecutorEnd)
		prev_ExecutorEnd(query_desc);
	else
		standard_ExecutorEnd(query_desc);
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
	rvd_execution_init();
}
