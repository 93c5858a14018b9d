/*-------------------------------------------------------------------------
 *
 * steer.h
 *	  Between planner.c and steer.c.  Layer 6, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_STEER_H
#define RVD_STEER_H

#include "optimizer/planner.h"

#include "ruvector_dag/dag.h"
#include "ruvector_dag/decision.h"
#include "ruvector_dag/own_time.h"
#include "ruvector_dag/planning.h"

typedef PlannedStmt *(*RvdNextPlanner) (Query *query, const char *text,
										int cursor_options,
										ParamListInfo params);

/* One statement to be planned. */
typedef struct RvdSteerJob
{
	Query	   *query;			/* untouched: each run plans a copy */
	const char *text;
	int			cursor_options;
	ParamListInfo params;
	RvdNextPlanner next;		/* the planner behind our hook */
	RvdScope	scope;
	RvdDecision decision;
	int			attention;		/* kernel that weighs its plans */
	RvdOwnTime	clock;			/* since planning it began */
	uint32		reference_tag;	/* where its candidates are left */
} RvdSteerJob;

/* A plan and the run of the planner that made it. */
typedef struct RvdPlanned
{
	PlannedStmt *stmt;			/* NULL: failed */
	RvdPlanning run;
	uint64		fingerprint;
	uint16		arm_at_run;		/* whose settings act while it runs; 0: none */
	bool		may_be_tried;	/* as far as its nodes go */
	RvdDag		dag;
	double		ms;
} RvdPlanned;

/* How a run of the planner differs from the server's own. */
typedef struct RvdPlanSpec
{
	RvdPlanningKind kind;
	const RvdMemo *replay;		/* RVD_PLAN_REPLAY: its arm, rows, joins */
	RvdMemo    *memo;			/* NULL: do not record */
	uint16		arm;			/* but for a replay */
	double		usual_error;	/* see RvdPlanning */
	double		most_ms;		/* given up after that; 0: never */
	bool		same_methods;	/* a replay: join methods are not left to cost */
} RvdPlanSpec;

/* Run the planner so; stmt stays NULL where the arm is gone. */
extern void rvd_steer_run(RvdSteerJob *job, RvdPlanned *out,
						  const RvdPlanSpec *spec);

/* The same, errors caught (then stmt is NULL). */
extern void rvd_steer_run_guarded(RvdSteerJob *job, RvdPlanned *out,
								  const RvdPlanSpec *spec);

/*
 * Make the plan with that fingerprint again from its memo; false: it makes
 * another one now, or none.
 */
extern bool rvd_steer_replay(RvdSteerJob *job, RvdPlanned *planned,
							 RvdMemo *memo, uint64 fingerprint);

/* Name the plan; false: it has nodes or a size we do not handle. */
extern bool rvd_steer_identify(RvdPlanned *planned);

/* Mark the plan with what is known of it. */
extern RvdTag *rvd_steer_tag(RvdSteerJob *job, RvdPlanned *planned,
							 RvdPlanRole role);

/* Leave a candidate with the reference's tag, to be tried where it runs. */
extern void rvd_steer_attach(RvdSteerJob *job, RvdTag *reference,
							 RvdPlanned *candidate, uint16 arm,
							 double budget_ms);

/*
 * guard_plan.c.  The stock plan (fresh) is not the one that was measured: make
 * that one again and keep it in use; false: it cannot be made any more, or was
 * not worth it.
 */
extern bool rvd_guard_hold(RvdSteerJob *job, RvdPlanned *fresh,
						   RvdPlanned *held);

/* Have the tables changed since this plan was proven, or measured? */
extern void rvd_guard_best(RvdSteerJob *job, const RvdPlanned *best);
extern void rvd_guard_baseline(RvdSteerJob *job, const RvdPlanned *stock);

/* debug_plans.c: what developer's options make of a statement. */
extern PlannedStmt *rvd_debug_plan(RvdSteerJob *job);
extern void rvd_debug_offer(RvdSteerJob *job, RvdTag *tag);

/* explore.c: leave a candidate with the tag, if there is one to try. */
extern void rvd_explore(RvdSteerJob *job, RvdTag *tag);
extern void rvd_explore_first_run(RvdSteerJob *job, RvdTag *tag);

/* The plan to run; errors are those of the stock planner. */
extern PlannedStmt *rvd_steer_plan(RvdSteerJob *job);

#endif							/* RVD_STEER_H */
