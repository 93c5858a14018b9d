/*-------------------------------------------------------------------------
 *
 * after_run.c
 *	  An execution came to its end, or did not: what is recorded.
 *
 * Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/timestamp.h"

#include "ruvector_dag/decision.h"
#include "ruvector_dag/look.h"
#include "ruvector_dag/observe.h"
#include "ruvector_dag/plan_cache.h"
#include "ruvector_dag/settings.h"

#include "execution.h"

static void
describe_plan(RvdTrajectory *t, const RvdTag *tag, const RvdObservation *seen)
{
	const RvdLook *look = &tag->look;

	t->n_nodes = tag->n_nodes;
	for (int i = 0; i < tag->n_nodes; i++)
	{
		t->nodes[i].op = tag->nodes[i].op;
		t->nodes[i].depth = tag->nodes[i].depth;
		t->nodes[i].est_rows = tag->nodes[i].est_rows;
		t->nodes[i].act_rows = seen->rows[i];
		t->nodes[i].self_ms = seen->self_ms[i];
	}
	memcpy(t->targets, seen->targets, sizeof(t->targets));
	t->embedded = look->embedded;
	t->attention = (int16) look->attention;
	t->total_cost = look->total_cost;
	t->embedding_key = look->embedding_key;
	if (look->prediction.known)
		t->predicted_ms = (float) exp(look->prediction.log_ms);
	memcpy(t->plan, look->plan, sizeof(t->plan));
	memcpy(t->embedding, look->embedding, sizeof(t->embedding));
}

static void
record_trajectory(const RvdExecution *e, const RvdRun *run, uint64 rows,
				  const RvdObservation *seen)
{
	const RvdTag *tag = run->tag;
	RvdDatabase *db = rvd_my_database();
	RvdTrajectory t;
	instr_time	start;

	if (db == NULL || !rvd_part_on(RVD_PART_RING))
		return;
	INSTR_TIME_SET_CURRENT(start);
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
	t.quality = (float) rvd_quality(run->ms, tag->baseline_ms);
	describe_plan(&t, tag, seen);
	rvd_trajectory_push(db, &t);
	rvd_operation_add(RVD_TIME_RECORD,
					  rvd_execution_clock(start) * 1000.0);
}

/* Everything one run teaches, in the order of the design's instant loop. */
static void
learn_all(RvdExecution *e, RvdRun *run, uint64 rows,
		  const RvdObservation *seen)
{
	instr_time	start;

	INSTR_TIME_SET_CURRENT(start);
	run->counted_rows = seen->counted;
	run->timed = seen->timed;
	run->news = seen->news;
	if (e->after_trial)
		run->news += e->trial.seen.news;
	rvd_learn_run(run);
	rvd_plan_cache_learn(run);
	if (e->after_trial && e->trial.tag->first_run && !e->trial.failed &&
		run->outcome == RVD_RUN_COMPLETE)
		rvd_reflect_abandoned(&e->trial.tag->look, e->trial.tag->queryid,
							  e->trial.tag->fingerprint, e->trial.ms,
							  run->ms);
	/* clocks at every node made it slower than it is */
	if (!run->timed)
		rvd_reflect_run(&run->tag->look, run, seen->targets);
	record_trajectory(e, run, rows, seen);
	rvd_operation_add(RVD_TIME_INSTANT, rvd_execution_clock(start) * 1000.0);
}

static void
learn_replaced(RvdExecution *e, RvdRun *run, uint64 rows)
{
	run->tag = e->trial.tag;
	run->trial = true;
	run->ms = e->trial.ms;
	run->est_cost = e->trial.tag->est_cost;
	run->outcome = RVD_RUN_COMPLETE;
	learn_all(e, run, rows, &e->trial.seen);
}

static void
learn_execution(RvdExecution *e, QueryDesc *query_desc)
{
	PlannedStmt *stmt = query_desc->plannedstmt;
	RvdTag	   *tag = rvd_tag_by_id(e->tag_id);
	uint64		rows = query_desc->estate->es_processed;
	RvdObservation seen;
	RvdRun		run;

	memset(&run, 0, sizeof(run));
	run.query = query_desc->sourceText;
	run.range_table = stmt->rtable;
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
		rvd_observe_run(query_desc, tag, true, e->times_nodes, &seen);
	else
		rvd_observation_init(&seen);
	learn_all(e, &run, rows, &seen);
}

void
rvd_execution_learn(RvdExecution *e, QueryDesc *query_desc)
{
	PlannedStmt *stmt = query_desc->plannedstmt;
	RvdScope	scope;

	if (e->tag_id != 0)
		learn_execution(e, query_desc);
	else if (rvd_scope_of_plan(stmt, &scope))
		rvd_learn_count(stmt->queryId, stmt->planTree->total_cost, e->ms,
						scope.min_cost, query_desc->sourceText,
						stmt->rtable);
}

/*
 * Error or cancel: at least this slow, and nothing else is known.  The
 * statement's memory may be gone: only what the entry holds is used.
 */
void
rvd_execution_censored(RvdExecution *e)
{
	RvdTag	   *tag = rvd_tag_by_id(e->tag_id);
	RvdObservation nothing;
	RvdRun		run;

	if (tag == NULL || rvd_my_database() == NULL)
		return;
	rvd_execution_stop_clock(e);
	memset(&run, 0, sizeof(run));
	run.tag = tag;
	run.ms = e->ms;
	run.est_cost = tag->est_cost;
	run.outcome = RVD_RUN_FAILED;
	run.after_trial = e->after_trial;
	rvd_observation_init(&nothing);
	nothing.counted = e->counts_rows;
	nothing.timed = e->times_nodes;
	learn_all(e, &run, 0, &nothing);
}
