/*-------------------------------------------------------------------------
 *
 * decision.c
 *	  What to do with a statement that is about to be planned.
 *
 * Reads the class, then the instance, then the plans it names; each is
 * copied under its own partition lock, tried and never waited for: when a
 * lock is not to be had the statement gets the stock plan.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "ruvector_dag/arm.h"
#include "ruvector_dag/decision.h"
#include "ruvector_dag/hash.h"
#include "ruvector_dag/plan_dag.h"
#include "ruvector_dag/settings.h"
#include "ruvector_dag/signature.h"

/* Baseline runs before anything is tried. */
#define BASELINE_RUNS		2
#define POOLED_RUNS			6

#define MAX_DEMOTIONS		3

/* From here on it pays to make a stock plan again without a search. */
#define LONG_PLANNING_MS	5.0

/* Executions in a row that may look for something to try in vain. */
#define FREE_LOOKS			8

/* A plan offered so often that never ran cannot be tried here. */
#define OFFERS_IN_VAIN		8

/* Of what the account allows, one statement may stake this share. */
#define POOL_SHARE			0.5

/* False: too cheap to look at, or an administrator wants it left alone. */
static bool
read_class(RvdDecision *d, const RvdScope *scope)
{
	RvdKey		key = {(uint64) d->queryid, MyDatabaseId};
	RvdClass   *c = rvd_table_find(rvd_table(RVD_CLASSES), key, false, false);
	double		mean_ms = 0;
	double		cost;
	bool		blocked;

	if (c == NULL)
		return false;
	d->known = true;
	/* what it would take unsteered, or success would hide the class again */
	if (c->latency.n > 0)
		mean_ms = (c->total_ms + Max(c->saved_ms, 0)) / c->latency.n;
	cost = Max(c->est_cost, mean_ms * RVD_COST_PER_MS);
	d->pooled = (c->flags & RVD_CLASS_POOLED) != 0;
	d->line = c->line;
	d->pinned_plan = c->pinned_plan;
	d->pinned_instance = c->pinned_instance;
	blocked = (c->flags & RVD_CLASS_BLOCKED) != 0;
	memcpy(d->arms, c->arms, sizeof(d->arms));
	d->first_runs_lost = (int32) c->trials_abandoned - (int32) c->trials_won;
	rvd_table_release(rvd_table(RVD_CLASSES), key);
	return cost >= scope->min_cost && !blocked;
}

static bool
read_instance(RvdDecision *d)
{
	RvdKey		key = {rvd_instance_key(d->queryid, d->instance), MyDatabaseId};
	RvdInstance *i = rvd_table_find(rvd_table(RVD_INSTANCES), key, false,
									false);
	bool		look;

	if (i == NULL)
	{
		/* or its lock was not to be had: then one trial too many */
		d->first_run = true;
		return false;
	}
	d->state = i->state;
	d->baseline_plan = i->baseline_plan;
	d->best_plan = i->best_plan;
	d->trying_plan = i->trying_plan;
	d->demotions = i->demotions;
	d->calls = i->calls;
	d->lost = i->lost;
	d->baseline_runs = i->baseline.n;
	d->world = i->world;
	d->world_pages = i->world_pages;
	d->world_changed = i->world_changed;
	d->last_used = i->last_used;
	d->planning_ms = i->planning_ms;
	d->explored_ms = i->explored_ms;
	if (!d->pooled)
	{
		d->arms_planned = i->arms_planned;
		d->n_candidates = i->n_candidates;
		memcpy(d->candidates, i->candidates,
			   sizeof(RvdCandidate) * i->n_candidates);
	}
	if (!d->pooled)
		d->baseline_ms = rvd_latency_typical(&i->baseline);
	look = i->state == RVD_INSTANCE_SETTLED && i->calls >= i->next_look;
	if (d->state == RVD_INSTANCE_EXPLORING && i->rounds >= RVD_MAX_ROUNDS &&
		i->trying_plan == 0)
		d->state = RVD_INSTANCE_SETTLED;
	if (look)
		d->state = RVD_INSTANCE_EXPLORING;
	rvd_table_release(rvd_table(RVD_INSTANCES), key);
	return true;
}

bool
rvd_decide_read_plan(const RvdDecision *d, uint64 fingerprint, RvdMemo *memo,
					 RvdLatency *latency)
{
	RvdKey		key = {rvd_plan_key(d->queryid, d->instance, fingerprint),
	MyDatabaseId};
	RvdPlan    *plan = rvd_table_find(rvd_table(RVD_PLANS), key, false, false);

	if (plan == NULL)
		return false;
	*memo = plan->memo;
	*latency = plan->latency;
	rvd_table_release(rvd_table(RVD_PLANS), key);
	return true;
}

/* The plan in use; what is tried against it may take as long as it did last. */
static void
decide_best(RvdDecision *d)
{
	RvdLatency	latency;

	if (!rvd_decide_read_plan(d, d->best_plan, &d->best_memo, &latency))
	{
		d->best_plan = 0;
		return;
	}
	d->reference_ms = rvd_latency_typical(&latency);
	if (d->trying_plan != 0)
		d->reference_ms = Max(d->reference_ms, latency.last_ms);
}

/* The stock plan is the best: if it is long in planning, make it again. */
static void
decide_replay(RvdDecision *d)
{
	RvdLatency	ignored;

	d->replays_stock = !d->pooled && d->planning_ms >= LONG_PLANNING_MS &&
		d->baseline_plan != 0 &&
		rvd_decide_read_plan(d, d->baseline_plan, &d->best_memo, &ignored) &&
		d->best_memo.n_joins > 0;
}

/*
 * An administrator's word: that plan, and nothing else is tried.  Where this
 * instance has not had it, the configuration is that of the instance where it
 * was seen: arm and order of joins apply here, too, its row counts do not.
 */
static void
decide_pinned(RvdDecision *d)
{
	uint64		own = d->instance;
	RvdLatency	latency;

	d->best_plan = d->pinned_plan;
	d->trying_plan = 0;
	if (!rvd_decide_read_plan(d, d->pinned_plan, &d->best_memo, &latency))
	{
		d->instance = d->pinned_instance;
		if (!rvd_decide_read_plan(d, d->pinned_plan, &d->best_memo, &latency))
			d->best_plan = 0;
		d->instance = own;
	}
	else if (latency.n > 0)
		d->reference_ms = rvd_latency_typical(&latency);
	d->action = d->best_plan != 0 ? RVD_ACT_BEST : RVD_ACT_WATCH;
	d->first_run = false;
}

/* Constants and settings; never 0, which stands for a pooled class. */
static uint64
seen_instance(Query *query, ParamListInfo params)
{
	uint64		h = rvd_hash_combine(rvd_query_instance(query, params),
									 rvd_planner_settings_hash());

	return h != 0 ? h : 1;
}

void
rvd_decide(Query *query, ParamListInfo params, const RvdScope *scope,
		   RvdDecision *d)
{
	memset(d, 0, offsetof(RvdDecision, best_memo));
	d->best_memo.n = 0;
	d->queryid = (int64) query->queryId;
	d->action = RVD_ACT_WATCH;

	/* a class not seen before is judged by the cost of its first plan */
	if (!read_class(d, scope))
	{
		if (d->known)
		{
			d->action = RVD_ACT_PASS;
			return;
		}
		d->seen_instance = d->instance = seen_instance(query, params);
		d->first_run = true;
		return;
	}
	d->seen_instance = seen_instance(query, params);
	d->instance = d->pooled ? 0 : d->seen_instance;

	if (!read_instance(d) && d->pinned_plan == 0)
		return;
	if (scope->mode == RVD_MODE_OBSERVE)
		return;
	d->reference_ms = d->baseline_ms;
	if (d->pinned_plan != 0 && scope->mode == RVD_MODE_AUTO)
	{
		decide_pinned(d);
		return;
	}
	if (d->best_plan != 0)
		decide_best(d);
	if ((d->state == RVD_INSTANCE_SETTLED ||
		 d->state == RVD_INSTANCE_EXPLORING) && d->best_plan == 0 &&
		scope->mode == RVD_MODE_AUTO)
		decide_replay(d);
	if (d->state == RVD_INSTANCE_EXPLORING)
		d->action = RVD_ACT_EXPLORE;
	else if (d->state == RVD_INSTANCE_SETTLED && d->best_plan != 0 &&
			 scope->mode == RVD_MODE_AUTO)
		d->action = RVD_ACT_BEST;
}

void
rvd_decide_expect(RvdDecision *d, double cost)
{
	double		log_ms;
	double		sd;

	if (!d->pooled || rvd_line_predict(&d->line, log(Max(cost, 1.0)),
									   &log_ms, &sd) < POOLED_RUNS)
		return;
	d->baseline_ms = exp(log_ms);
	d->reference_ms = d->baseline_ms;
}

/* By so many runs and so near together, the line tells what a run takes. */
#define LINE_RUNS			4
#define LINE_SD				0.5

void
rvd_decide_advise_class(const RvdDecision *d, double cost, RvdAdvice *advice)
{
	uint16		arm = rvd_arm_record_best(d->arms, RVD_ARMS);
	double		log_ms;
	double		sd;

	if (!d->known)
		return;
	if (arm != RVD_ARM_NONE)
		advice->arm = arm;
	if (advice->expected_ms <= 0 &&
		rvd_line_predict(&d->line, log(Max(cost, 1.0)), &log_ms,
						 &sd) >= LINE_RUNS && sd <= LINE_SD)
		advice->expected_ms = exp(log_ms);
}

/*
 * A class may draw on what others have saved, but what is large beside the
 * pool would starve them: half of it at the most.
 */
double
rvd_decide_allowance(const RvdDecision *d, const RvdScope *scope)
{
	RvdDatabase *db = rvd_my_database();

	if (db == NULL)
		return 0;
	return POOL_SHARE *
		rvd_guard_allowance(scope->regret_limit,
							pg_atomic_read_u64(&db->executed_us) / 1000.0,
							pg_atomic_read_u64(&db->saved_us) / 1000.0,
							pg_atomic_read_u64(&db->regret_us) / 1000.0);
}

bool
rvd_decide_knows(const RvdDecision *d, uint64 fingerprint, uint32 *runs)
{
	RvdKey		key = {rvd_plan_key(d->queryid, d->instance, fingerprint),
	MyDatabaseId};
	RvdPlan    *plan;
	RvdPlanRole role;
	uint32		reason;
	TimestampTz since;

	*runs = 0;
	if (!d->pooled && !d->first_run &&
		(fingerprint == d->baseline_plan || fingerprint == d->best_plan))
		return true;
	plan = rvd_table_find(rvd_table(RVD_PLANS), key, false, false);
	if (plan == NULL)
		return false;
	*runs = plan->latency.n;
	role = plan->role;
	reason = plan->reason;
	since = plan->role_changed;
	rvd_table_release(rvd_table(RVD_PLANS), key);
	/* what was found before its tables changed need not hold any more */
	if (since < d->world_changed)
		return false;
	if (role == RVD_PLAN_REJECTED)
		return !(reason == RVD_REASON_DEMOTED && d->demotions < MAX_DEMOTIONS);
	/* a plan the server once had may be the better one */
	return false;
}

/* The instance's entry, locked, or NULL. */
static RvdInstance *
lock_instance(const RvdDecision *d, RvdKey *key)
{
	key->a = rvd_instance_key(d->queryid, d->instance);
	key->b = MyDatabaseId;
	return rvd_table_find(rvd_table(RVD_INSTANCES), *key, true, false);
}

void
rvd_decide_settle(const RvdDecision *d, bool found_nothing)
{
	RvdKey		key;
	RvdInstance *i = d->pooled ? NULL : lock_instance(d, &key);

	if (i == NULL)
		return;
	/* no draw in favour, or nothing in the account: the next may be luckier */
	if (!found_nothing && ++i->fixed_points <= FREE_LOOKS)
	{
		rvd_table_release(rvd_table(RVD_INSTANCES), key);
		return;
	}
	i->state = RVD_INSTANCE_SETTLED;
	i->next_look = i->calls +
		(found_nothing ? Max(8, i->calls) :
		 1U << Min(i->fixed_points - FREE_LOOKS, 16));
	i->head.dirty = true;
	rvd_table_release(rvd_table(RVD_INSTANCES), key);
}

void
rvd_decide_offer(const RvdDecision *d)
{
	RvdKey		key;
	RvdInstance *i = lock_instance(d, &key);

	if (i == NULL)
		return;
	if (!d->pooled)
		i->rounds++;
	i->fixed_points = 0;
	if (i->trying_plan != 0 && ++i->waiting > OFFERS_IN_VAIN)
	{
		/* held back from the server without being able to show why */
		if (i->best_plan == i->baseline_plan)
		{
			i->best_plan = 0;
			i->state = RVD_INSTANCE_LEARNING;
			i->baseline_plan = 0;
			memset(&i->baseline, 0, sizeof(i->baseline));
		}
		i->trying_plan = 0;
		i->waiting = 0;
	}
	i->head.dirty = true;
	rvd_table_release(rvd_table(RVD_INSTANCES), key);
}

void
rvd_decide_trying_lost(RvdDecision *d)
{
	RvdKey		key;
	RvdInstance *i = lock_instance(d, &key);

	d->trying_plan = 0;
	if (i == NULL)
		return;
	i->trying_plan = 0;
	i->waiting = 0;
	if (i->best_plan != 0)
		i->world = RVD_WORLD_SUSPECT;
	i->head.dirty = true;
	rvd_table_release(rvd_table(RVD_INSTANCES), key);
}

void
rvd_decide_lost(const RvdDecision *d)
{
	RvdKey		key = {rvd_plan_key(d->queryid, d->instance, d->best_plan),
	MyDatabaseId};
	RvdPlan    *plan = rvd_table_find(rvd_table(RVD_PLANS), key, true, false);
	RvdInstance *i;

	if (plan != NULL)
	{
		rvd_plan_change_role(plan, RVD_PLAN_CANDIDATE, RVD_REASON_LOST);
		plan->head.dirty = true;
		rvd_table_release(rvd_table(RVD_PLANS), key);
	}
	i = lock_instance(d, &key);
	if (i != NULL)
	{
		i->best_plan = 0;
		i->state = RVD_INSTANCE_EXPLORING;
		/* what its arm leads to now is not known */
		i->arms_planned &= ~(1U << (d->best_memo.arm % RVD_ARMS));
		i->head.dirty = true;
		rvd_table_release(rvd_table(RVD_INSTANCES), key);
	}
}

/* A first sight of this plan in this instance: describe it. */
static void
describe_plan(RvdPlan *plan, const RvdDecision *d, uint64 fingerprint,
			  RvdPlanRole role, const char *skeleton)
{
	plan->queryid = d->queryid;
	plan->instance = d->instance;
	plan->fingerprint = fingerprint;
	plan->role = role;
	plan->reason = role == RVD_PLAN_BASELINE ? RVD_REASON_STOCK :
		RVD_REASON_PROPOSED;
	plan->predicted_ms = d->reference_ms;
	plan->first_seen = plan->role_changed = GetCurrentTimestamp();
	rvd_plan_note_role(plan);
	strlcpy(plan->skeleton, skeleton, RVD_SKELETON_TEXT);
}

void
rvd_decide_note_plan(const RvdDecision *d, PlannedStmt *stmt,
					 uint64 fingerprint, RvdPlanRole role, double est_cost,
					 const RvdMemo *memo)
{
	RvdKey		key = {rvd_plan_key(d->queryid, d->instance, fingerprint),
	MyDatabaseId};
	RvdPlan    *plan = rvd_table_find(rvd_table(RVD_PLANS), key, true, false);
	StringInfoData text;
	RvdDag		dag;
	bool		found;

	if (plan == NULL)
	{
		initStringInfo(&text);
		if (rvd_plan_dag_build(stmt, &dag) != RVD_OK)
			return;
		rvd_plan_dag_skeleton(&dag, &text);
		if (text.len >= RVD_SKELETON_TEXT)
			text.data[pg_mbcliplen(text.data, text.len,
								   RVD_SKELETON_TEXT - 1)] = '\0';
		plan = rvd_table_enter(rvd_table(RVD_PLANS), key, MyDatabaseId, &found,
							   false);
		if (plan == NULL)
			return;
		if (!found)
			describe_plan(plan, d, fingerprint, role, text.data);
	}
	plan->est_cost = est_cost;
	/* a proven plan keeps the memo it was proven with */
	if (memo && plan->role != RVD_PLAN_PROVEN &&
		(memo->n > 0 || memo->arm != 0))
		plan->memo = *memo;
	plan->last_used = GetCurrentTimestamp();
	plan->head.dirty = true;
	rvd_table_release(rvd_table(RVD_PLANS), key);
}

void
rvd_decide_charge_planning(const RvdDecision *d, double ms)
{
	RvdDatabase *db = rvd_my_database();
	RvdKey		key = {(uint64) d->queryid, MyDatabaseId};
	RvdClass   *c;

	if (db)
		pg_atomic_fetch_add_u64(&db->regret_us, (int64) (ms * 1000));
	c = rvd_table_find(rvd_table(RVD_CLASSES), key, true, false);
	if (c != NULL)
	{
		c->regret_ms += ms;
		c->head.dirty = true;
		rvd_table_release(rvd_table(RVD_CLASSES), key);
	}
}
