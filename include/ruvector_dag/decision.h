/*-------------------------------------------------------------------------
 *
 * decision.h
 *	  What to do with a statement that is about to be planned, and what its
 *	  run taught.  Layer 4.
 *
 *	   LEARNING -- two baseline runs --> EXPLORING -- nothing new --> SETTLED
 *	       ^                              |    ^                         |
 *	       |                        trial won  +---- news, or a look ----+
 *	   COOLING <--- turned slow ---- (best plan)
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_DECISION_H
#define RVD_DECISION_H

#include "postgres.h"

#include "nodes/params.h"
#include "nodes/parsenodes.h"

#include "ruvector_dag/guard.h"
#include "ruvector_dag/scope.h"
#include "ruvector_dag/store.h"
#include "ruvector_dag/tag.h"

typedef enum RvdAction
{
	RVD_ACT_PASS = 0,			/* cheap: stock plan, counted only */
	RVD_ACT_WATCH,				/* stock plan, observed */
	RVD_ACT_BEST,				/* the proven plan, by its memo */
	RVD_ACT_EXPLORE				/* proven or stock plan, and a candidate */
} RvdAction;

typedef struct RvdDecision
{
	RvdAction	action;
	bool		known;			/* the class was seen before */
	bool		first_run;		/* the instance never was */
	int32		first_runs_lost;	/* trials of the class: abandoned less won */
	int64		queryid;
	uint64		instance;		/* 0 when pooled */
	uint64		seen_instance;	/* the constants' hash, always */
	bool		pooled;
	RvdInstanceState state;
	uint64		baseline_plan;
	uint64		best_plan;		/* 0: the baseline */
	uint64		trying_plan;	/* 0: none */
	RvdMemo		best_memo;
	RvdMemo		trying_memo;
	double		baseline_ms;	/* expected, 0: not known yet */
	double		reference_ms;	/* expected of the best plan */
	RvdLine		line;			/* pooled: expectation by cost */
	uint32		demotions;
} RvdDecision;

/* Never raises, never waits.  O(size of the query). */
extern void rvd_decide(Query *query, ParamListInfo params,
					   const RvdScope *scope, RvdDecision *d);

/* Pooled: the expectation at this default cost. */
extern void rvd_decide_expect(RvdDecision *d, double cost);

/*
 * May this candidate be tried now?  Returns its budget in ms, or 0: known to
 * be no better, or not affordable.  *known: nothing new about it, i.e. the
 * instance has reached a fixed point.
 */
extern double rvd_decide_budget(const RvdDecision *d, const RvdScope *scope,
								uint64 fingerprint, bool *known);

/*
 * Exploring led to no trial: because there was nothing new (found_nothing),
 * or because the candidate may not be tried or cannot be afforded now.  Look
 * again after a number of calls that doubles, soon in the latter case:
 * planning a candidate costs too.
 */
extern void rvd_decide_settle(const RvdDecision *d, bool found_nothing);

/* Candidates offered per instance before it settles anyway. */
#define RVD_MAX_ROUNDS		24

/* A candidate was left for the executor to try: one round. */
extern void rvd_decide_offer(const RvdDecision *d);

/* The best plan's memo no longer makes it: back to the baseline. */
extern void rvd_decide_lost(const RvdDecision *d);

/* Make sure the plan has an entry, with skeleton and memo. */
extern void rvd_decide_note_plan(const RvdDecision *d, PlannedStmt *stmt,
								 uint64 fingerprint, RvdPlanRole role,
								 double est_cost, const RvdMemo *memo);

/* Planning a candidate took this long: charged. */
extern void rvd_decide_charge_planning(const RvdDecision *d, double ms);

/* ---- after the run (learn.c) ------------------------------------------- */

typedef struct RvdRun
{
	const RvdTag *tag;			/* of the plan that ran */
	double		ms;
	double		est_cost;
	RvdOutcome	outcome;
	bool		trial;			/* ran as a trial, and won */
	bool		after_trial;	/* an abandoned trial came before */
	bool		counted_rows;
	bool		timed;			/* per node: too slow to compare with others */
	int			news;			/* row answers that changed */
	const char *query;			/* text, for a class not seen before */
	List	   *range_table;	/* of the plan */
} RvdRun;

extern void rvd_learn_run(const RvdRun *run);

/* A trial of the candidate that was abandoned after ms, or failed. */
extern void rvd_learn_abandoned(const RvdTag *candidate, double ms,
								bool failed);

/* A statement too cheap to look at: counted. */
extern void rvd_learn_count(int64 queryid, double est_cost, double ms,
							double min_cost, const char *query,
							List *range_table);

/*
 * Parts of rvd_learn_run (learn_account.c, learn_class.c, learn_cached.c).
 * The first returns ms saved, or, negative, lost against the expectation.
 */
extern double rvd_learn_account(const RvdRun *run);
extern void rvd_learn_class(const RvdRun *run, double saved_ms);
extern void rvd_learn_reach_cached_plans(const RvdRun *run);

/* A millisecond measured is worth this much planner cost. */
#define RVD_COST_PER_MS		100.0

/* Should the next execution count rows per node?  And take their times? */
extern bool rvd_learn_want_rows(const RvdTag *tag);
extern bool rvd_learn_want_times(const RvdTag *tag);

#endif							/* RVD_DECISION_H */
