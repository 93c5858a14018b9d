/*-------------------------------------------------------------------------
 *
 * steer.c
 *	  Plan a statement worth the trouble: its reference and, while exploring,
 *	  a candidate.
 *
 * The reference is the proven plan, made again by its memo, or the stock
 * plan.  A candidate is planned from learned rows and left with the
 * reference's tag for the executor to try.
 *
 * Any planning in which estimates are changed runs in a subtransaction, so
 * that an error there costs nothing but the attempt: the stock plan follows.
 *
 * Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "portability/instr_time.h"
#include "utils/resowner.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/decision.h"
#include "ruvector_dag/errors.h"
#include "ruvector_dag/hooks.h"
#include "ruvector_dag/plan_dag.h"
#include "ruvector_dag/planning.h"
#include "ruvector_dag/settings.h"
#include "ruvector_dag/trial.h"

#include "steer.h"

/* Pooled classes plan a candidate every time: at this ratio at the most. */
#define POOLED_PLANNING		10.0

/* A plan and the run of the planner that made it. */
typedef struct Planned
{
	PlannedStmt *stmt;			/* NULL: failed */
	RvdPlanning run;
	uint64		fingerprint;
	bool		may_be_tried;	/* as far as its nodes go */
	double		ms;
} Planned;

/* ---- one run of the planner --------------------------------------------------- */

static void
run_planner(RvdSteerJob *job, Planned *out, RvdPlanningKind kind,
			const RvdMemo *replay, RvdMemo *memo)
{
	instr_time	start;
	instr_time	end;

	INSTR_TIME_SET_CURRENT(start);
	rvd_planning_begin(&out->run, kind, replay, memo);
	PG_TRY();
	{
		out->stmt = job->next(copyObject(job->query), job->text,
							  job->cursor_options, job->params);
	}
	PG_FINALLY();
	{
		rvd_planning_end(&out->run);
	}
	PG_END_TRY();
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	out->ms = INSTR_TIME_GET_MILLISEC(end);
}

static bool
is_interruption(int sqlerrcode)
{
	return ERRCODE_TO_CATEGORY(sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION ||
		ERRCODE_TO_CATEGORY(sqlerrcode) == ERRCODE_TRANSACTION_ROLLBACK ||
		sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE;
}

/*
 * The same with changed estimates.  An error leaves out->stmt NULL, unless
 * it is an interruption, which is the user's.
 */
static void
run_planner_guarded(RvdSteerJob *job, Planned *out, RvdPlanningKind kind,
					const RvdMemo *replay, RvdMemo *memo)
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	memset(out, 0, sizeof(*out));
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		run_planner(job, out, kind, replay, memo);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		int			code = geterrcode();
		ErrorData  *error;

		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		out->stmt = NULL;
		if (!is_interruption(code))
			rvd_swallow_error("planning with learned rows", cxt);
		else
			FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(cxt);
		CurrentResourceOwner = owner;
		if (is_interruption(code))
			ReThrowError(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(cxt);
	CurrentResourceOwner = owner;
}

/* Name the plan; false: it has nodes or a size we do not handle. */
static bool
identify(Planned *planned)
{
	RvdDag		dag;

	if (planned->stmt == NULL ||
		rvd_plan_dag_build(planned->stmt, &dag) != RVD_OK)
		return false;
	planned->fingerprint = rvd_dag_fingerprint(&dag);
	planned->may_be_tried = rvd_trial_plan_allowed(&dag);
	return true;
}

/* ---- tags ------------------------------------------------------------------------ */

static RvdTag *
tag_plan(RvdSteerJob *job, Planned *planned, RvdPlanRole role)
{
	RvdDecision *d = &job->decision;
	RvdTag	   *tag = rvd_tag_attach(planned->stmt);
	ListCell   *lc;

	tag->queryid = d->queryid;
	tag->instance = d->instance;
	tag->seen_instance = d->seen_instance;
	tag->pooled = d->pooled;
	tag->fingerprint = planned->fingerprint;
	tag->role = role;
	tag->est_cost = planned->stmt->planTree->total_cost;
	tag->planning_ms = planned->ms;
	tag->baseline_ms = d->baseline_ms;
	foreach(lc, planned->stmt->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		if (rte->rtekind == RTE_RELATION && rte->relid >= FirstNormalObjectId)
		{
			tag->first_relation = rte->relid;
			break;
		}
	}
	/* naming what the nodes count costs more than all the rest */
	tag->counts_rows = rvd_learn_want_rows(tag);
	if (tag->counts_rows)
		rvd_tag_map_nodes(tag, planned->stmt, &planned->run);
	return tag;
}

/* Leave the candidate with the reference's tag. */
static void
attach_candidate(RvdSteerJob *job, RvdTag *reference, Planned *candidate,
				 double budget_ms)
{
	RvdTag	   *own = tag_plan(job, candidate, RVD_PLAN_CANDIDATE);
	MemoryContext old = MemoryContextSwitchTo(reference->candidate_cxt);

	reference->candidate = copyObject(candidate->stmt);
	MemoryContextSwitchTo(old);
	reference->candidate_tag = own->id;
	reference->budget_ms = budget_ms;
	reference->candidate_seen = rvd_tag_invalidations();
	reference->has_candidate = true;
}

/* ---- exploring -------------------------------------------------------------------- */

/* Plan a candidate: the one under trial if any, else from what is known now. */
static bool
plan_candidate(RvdSteerJob *job, Planned *candidate, RvdMemo *memo)
{
	RvdDecision *d = &job->decision;

	if (d->trying_plan != 0)
	{
		run_planner_guarded(job, candidate, RVD_PLAN_REPLAY, &d->trying_memo,
							memo);
		if (identify(candidate) && candidate->fingerprint == d->trying_plan)
			return true;
		d->trying_plan = 0;
	}
	run_planner_guarded(job, candidate, RVD_PLAN_LEARNED, NULL, memo);
	return identify(candidate);
}

static void
explore(RvdSteerJob *job, RvdTag *tag)
{
	RvdDecision *d = &job->decision;
	RvdMemo    *memo = palloc(sizeof(RvdMemo));
	Planned		candidate;
	bool		known = true;
	double		budget = 0;

	if (!plan_candidate(job, &candidate, memo))
	{
		rvd_decide_settle(d, true);
		return;
	}
	rvd_decide_charge_planning(d, candidate.ms);
	if (candidate.fingerprint != tag->fingerprint)
		budget = rvd_decide_budget(d, &job->scope, candidate.fingerprint,
								   &known);
	if (known || candidate.run.memo_overflow)
	{
		rvd_decide_settle(d, true);
		return;
	}
	rvd_decide_note_plan(d, candidate.stmt, candidate.fingerprint,
						 RVD_PLAN_CANDIDATE,
						 candidate.stmt->planTree->total_cost, memo);
	if (budget > 0 && candidate.may_be_tried &&
		job->scope.mode == RVD_MODE_AUTO)
	{
		attach_candidate(job, tag, &candidate, budget);
		rvd_decide_offer(d);
	}
	else
		rvd_decide_settle(d, false);
}

/* ---- the reference ----------------------------------------------------------------- */

/* The proven plan, or false: there is none, or its memo makes another now. */
static bool
plan_best(RvdSteerJob *job, Planned *planned)
{
	RvdDecision *d = &job->decision;

	if (d->best_plan == 0 || job->scope.mode != RVD_MODE_AUTO)
		return false;
	run_planner_guarded(job, planned, RVD_PLAN_REPLAY, &d->best_memo, NULL);
	if (identify(planned) && planned->fingerprint == d->best_plan)
		return true;
	rvd_decide_lost(d);
	d->best_plan = 0;
	d->reference_ms = d->baseline_ms;
	return false;
}

static void
watch(RvdSteerJob *job, Planned *planned, RvdPlanRole role)
{
	RvdDecision *d = &job->decision;
	bool		explore_now = d->action == RVD_ACT_EXPLORE &&
		!rvd_in_explain();
	RvdTag	   *tag;

	rvd_decide_note_plan(d, planned->stmt, planned->fingerprint, role,
						 planned->stmt->planTree->total_cost, NULL);
	tag = tag_plan(job, planned, role);
	tag->may_explore = rvd_executor_depth() == 0 &&
		job->scope.mode == RVD_MODE_AUTO &&
		rvd_trial_query_allowed(job->query, job->cursor_options);
	/* a pooled class explores for ever: only where planning is cheap */
	if (d->pooled && planned->ms * POOLED_PLANNING > d->reference_ms)
		explore_now = false;
	if (explore_now && d->reference_ms > 0 &&
		(tag->may_explore || job->scope.mode == RVD_MODE_ADVISE))
		explore(job, tag);
}

PlannedStmt *
rvd_steer_plan(RvdSteerJob *job)
{
	RvdDecision *d = &job->decision;
	Planned		planned;
	double		cost;

	memset(&planned, 0, sizeof(planned));
	if (plan_best(job, &planned))
	{
		watch(job, &planned, RVD_PLAN_PROVEN);
		return planned.stmt;
	}
	/* the stock plan: what it raises is the user's to see */
	memset(&planned, 0, sizeof(planned));
	run_planner(job, &planned,
				rvd_debug_row_factor_seed != 0 ? RVD_PLAN_LEARNED : RVD_PLAN_STOCK,
				NULL, NULL);
	cost = planned.stmt->planTree->total_cost;
	if ((!d->known && cost < job->scope.min_cost) ||
		rvd_debug_row_factor_seed != 0)
		return planned.stmt;
	if (identify(&planned))
	{
		/* a plan that is not the baseline any more has no expectation */
		if (!d->pooled && d->baseline_plan != planned.fingerprint)
		{
			d->baseline_ms = d->reference_ms = 0;
			if (d->action == RVD_ACT_EXPLORE)
				d->action = RVD_ACT_WATCH;
		}
		rvd_decide_expect(d, cost);
		watch(job, &planned, RVD_PLAN_BASELINE);
	}
	return planned.stmt;
}
