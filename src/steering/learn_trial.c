/*-------------------------------------------------------------------------
 *
 * learn_trial.c
 *	  A trial that was stopped, or that failed.
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

#include "learn_run.h"

/* Pooled: wins that make up for an abandoned trial. */
#define POOLED_WINS			3

/* Stopped so late, or so often, that it is not worth another trial. */
#define FINAL_SHARE			0.6
#define FINAL_CUTS			2

/*
 * A trial that was stopped: note with the instance how slow the plan is at
 * least.  True: that settles it.
 */
static bool
judge_cut(const RvdTag *tag, double ms, bool failed)
{
	RvdKey		key = {rvd_instance_key(tag->queryid, tag->instance),
	MyDatabaseId};
	RvdInstance *i;
	bool		final = failed || tag->expected_ms <= 0 ||
		ms >= FINAL_SHARE * tag->expected_ms;

	if (tag->pooled || tag->first_run || tag->baseline_ms <= 0)
		return final;
	i = rvd_table_find(rvd_table(RVD_INSTANCES), key, true, false);
	if (i == NULL)
		return final;
	/* what the baseline is expected to take was measured before the change */
	if (tag->stock && i->baseline_plan == tag->fingerprint &&
		ms > rvd_latency_typical(&i->baseline))
	{
		memset(&i->baseline, 0, sizeof(i->baseline));
		rvd_latency_add(&i->baseline, ms);
	}
	for (int k = 0; k < i->n_candidates; k++)
	{
		RvdCandidate *c = &i->candidates[k];

		if (c->plan != tag->fingerprint)
			continue;
		c->cut = Max(c->cut, (float) (ms / tag->baseline_ms));
		final |= ++c->trials >= FINAL_CUTS;
	}
	i->lost++;
	i->head.dirty = true;
	rvd_table_release(rvd_table(RVD_INSTANCES), key);
	return final;
}

void
rvd_learn_abandoned(const RvdTag *candidate, double ms, bool failed)
{
	RvdKey		key = {rvd_plan_key(candidate->queryid, candidate->instance,
									candidate->fingerprint), MyDatabaseId};
	RvdKey		class_key = {(uint64) candidate->queryid, MyDatabaseId};
	RvdDatabase *db = rvd_my_database();
	RvdPlan    *plan;
	RvdClass   *c;
	bool		final;

	if (db)
	{
		pg_atomic_fetch_add_u64(&db->trials, 1);
		pg_atomic_fetch_add_u64(&db->trials_abandoned, 1);
		pg_atomic_fetch_add_u64(&db->regret_us, (int64) (ms * 1000.0));
	}
	final = judge_cut(candidate, ms, failed);
	plan = rvd_table_find(rvd_table(RVD_PLANS), key, true, false);
	if (plan != NULL)
	{
		plan->trials++;
		plan->trials_abandoned++;
		rvd_latency_add_censored(&plan->latency, ms);
		if (candidate->baseline_ms > 0)
			rvd_latency_add_censored(&plan->ratio, ms / candidate->baseline_ms);

		/*
		 * Among many instances one slow run does not outweigh the wins; and
		 * what was only predicted is no measure to reject by.
		 */
		if (candidate->first_run && !failed)
			;
		else if (failed || (candidate->pooled ?
							plan->trials_abandoned * POOLED_WINS > plan->ratio.n :
							final))
			rvd_plan_change_role(plan, RVD_PLAN_REJECTED,
								 failed ? RVD_REASON_FAILED : RVD_REASON_ABANDONED);
		else if (!candidate->pooled)
			rvd_plan_change_role(plan, RVD_PLAN_CANDIDATE, RVD_REASON_CUT);
		plan->head.dirty = true;
		rvd_table_release(rvd_table(RVD_PLANS), key);
	}
	if (!candidate->first_run && final)
		rvd_learn_verdict(candidate, RVD_REJECT);
	/* how bad the first of all runs was is known after the reference's */
	if (!failed && !candidate->first_run && !candidate->pooled)
		rvd_reflect_abandoned(&candidate->look, candidate->queryid,
							  candidate->fingerprint, ms,
							  candidate->expected_ms);
	c = rvd_table_find(rvd_table(RVD_CLASSES), class_key, true, false);
	if (c != NULL)
	{
		c->trials++;
		c->trials_abandoned++;
		c->regret_ms += ms;
		if (!failed)
			rvd_learn_arm(c, candidate, ms, true);
		c->head.dirty = true;
		rvd_table_release(rvd_table(RVD_CLASSES), class_key);
	}
}
