/*-------------------------------------------------------------------------
 *
 * guard_plan.c
 *	  The guard where plans are made: changes of the server's mind and of the
 *	  tables are noticed here.
 *
 * It works where nothing was learned, too: the estimates that made a
 * statement's stock plan are noted, so that this plan can be made again after
 * the server has come to prefer another.
 *
 * Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/elog.h"

#include "ruvector_dag/decision.h"
#include "ruvector_dag/hooks.h"
#include "ruvector_dag/plan_dag.h"
#include "ruvector_dag/settings.h"
#include "ruvector_dag/trial.h"
#include "ruvector_dag/world.h"

#include "steer.h"

/* Runs of a stock plan that make it worth holding on to. */
#define WORTH_HOLDING		2

static char *
skeleton_of(const RvdPlanned *planned)
{
	StringInfoData text;

	initStringInfo(&text);
	rvd_plan_dag_skeleton(&planned->dag, &text);
	return text.data;
}

static void
log_hold(const RvdSteerJob *job, const RvdPlanned *held,
		 const RvdPlanned *fresh, const char *trigger)
{
	ereport(LOG,
			(errmsg("ruvector_dag: query " INT64_FORMAT " keeps its plan, though the server would now choose another",
					job->decision.queryid),
			 errdetail("Trigger: %s.  Kept plan, %.1f ms so far:\n%s\nNew plan, to be tried:\n%s",
					   trigger, job->decision.baseline_ms, skeleton_of(held),
					   skeleton_of(fresh)),
			 errhidestmt(true)));
}

bool
rvd_guard_hold(RvdSteerJob *job, RvdPlanned *fresh, RvdPlanned *held)
{
	RvdDecision *d = &job->decision;
	char		trigger[RVD_TRIGGER_TEXT];
	RvdLatency	latency;

	/* only where the new plan can be tried */
	if (d->pooled || d->first_run || job->scope.mode != RVD_MODE_AUTO ||
		rvd_in_explain() || rvd_executor_depth() > 0 || d->pinned_plan != 0 || d->best_plan != 0 || d->baseline_plan == 0 ||
		d->baseline_runs < WORTH_HOLDING ||
		!rvd_trial_query_allowed(job->query, job->cursor_options) ||
		!rvd_decide_read_plan(d, d->baseline_plan, &d->best_memo, &latency) ||
		d->best_memo.n == 0)
		return false;
	if (!rvd_steer_replay(job, held, &d->best_memo, d->baseline_plan))
		return false;
	rvd_decide_charge_planning(d, held->ms);
	rvd_decide_note_plan(d, fresh->stmt, fresh->fingerprint,
						 RVD_PLAN_CANDIDATE,
						 fresh->stmt->planTree->total_cost, NULL);
	rvd_world_trigger(fresh->stmt, d->last_used, trigger, sizeof(trigger));
	rvd_decide_hold(d, fresh->fingerprint, trigger);
	d->reference_ms = d->baseline_ms;
	log_hold(job, held, fresh, trigger);
	return true;
}

/* What the server would choose is to be tried against what is in use. */
static void
revalidate(RvdSteerJob *job, const RvdPlanned *best, const RvdWorld *world)
{
	RvdDecision *d = &job->decision;
	RvdPlanSpec stock = {.kind = RVD_PLAN_STOCK};
	RvdPlanned	planned;
	char		trigger[RVD_TRIGGER_TEXT];

	rvd_steer_run_guarded(job, &planned, &stock);
	rvd_decide_charge_planning(d, planned.ms);
	if (!rvd_steer_identify(&planned))
	{
		rvd_decide_note_world(d, world, false);
		return;
	}
	if (d->world == RVD_WORLD_SUSPECT)
		snprintf(trigger, sizeof(trigger), "slower than it was");
	else
		rvd_world_trigger(best->stmt, d->last_used, trigger, sizeof(trigger));
	rvd_decide_note_plan(d, planned.stmt, planned.fingerprint,
						 RVD_PLAN_CANDIDATE,
						 planned.stmt->planTree->total_cost, NULL);
	rvd_decide_revalidate(d, planned.fingerprint, world, trigger);
}

void
rvd_guard_best(RvdSteerJob *job, const RvdPlanned *best)
{
	RvdDecision *d = &job->decision;
	RvdWorld	world;

	if (d->pinned_plan != 0 || rvd_in_explain() || rvd_executor_depth() > 0)
		return;
	rvd_world_of(best->stmt, &world);
	if (d->world == 0)
		rvd_decide_note_world(d, &world, false);
	else if (rvd_world_differs(&world, d->world, d->world_pages))
		revalidate(job, best, &world);
}

void
rvd_guard_baseline(RvdSteerJob *job, const RvdPlanned *stock)
{
	RvdDecision *d = &job->decision;
	RvdWorld	world;

	if (d->first_run || d->pooled || rvd_in_explain())
		return;
	rvd_world_of(stock->stmt, &world);
	if (rvd_world_differs(&world, d->world, d->world_pages))
		rvd_decide_note_world(d, &world, d->world != 0);
}
