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
#include "ruvector_dag/look.h"
#include "ruvector_dag/scope.h"
#include "ruvector_dag/store.h"
#include "ruvector_dag/tag.h"
#include "ruvector_dag/world.h"

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
	bool		replays_stock;	/* best_memo is the baseline's, to save planning */
	uint64		trying_plan;	/* 0: none */
	uint64		pinned_plan;	/* by an administrator; 0: none */
	uint64		pinned_instance;
	uint32		baseline_runs;
	uint64		world;			/* when last looked; 0: never */
	double		world_pages;
	TimestampTz world_changed;
	TimestampTz last_used;
	double		baseline_ms;	/* expected, 0: not known yet */
	double		reference_ms;	/* expected of the best plan */
	double		planning_ms;	/* of the stock plan, 0: not known */
	double		explored_ms;	/* spent on planning candidates */
	RvdLine		line;			/* expectation by cost */
	uint32		calls;			/* of the instance */
	uint32		demotions;
	uint32		lost;			/* candidates found to be slower */
	uint32		arms_planned;	/* bits */
	int32		n_candidates;
	/* not cleared: valid as far as the members above say */
	RvdMemo		best_memo;
	RvdCandidate candidates[RVD_CANDIDATES];
	RvdArmRecord arms[RVD_ARMS];	/* of the class */
} RvdDecision;

/* Never raises, never waits.  O(size of the query). */
extern void rvd_decide(Query *query, ParamListInfo params,
					   const RvdScope *scope, RvdDecision *d);

/* Pooled: the expectation at this default cost. */
extern void rvd_decide_expect(RvdDecision *d, double cost);

/*
 * Is there nothing new about this plan: is it in use, or was it judged?
 * *runs: how often it ran to its end.
 */
extern bool rvd_decide_knows(const RvdDecision *d, uint64 fingerprint,
							 uint32 *runs);

/* Copy a plan's memo and times; false: it is not there any more. */
extern bool rvd_decide_read_plan(const RvdDecision *d, uint64 fingerprint,
								 RvdMemo *memo, RvdLatency *latency);

/*
 * An instance never measured: what others of its class say, on top of the
 * advice of patterns and memories.
 */
extern void rvd_decide_advise_class(const RvdDecision *d, double cost,
									RvdAdvice *advice);

/* Milliseconds the account still allows for exploring this class. */
extern double rvd_decide_allowance(const RvdDecision *d,
								   const RvdScope *scope);

/*
 * Exploring led to no trial: because there was nothing new (found_nothing),
 * or because the candidate may not be tried or cannot be afforded now.  Look
 * again after a number of calls that doubles, soon in the latter case:
 * planning a candidate costs too.
 */
extern void rvd_decide_settle(const RvdDecision *d, bool found_nothing);

/* Candidates offered per instance before it settles anyway. */
#define RVD_MAX_ROUNDS		24

/*
 * A candidate was left for the executor to try: one round.  A plan under trial
 * that was offered again and again, and never run, is given up; if that was to
 * decide about a plan that was held back from the server, so is that.
 */
extern void rvd_decide_offer(const RvdDecision *d);

/* The best plan's memo no longer makes it: back to the baseline. */
extern void rvd_decide_lost(const RvdDecision *d);

/* ---- the guard against changes (decide_guard.c) --------------------------- */

/*
 * The server plans otherwise now than it did: its old plan, which can still
 * be made, stays in use until the new one has shown itself in a trial.
 */
extern void rvd_decide_hold(RvdDecision *d, uint64 new_plan,
							const char *trigger);

/*
 * The plan in use is to show itself against what the server plans now: by a
 * trial of that.
 */
extern void rvd_decide_revalidate(RvdDecision *d, uint64 stock_plan,
								  const RvdWorld *world,
								  const char *trigger);

/* First look at its tables, or nothing depends on how they were. */
extern void rvd_decide_note_world(RvdDecision *d, const RvdWorld *world,
								  bool changed);

/* The plan under trial cannot be made any more: look what there is now. */
extern void rvd_decide_trying_lost(RvdDecision *d);

/* Make sure the plan has an entry, with skeleton and memo. */
extern void rvd_decide_note_plan(const RvdDecision *d, PlannedStmt *stmt,
								 uint64 fingerprint, RvdPlanRole role,
								 double est_cost, const RvdMemo *memo);

/* Planning a candidate took this long: charged. */
extern void rvd_decide_charge_planning(const RvdDecision *d, double ms);

/* ---- candidates of an instance (candidates.c) ----------------------------- */

/*
 * What is believed of ln(time under this candidate / the baseline's): by the
 * arm's record in the class and in the database, by the latency model, by
 * trials that were stopped.
 */
extern void rvd_candidate_believe(const RvdDecision *d,
								  const RvdCandidate *c, RvdBelief *belief);

/*
 * The arm to plan under next: enabled, not planned under yet, the most
 * promising one; of a pooled class by a draw.  0: none is left.
 */
extern uint16 rvd_candidates_next_arm(const RvdDecision *d, RvdRng *rng);

/*
 * May planning be paid for, when it takes as long as the stock plan's or
 * somewhat longer?  At most a tenth of what the instance's runs have taken
 * goes into planning candidates.
 */
extern bool rvd_candidates_may_plan(const RvdDecision *d);

/*
 * After so many ms planning a candidate is given up: an arm may open a search
 * that takes a thousand times as long.
 */
extern double rvd_candidates_planning_limit(const RvdDecision *d);

/*
 * Planning under the arm took ms and led to candidate c, or to nothing new
 * (NULL).  Kept with the instance and in *d.
 */
extern void rvd_candidates_planned(RvdDecision *d, uint16 arm, double ms,
								   const RvdCandidate *c);

/* Not a candidate any more: judged, vetoed, or not to be made again. */
extern void rvd_candidates_drop(RvdDecision *d, uint64 plan);

/* A pseudo-random stream of this backend for choices among candidates. */
extern RvdRng *rvd_candidates_rng(void);

/* ---- roles (plan_role.c); the plan's partition is held -------------------- */

extern void rvd_plan_change_role(RvdPlan *plan, RvdPlanRole role,
								 RvdReason reason);
extern void rvd_plan_note_role(RvdPlan *plan);	/* as it is, into its history */

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

/* What the entry is worth, when room is made; the class's partition is held. */
extern void rvd_class_value(RvdClass *c);

/* A trial's outcome, for the records of its arm. */
extern void rvd_learn_arm(RvdClass *c, const RvdTag *candidate, double ms,
						  bool cut);
extern void rvd_learn_reach_cached_plans(const RvdRun *run);

/* A millisecond measured is worth this much planner cost. */
#define RVD_COST_PER_MS		100.0

/* Should the next execution count rows per node?  And take their times? */
extern bool rvd_learn_want_rows(const RvdTag *tag);
extern bool rvd_learn_want_times(const RvdTag *tag);

#endif							/* RVD_DECISION_H */
