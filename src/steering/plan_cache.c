/*-------------------------------------------------------------------------
 *
 * plan_cache.c
 *	  Generic or custom plans.  See plan_cache.h.
 *
 * What counts is the total: means are of milliseconds and not of their
 * logarithms, so that one value in a hundred for which the generic plan is a
 * disaster counts with all it takes.  The comparison is looked at after every
 * execution, so its bound is one that holds at all times (Robbins, "Statistical
 * Methods Related to the Law of the Iterated Logarithm", 1970: the boundary of
 * the normal mixture).
 *
 * The server asks for a generic plan's cost only when it makes one; a cost
 * that was shown as very much stays with that prepared statement.  So custom
 * is revised with new ones: now and then one is left to the server.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "utils/plancache.h"

#include "ruvector_dag/guard.h"
#include "ruvector_dag/plan_cache.h"
#include "learn_run.h"

/* Runs of each kind before they are compared. */
#define LEAST_RUNS			3

/* An undecided comparison is given up at so many generic runs. */
#define MOST_TRIES			30

/* A difference below this is not worth a choice of our own. */
#define WORTH				1.05

/* Runs vary by that much at least, as a share of their mean. */
#define LEAST_SPREAD		0.15

/* Planning that takes so much of a custom execution may be saved. */
#define DEAR_PLANNING		0.25
#define CUSTOM_RUNS			3

/* Evidence is halved at so many runs, so that it is never too late. */
#define MOST_RUNS			64

/* One of so many generic plans of a class is left to the server. */
#define LEAVE_EVERY			16

/* The interval on a difference is sharpest near so many runs. */
#define RHO					10.0

/* Costs that decide every comparison. */
#define NO_COST				0.0
#define ANY_COST			1.0e15

/* Cached plans of a class are thrown away for this at most so often. */
#define INVALIDATE_EVERY_MS	1000

/* ---- judging ------------------------------------------------------------------ */

static double
mean_ms(const RvdLatency *l)
{
	return l->sum_ms / l->n;
}

/* Variance of the mean. */
static double
mean_variance(const RvdLatency *l)
{
	double		sd = Max(rvd_latency_stddev_ms(l), LEAST_SPREAD * mean_ms(l));

	return sd * sd / l->n;
}

RvdPlanCacheChoice
rvd_plan_cache_choice(const RvdClass *c)
{
	double		difference;
	double		bound;

	if (c->custom.n >= CUSTOM_RUNS && c->generic.n < LEAST_RUNS)
		return c->custom_planning_ms > DEAR_PLANNING * c->custom.sum_ms ?
			RVD_PLAN_CACHE_TRY : RVD_PLAN_CACHE_SERVER;
	if (c->custom.n < LEAST_RUNS || c->generic.n < LEAST_RUNS)
		return RVD_PLAN_CACHE_SERVER;
	difference = mean_ms(&c->generic) - mean_ms(&c->custom);
	bound = rvd_guard_anytime_z(Min(c->custom.n, c->generic.n), RHO, 0.05) *
		sqrt(mean_variance(&c->custom) + mean_variance(&c->generic));
	if (difference > bound &&
		mean_ms(&c->generic) > WORTH * mean_ms(&c->custom))
		return RVD_PLAN_CACHE_CUSTOM;
	if (-difference > bound &&
		mean_ms(&c->custom) > WORTH * mean_ms(&c->generic))
		return RVD_PLAN_CACHE_GENERIC;

	/* Few runs and noise: on with what looks better, or it stays open for ever. */
	if (c->generic.n < MOST_TRIES && difference < 0 &&
		c->custom_planning_ms > DEAR_PLANNING * c->custom.sum_ms)
		return RVD_PLAN_CACHE_TRY;
	return RVD_PLAN_CACHE_SERVER;
}

const char *
rvd_plan_cache_text(RvdPlanCacheChoice choice)
{
	switch (choice)
	{
		case RVD_PLAN_CACHE_SERVER:
			break;
		case RVD_PLAN_CACHE_TRY:
			return "generic plan, to see whether it saves the planning";
		case RVD_PLAN_CACHE_GENERIC:
			return "generic plan, cheaper than planning anew, beyond noise";
		case RVD_PLAN_CACHE_CUSTOM:
			return "custom plans, cheaper with their planning than the generic one, beyond noise";
	}
	return NULL;
}

/* ---- planning ------------------------------------------------------------------- */

static bool
has_extern_param(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return ((Param *) node)->paramkind == PARAM_EXTERN;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, has_extern_param, context, 0);
	return expression_tree_walker(node, has_extern_param, context);
}

/* What to lead the server to, now that it asks. */
static RvdPlanCacheChoice
ask(int64 queryid)
{
	RvdKey		key = {(uint64) queryid, MyDatabaseId};
	RvdClass   *c = rvd_table_find(rvd_table(RVD_CLASSES), key, true, false);
	RvdPlanCacheChoice choice;

	if (c == NULL)
		return RVD_PLAN_CACHE_SERVER;
	choice = rvd_plan_cache_choice(c);
	if (++c->generic_asked % LEAVE_EVERY == 0)
		choice = RVD_PLAN_CACHE_SERVER;
	rvd_table_release(rvd_table(RVD_CLASSES), key);
	return choice;
}

void
rvd_plan_cache_weigh(Query *query, ParamListInfo params, PlannedStmt *stmt)
{
	RvdTag	   *tag = rvd_tag_find(stmt);

	if (tag == NULL || (params == NULL && !has_extern_param((Node *) query, NULL)))
		return;
	if (params != NULL)
	{
		if (params->numParams > 0)
			tag->binding = RVD_BINDING_CUSTOM;
		return;
	}
	tag->binding = RVD_BINDING_GENERIC;
	if (plan_cache_mode != PLAN_CACHE_MODE_AUTO)
		return;
	switch (ask(tag->queryid))
	{
		case RVD_PLAN_CACHE_SERVER:
			break;
		case RVD_PLAN_CACHE_TRY:
		case RVD_PLAN_CACHE_GENERIC:
			stmt->planTree->total_cost = NO_COST;
			break;
		case RVD_PLAN_CACHE_CUSTOM:
			stmt->planTree->total_cost = ANY_COST;
			break;
	}
}

void
rvd_plan_cache_restore(PlannedStmt *stmt)
{
	double		cost = stmt->planTree->total_cost;
	RvdTag	   *tag;

	if (cost > NO_COST && cost < ANY_COST)
		return;
	tag = rvd_tag_find(stmt);
	if (tag && tag->binding == RVD_BINDING_GENERIC)
		stmt->planTree->total_cost = tag->est_cost;
}

/* ---- learning -------------------------------------------------------------------- */

static void
add_run(RvdLatency *l, double ms)
{
	if (l->n >= MOST_RUNS)
	{
		l->n /= 2;
		l->sum_ms /= 2;
		l->m2 /= 2;
	}
	rvd_latency_add(l, ms);
}

/*
 * True: a generic plan ran and should not have, and it is time to tell those
 * who have one.  (Those who plan anew would not ask.)
 */
static bool
learn_class(RvdClass *c, const RvdRun *run)
{
	if (run->tag->binding == RVD_BINDING_GENERIC)
		add_run(&c->generic, run->ms);
	else
	{
		if (c->custom.n >= MOST_RUNS)
			c->custom_planning_ms /= 2;
		add_run(&c->custom, run->ms + run->tag->planning_ms);
		c->custom_planning_ms += run->tag->planning_ms;
	}
	c->head.dirty = true;
	if (run->tag->binding != RVD_BINDING_GENERIC ||
		rvd_plan_cache_choice(c) != RVD_PLAN_CACHE_CUSTOM)
		return false;
	return rvd_learn_may_replan(c, INVALIDATE_EVERY_MS);
}

void
rvd_plan_cache_learn(const RvdRun *run)
{
	const RvdTag *tag = run->tag;
	RvdKey		key = {(uint64) tag->queryid, MyDatabaseId};
	RvdClass   *c;
	bool		tell;

	if (tag->binding == RVD_BINDING_NONE || run->outcome != RVD_RUN_COMPLETE ||
		run->timed || run->trial || run->after_trial)
		return;
	c = rvd_table_find(rvd_table(RVD_CLASSES), key, true, false);
	if (c == NULL)
		return;
	tell = learn_class(c, run);
	rvd_table_release(rvd_table(RVD_CLASSES), key);
	if (tell)
		rvd_learn_replan(tag);
}
