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

#include "utils/timestamp.h"

#include "ruvector_dag/decision.h"
#include "ruvector_dag/observe.h"

#include "execution.h"

static void
record_trajectory(const RvdExecution *e, const RvdRun *run, uint64 rows,
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
learn_replaced(RvdExecution *e, RvdRun *run, uint64 rows)
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
learn_execution(RvdExecution *e, QueryDesc *query_desc)
{
	PlannedStmt *stmt = query_desc->plannedstmt;
	RvdTag	   *tag = rvd_tag_by_id(e->tag_id);
	uint64		rows = query_desc->estate->es_processed;
	float		nodes[RVD_TRAJECTORY_NODES];
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
	{
		run.news = rvd_observe_rows(query_desc, tag, true, nodes);
		run.counted_rows = true;
	}
	run.news += e->after_trial ? e->trial.news : 0;
	rvd_learn_run(&run);
	record_trajectory(e, &run, rows, run.counted_rows ? nodes : NULL);
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
	RvdRun		run;

	if (tag == NULL || rvd_my_database() == NULL)
		return;
	if (e->running)
		e->ms += rvd_execution_clock(e->since);
	memset(&run, 0, sizeof(run));
	run.tag = tag;
	run.ms = e->ms;
	run.est_cost = tag->est_cost;
	run.outcome = RVD_RUN_FAILED;
	run.after_trial = e->after_trial;
	rvd_learn_run(&run);
	record_trajectory(e, &run, 0, NULL);
}
