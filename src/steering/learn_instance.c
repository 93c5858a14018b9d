/*-------------------------------------------------------------------------
 *
 * learn_instance.c
 *	  What a run taught about its instance: expectation, drift, demotion.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "ruvector_dag/arm.h"
#include "ruvector_dag/decision.h"
#include "ruvector_dag/look.h"
#include "ruvector_dag/world.h"

#include "learn_run.h"

#define BASELINE_RUNS		2

/* Executions in a row whose trials may all fail before it is time to wait. */
#define FREE_ROUNDS			2

/* Among the first runs, one this much faster says that the others were cold. */
#define COLD_RUNS			4
#define COLD_SHARE			0.6

/* Spread of ln ms of one plan that is no drift. */
#define USUAL_SPREAD		0.2
#define DRIFT_DELTA			0.5
#define DRIFT_LAMBDA		10.0
#define CLIPPED				3.0

/* One run that is far off is an accident: it takes several to be a drift. */
static bool
drifts(RvdInstance *i, double ms)
{
	double		x = log(Max(ms, 0.001)) / USUAL_SPREAD;

	if (i->drift.n > 0)
		x = Min(Max(x, i->drift.mean - CLIPPED), i->drift.mean + CLIPPED);
	return rvd_page_hinkley_add(&i->drift, x, DRIFT_DELTA, DRIFT_LAMBDA);
}

/* Half old, half new: planning times settle once caches are warm. */
static void
learn_planning(RvdInstance *i, const RvdRun *run)
{
	if (run->tag->executions > 1 || run->tag->replayed)
		return;					/* not planned for it, or not searched */
	i->planning_ms = i->planning_ms > 0 ?
		(i->planning_ms + run->tag->planning_ms) / 2 : run->tag->planning_ms;
}

/*
 * Row counts changed: what arms with learned rows lead to is not known any
 * more.  Where trials have failed again and again that can wait.  learned:
 * bits of those arms.
 */
static void
look_again(RvdInstance *i, uint32 learned)
{
	i->arms_planned &= ~learned;
	if (i->failed_rounds <= FREE_ROUNDS)
		i->state = RVD_INSTANCE_EXPLORING;
}

/*
 * All trials of this execution failed.  The third time in a row it is time
 * to wait, each time four times as long: what is left to gain is gained
 * later, and what there is to lose is lost rarely.
 */
static void
learn_failed_round(RvdInstance *i)
{
	if (++i->failed_rounds <= FREE_ROUNDS ||
		i->state != RVD_INSTANCE_EXPLORING)
		return;
	i->state = RVD_INSTANCE_SETTLED;
	i->next_look = i->calls + (1U << Min(2 * (i->failed_rounds - 1), 20));
}

static void
learn_baseline_run(RvdInstance *i, const RvdRun *run, uint32 learned)
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
		if (i->state != RVD_INSTANCE_COOLING)
			i->state = RVD_INSTANCE_LEARNING;
	}
	/* so much faster than before: that was with cold caches */
	if (run->outcome == RVD_RUN_COMPLETE && i->baseline.n > 0 &&
		i->baseline.n <= COLD_RUNS &&
		run->ms < COLD_SHARE * rvd_latency_typical(&i->baseline))
	{
		memset(&i->baseline, 0, sizeof(i->baseline));
		if (i->best_plan == 0 && i->state != RVD_INSTANCE_COOLING)
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
		look_again(i, learned);
}

/*
 * A run under the best plan; true if it is to be demoted.  One that has
 * turned slow is to show itself against what the server would choose now;
 * where nothing can be tried it is demoted at once.
 */
static bool
learn_steered_run(RvdInstance *i, const RvdRun *run, uint32 learned)
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
			look_again(i, learned);
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
	memset(&i->drift, 0, sizeof(i->drift));
	i->demotions++;
	i->state = RVD_INSTANCE_COOLING;
	i->cool_until = i->calls + (4U << Min(i->demotions, 10));
	/* the data may have grown: measure the baseline afresh */
	memset(&i->baseline, 0, sizeof(i->baseline));
	return true;
}

bool
rvd_learn_instance(const RvdRun *run, RvdInstanceView *view)
{
	const RvdTag *tag = run->tag;
	RvdKey		key = {rvd_instance_key(tag->queryid, tag->instance),
	MyDatabaseId};
	bool		found;
	bool		demoted = false;
	/* before the entry is locked: it may have to read a table */
	uint32		learned = run->news > 0 ? rvd_arms_learned() : 0;
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
		learn_baseline_run(i, run, learned);
	else if (tag->role == RVD_PLAN_PROVEN)
		demoted = learn_steered_run(i, run, learned);
	if (run->after_trial && !tag->pooled && !tag->first_run &&
		i->trying_plan == 0)
		learn_failed_round(i);
	view->baseline = i->baseline;
	view->best_plan = i->best_plan;
	i->head.value = (float) (rvd_latency_typical(&i->baseline) * i->calls);
	i->head.dirty = true;
	rvd_table_release(rvd_table(RVD_INSTANCES), key);
	return demoted;
}
