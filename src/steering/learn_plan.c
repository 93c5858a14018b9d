/*-------------------------------------------------------------------------
 *
 * learn_plan.c
 *	  What a run taught about its plan, and what it is judged to be.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "ruvector_dag/decision.h"
#include "ruvector_dag/look.h"
#include "ruvector_dag/world.h"

#include "learn_run.h"

static void
reference_ratio(const RvdTag *tag, uint64 best_plan, RvdLatency *ratio)
{
	RvdKey		key = {rvd_plan_key(tag->queryid, tag->instance, best_plan),
	MyDatabaseId};
	RvdPlan    *plan;

	memset(ratio, 0, sizeof(*ratio));
	if (best_plan == 0)
		return;
	plan = rvd_table_find(rvd_table(RVD_PLANS), key, false, false);
	if (plan == NULL)
		return;
	*ratio = plan->ratio;
	rvd_table_release(rvd_table(RVD_PLANS), key);
}

/*
 * Time against the stock plan's, planning included on both sides where it
 * was planned for this execution: a plan that is dearer to make must be
 * faster by more than that.
 */
static double
ratio_of(const RvdRun *run)
{
	const RvdTag *tag = run->tag;

	if (tag->executions > 1 || tag->stock_planning_ms <= 0)
		return run->ms / tag->baseline_ms;
	return (run->ms + tag->planning_ms) /
		(tag->baseline_ms + tag->stock_planning_ms);
}

/* What the server chooses now, tried against a plan kept in use. */
#define AS_GOOD				1.1

static bool
judge_stock(RvdPlan *plan, const RvdRun *run)
{
	if (run->ms <= AS_GOOD * run->tag->expected_ms)
	{
		rvd_plan_change_role(plan, RVD_PLAN_BASELINE, RVD_REASON_STOCK);
		return true;
	}
	rvd_plan_change_role(plan, RVD_PLAN_REJECTED, RVD_REASON_NO_GAIN);
	return false;
}

void
rvd_learn_plan(const RvdRun *run, const RvdInstanceView *view, bool demoted)
{
	const RvdTag *tag = run->tag;
	RvdKey		key = {rvd_plan_key(tag->queryid, tag->instance,
									tag->fingerprint), MyDatabaseId};
	RvdLatency	reference;
	RvdVerdict	verdict = RVD_UNDECIDED;
	double		log_ratio;
	bool		adopted = false;
	RvdPlan    *plan;

	reference_ratio(tag, view->best_plan, &reference);
	plan = rvd_table_find(rvd_table(RVD_PLANS), key, true, false);
	if (plan == NULL)
		return;
	if (run->outcome == RVD_RUN_COMPLETE && !run->timed)
	{
		rvd_latency_add(&plan->latency, run->ms);
		if (tag->baseline_ms > 0)
			rvd_latency_add(&plan->ratio, ratio_of(run));
	}
	else if (run->outcome == RVD_RUN_FAILED && !run->timed)
		rvd_latency_add_censored(&plan->latency, run->ms);
	plan->observed += run->counted_rows;
	plan->timed += run->timed;
	plan->last_used = GetCurrentTimestamp();
	if (run->trial)
		plan->trials++;
	if (run->trial && tag->stock)
		adopted = judge_stock(plan, run);
	/* a plan is no rival of itself */
	else if (run->trial && view->best_plan != tag->fingerprint)
	{
		verdict = rvd_guard_judge(&plan->ratio,
								  view->best_plan ? &reference : NULL,
								  Max(view->baseline.n, 1),
								  rvd_latency_variance(&view->baseline));
		if (verdict == RVD_PROMOTE)
			rvd_plan_change_role(plan, RVD_PLAN_PROVEN, RVD_REASON_FASTER);
		else if (verdict == RVD_REJECT)
			rvd_plan_change_role(plan, RVD_PLAN_REJECTED, RVD_REASON_NO_GAIN);
	}
	else if (demoted)
	{
		rvd_plan_change_role(plan, RVD_PLAN_REJECTED, RVD_REASON_DEMOTED);
		memset(&plan->ratio, 0, sizeof(plan->ratio));
	}
	log_ratio = plan->ratio.mean;
	plan->head.value = (float) (plan->latency.sum_ms *
								(tag->pinned ? 1e6 :
								 plan->role == RVD_PLAN_PROVEN ? 100 : 1));
	plan->head.dirty = true;
	rvd_table_release(rvd_table(RVD_PLANS), key);

	if (adopted)
		rvd_learn_adopt_stock(tag, run->ms);
	else if (run->trial && tag->stock)
		rvd_learn_verdict(tag, RVD_REJECT);
	else if (run->trial && view->best_plan != tag->fingerprint)
		rvd_learn_verdict(tag, verdict);
	if (verdict == RVD_PROMOTE && tag->has_stock_code)
		rvd_reflect_proven(&tag->stock_code, tag->queryid, tag->fingerprint,
						   log_ratio);
}
