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
} RvdSteerJob;

/* A plan and the run of the planner that made it. */
typedef struct RvdPlanned
{
	PlannedStmt *stmt;			/* NULL: failed */
	RvdPlanning run;
	uint64		fingerprint;
	bool		may_be_tried;	/* as far as its nodes go */
	RvdDag		dag;
	double		ms;
} RvdPlanned;

/*
 * Run the planner with changed estimates, errors caught (then stmt is NULL).
 * usual_error: see RvdPlanning.
 */
extern void rvd_steer_run_guarded(RvdSteerJob *job, RvdPlanned *out,
								  RvdPlanningKind kind, const RvdMemo *replay,
								  RvdMemo *memo, double usual_error);

/* Name the plan; false: it has nodes or a size we do not handle. */
extern bool rvd_steer_identify(RvdPlanned *planned);

/* Mark the plan with what is known of it. */
extern RvdTag *rvd_steer_tag(RvdSteerJob *job, RvdPlanned *planned,
							 RvdPlanRole role);

/* explore.c: leave a candidate with the tag, if there is one to try. */
extern void rvd_explore(RvdSteerJob *job, RvdTag *tag);
extern void rvd_explore_first_run(RvdSteerJob *job, RvdTag *tag);

/* The plan to run; errors are those of the stock planner. */
extern PlannedStmt *rvd_steer_plan(RvdSteerJob *job);

#endif							/* RVD_STEER_H */
