/*-------------------------------------------------------------------------
 *
 * learn.c
 *	  What a run taught about its instance and plan: promotion, demotion.
 *
 * Each entry is updated under its own partition lock, never two at once; an
 * update whose lock is not to be had is given up (and counted by the store).
 * The figures are statistics: losing one now and then harms nothing.
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

#define BASELINE_RUNS		2

/* Pooled: wins that make up for an abandoned trial. */
#define POOLED_WINS			3

/* ---- instance ------------------------------------------------------------- */

/* What the plan update needs to know of its instance. */
typedef struct InstanceView
{
	RvdLatency	baseline;
	uint64		best_plan;
} InstanceView;

/* Spread of ln ms of one plan that is no drift. */
#define USUAL_SPREAD		0.2
#define DRIFT_DELTA			0.5
#define DRIFT_LAMBDA		10.0

static bool
drifts(RvdInstance *i, double ms)
{
	return rvd_page_hinkley_add(&i->drift, log(Max(ms, 0.001)) / USUAL_SPREAD,
								DRIFT_DELTA, DRIFT_LAMBDA);
}

/* Half old, half new: planning times settle once caches are warm. */
static void
learn_planning(RvdInstance *i, const RvdRun *run)
{
	if (run->tag->executions > 1)
		return;					/* a cached plan */
	i->planning_ms = i->planning_ms > 0 ?
		(i->planning_ms + run->tag->planning_ms) / 2 : run->tag->planning_ms;
}

/* Row counts changed: what arms with learned rows lead to is not known. */
static void
look_again(RvdInstance *i)
{
	i->arms_planned = 0;
	i->state = RVD_INSTANCE_EXPLORING;
}

static void
learn_baseline_run(RvdInstance *i, const RvdRun *run)
{
	const RvdTag *tag = run->tag;

	if (tag->pooled)
	{
		i->state = RVD_INSTANCE_EXPLORING;
		learn_planning(i, run);
		return;
	}
	if (i->baseline_plan != tag->fingerprint)
	{
		/* the server changed its mind: what was measured is of another plan */
		i->baseline_plan = tag->fingerprint;
		memset(&i->baseline, 0, sizeof(i->baseline));
		i->state = RVD_INSTANCE_LEARNING;
		i->arms_planned = 0;
		i->n_candidates = 0;
	}
	i->baseline_cost = run->est_cost;
	learn_planning(i, run);
	if (run->timed)
		return;					/* slower than it is */
	/* it takes another time than it used to: measured anew */
	if (run->outcome == RVD_RUN_COMPLETE && drifts(i, run->ms))
	{
		memset(&i->baseline, 0, sizeof(i->baseline));
		i->state = RVD_INSTANCE_LEARNING;
	}
	if (run->outcome == RVD_RUN_COMPLETE)
		rvd_latency_add(&i->baseline, run->ms);
	else if (run->outcome == RVD_RUN_FAILED)
		rvd_latency_add_censored(&i->baseline, run->ms);
	if ((i->state == RVD_INSTANCE_LEARNING ||
		 (i->state == RVD_INSTANCE_COOLING && i->calls >= i->cool_until)) &&
		i->baseline.n >= (i->trying_plan != 0 ? 1 : BASELINE_RUNS))
		i->state = RVD_INSTANCE_EXPLORING;
	else if (i->state == RVD_INSTANCE_SETTLED && run->news > 0 &&
			 i->rounds < RVD_MAX_ROUNDS)
		look_again(i);
}

/*
 * A run under the best plan; true if it is to be demoted.  One that has
 * turned slow is to show itself against what the server would choose now;
 * where nothing can be tried it is demoted at once.
 */
static bool
learn_steered_run(RvdInstance *i, const RvdRun *run)
{
	bool		drift;

	if (run->outcome == RVD_RUN_PARTIAL || run->timed || run->tag->pinned)
		return false;
	drift = run->outcome == RVD_RUN_COMPLETE && drifts(i, run->ms);
	if (rvd_guard_slow(run->ms, rvd_latency_typical(&i->baseline)) > 0)
		i->slow_streak += rvd_guard_slow(run->ms,
										 rvd_latency_typical(&i->baseline));
	else
		i->slow_streak = 0;
	if (i->slow_streak < 2 && !drift)
	{
		if (run->news > 0 && i->state == RVD_INSTANCE_SETTLED &&
			i->rounds < RVD_MAX_ROUNDS)
			look_again(i);
		return false;
	}
	if (run->tag->may_explore || drift)
	{
		i->world = RVD_WORLD_SUSPECT;
		i->state = RVD_INSTANCE_EXPLORING;
		i->slow_streak = 0;
		return false;
	}
	i->best_plan = 0;
	i->trying_plan = 0;
	i->slow_streak = 0;
	i->demotions++;
	i->state = RVD_INSTANCE_COOLING;
	i->cool_until = i->calls + (4U << Min(i->demotions, 10));
	/* the data may have grown: measure the baseline afresh */
	memset(&i->baseline, 0, sizeof(i->baseline));
	return true;
}

static bool
learn_instance(const RvdRun *run, InstanceView *view)
{
	const RvdTag *tag = run->tag;
	RvdKey		key = {rvd_instance_key(tag->queryid, tag->instance),
	MyDatabaseId};
	bool		found;
	bool		demoted = false;
	RvdInstance *i = rvd_table_enter(rvd_table(RVD_INSTANCES), key,
									 MyDatabaseId, &found, false);

	memset(view, 0, sizeof(*view));
	if (i == NULL)
		return false;
	if (!found)
	{
		i->queryid = tag->queryid;
		i->instance = tag->instance;
	}
	i->calls++;
	i->last_used = GetCurrentTimestamp();
	if (tag->role == RVD_PLAN_BASELINE)
		learn_baseline_run(i, run);
	else if (tag->role == RVD_PLAN_PROVEN)
		demoted = learn_steered_run(i, run);
	view->baseline = i->baseline;
	view->best_plan = i->best_plan;
	i->head.value = (float) (rvd_latency_typical(&i->baseline) * i->calls);
	i->head.dirty = true;
	rvd_table_release(rvd_table(RVD_INSTANCES), key);
	return demoted;
}

/* ---- plan ----------------------------------------------------------------- */

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

static void
forget_candidate(RvdInstance *i, uint64 plan)
{
	for (int k = 0; k < i->n_candidates; k++)
		if (i->candidates[k].plan == plan)
		{
			i->candidates[k] = i->candidates[--i->n_candidates];
			return;
		}
}

/* Another plan took the place of this one. */
static void
supersede(const RvdTag *tag, uint64 replaced)
{
	RvdKey		key = {rvd_plan_key(tag->queryid, tag->instance, replaced),
	MyDatabaseId};
	RvdPlan    *plan = rvd_table_find(rvd_table(RVD_PLANS), key, true, false);

	if (plan == NULL)
		return;
	rvd_plan_change_role(plan, RVD_PLAN_REJECTED, RVD_REASON_SUPERSEDED);
	rvd_table_release(rvd_table(RVD_PLANS), key);
}

/* The instance follows the verdict on a candidate. */
static void
apply_verdict(const RvdTag *tag, RvdVerdict verdict)
{
	RvdKey		key = {rvd_instance_key(tag->queryid, tag->instance),
	MyDatabaseId};
	RvdInstance *i = rvd_table_find(rvd_table(RVD_INSTANCES), key, true, false);
	uint64		replaced = 0;

	if (i == NULL)
		return;
	i->fixed_points = 0;
	switch (verdict)
	{
		case RVD_PROMOTE:
			replaced = i->best_plan;
			i->best_plan = tag->pooled ? 0 : tag->fingerprint;
			i->trying_plan = 0;
			i->slow_streak = 0;
			forget_candidate(i, tag->fingerprint);
			break;
		case RVD_REJECT:
			i->trying_plan = 0;
			forget_candidate(i, tag->fingerprint);
			break;
		case RVD_UNDECIDED:
			i->trying_plan = tag->pooled ? 0 : tag->fingerprint;
			break;
	}
	if (i->rounds >= RVD_MAX_ROUNDS && i->trying_plan == 0)
	{
		i->state = RVD_INSTANCE_SETTLED;
		i->next_look = i->calls + Max(8, i->calls);
	}
	i->head.dirty = true;
	rvd_table_release(rvd_table(RVD_INSTANCES), key);

	if (replaced != 0 && replaced != tag->fingerprint)
		supersede(tag, replaced);
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

/* It is as good: there is no need to interfere any longer. */
static void
adopt_stock(const RvdTag *tag, double ms)
{
	RvdKey		key = {rvd_instance_key(tag->queryid, tag->instance),
	MyDatabaseId};
	RvdInstance *i = rvd_table_find(rvd_table(RVD_INSTANCES), key, true, false);
	uint64		replaced;

	if (i == NULL)
		return;
	replaced = i->best_plan;
	i->best_plan = i->trying_plan = 0;
	i->baseline_plan = tag->fingerprint;
	memset(&i->baseline, 0, sizeof(i->baseline));
	memset(&i->drift, 0, sizeof(i->drift));
	rvd_latency_add(&i->baseline, ms);
	i->state = RVD_INSTANCE_LEARNING;
	i->head.dirty = true;
	rvd_table_release(rvd_table(RVD_INSTANCES), key);
	if (replaced != 0 && replaced != tag->fingerprint)
		supersede(tag, replaced);
}

static void
learn_plan(const RvdRun *run, const InstanceView *view, bool demoted)
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
								(plan->role == RVD_PLAN_PROVEN ? 100 : 1));
	plan->head.dirty = true;
	rvd_table_release(rvd_table(RVD_PLANS), key);

	if (adopted)
		adopt_stock(tag, run->ms);
	else if (run->trial && tag->stock)
		apply_verdict(tag, RVD_REJECT);
	else if (run->trial && view->best_plan != tag->fingerprint)
		apply_verdict(tag, verdict);
	if (verdict == RVD_PROMOTE && tag->has_stock_code)
		rvd_reflect_proven(&tag->stock_code, tag->queryid, tag->fingerprint,
						   log_ratio);
}

/* ---- the whole -------------------------------------------------------------- */

void
rvd_learn_run(const RvdRun *run)
{
	InstanceView view;
	double		saved = rvd_learn_account(run);
	bool		demoted;

	rvd_learn_class(run, saved);
	demoted = learn_instance(run, &view);
	learn_plan(run, &view, demoted);
	if (run->outcome == RVD_RUN_COMPLETE && run->tag->executions > 1 &&
		!run->trial)
		rvd_learn_reach_cached_plans(run);
}

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
		apply_verdict(candidate, RVD_REJECT);
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
