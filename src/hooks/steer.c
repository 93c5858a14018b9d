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
#include "utils/resowner.h"

#include "ruvector_dag/arm.h"
#include "ruvector_dag/budget.h"
#include "ruvector_dag/compat.h"
#include "ruvector_dag/decision.h"
#include "ruvector_dag/errors.h"
#include "ruvector_dag/hooks.h"
#include "ruvector_dag/join_order.h"
#include "ruvector_dag/look.h"
#include "ruvector_dag/own_time.h"
#include "ruvector_dag/plan_dag.h"
#include "ruvector_dag/planning.h"
#include "ruvector_dag/settings.h"
#include "ruvector_dag/trial.h"

#include "steer.h"

/* ---- one run of the planner --------------------------------------------------- */

/* An arm that is not there any more makes no plan. */
static bool
apply_arm(const RvdPlanSpec *spec, int *nest_level, uint16 *at_run)
{
	uint16		id = spec->kind == RVD_PLAN_REPLAY ? spec->replay->arm :
		spec->arm;
	const RvdArm *arm = rvd_arm(id);

	*nest_level = 0;
	if (arm)
		*nest_level = rvd_arm_apply(arm, false);
	if (spec->memo)
		spec->memo->arm = id;
	*at_run = arm && arm->at_run ? id : RVD_ARM_NONE;
	return arm != NULL || id == RVD_ARM_NONE;
}

void
rvd_steer_run(RvdSteerJob *job, RvdPlanned *out, const RvdPlanSpec *spec)
{
	RvdOwnTime	clock;
	int			nest_level;

	rvd_own_time_start(&clock);
	if (!apply_arm(spec, &nest_level, &out->arm_at_run))
		return;
	rvd_planning_begin(&out->run, spec->kind, spec->replay, spec->memo);
	out->run.usual_error = spec->usual_error;
	out->run.same_methods = spec->same_methods;
	PG_TRY();
	{
		out->stmt = job->next(copyObject(job->query), job->text,
							  job->cursor_options, job->params);
		if (spec->memo)
			rvd_join_order_record(&out->run, spec->memo);
	}
	PG_FINALLY();
	{
		rvd_planning_end(&out->run);
	}
	PG_END_TRY();
	/* after an error the end of the (sub)transaction does that */
	if (nest_level > 0)
		rvd_arm_revert(nest_level);
	out->ms = rvd_own_time_ms(&clock);
}

static bool
is_interruption(int sqlerrcode)
{
	return ERRCODE_TO_CATEGORY(sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION ||
		ERRCODE_TO_CATEGORY(sqlerrcode) == ERRCODE_TRANSACTION_ROLLBACK ||
		sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE;
}

/*
 * The same in a subtransaction.  An error leaves out->stmt NULL, unless it is
 * an interruption, which is the user's; but for the one that our own budget
 * asked for.
 */
static void
run_in_subtransaction(RvdSteerJob *job, RvdPlanned *out,
					  const RvdPlanSpec *spec, bool budgeted)
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		if (budgeted)
			rvd_budget_start(spec->most_ms);
		rvd_steer_run(job, out, spec);
		if (budgeted)
			rvd_budget_stop();
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		int			code = geterrcode();
		bool		ours;
		ErrorData  *error;

		if (budgeted)
			rvd_budget_stop();
		ours = budgeted && rvd_budget_is_ours(code);
		MemoryContextSwitchTo(cxt);
		error = CopyErrorData();
		out->stmt = NULL;
		if (!ours && !is_interruption(code))
			rvd_swallow_error("planning with learned rows", cxt);
		else
			FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(cxt);
		CurrentResourceOwner = owner;
		if (!ours && is_interruption(code))
			ReThrowError(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(cxt);
	CurrentResourceOwner = owner;
}

void
rvd_steer_run_guarded(RvdSteerJob *job, RvdPlanned *out,
					  const RvdPlanSpec *spec)
{
	bool		budgeted = spec->most_ms > 0 && rvd_budget_free();
	RvdOwnTime	clock;

	memset(out, 0, sizeof(*out));
	if (!budgeted)
	{
		run_in_subtransaction(job, out, spec, false);
		return;
	}
	rvd_own_time_start(&clock);
	rvd_budget_begin();
	PG_TRY();
	{
		run_in_subtransaction(job, out, spec, true);
	}
	PG_FINALLY();
	{
		rvd_budget_end();
	}
	PG_END_TRY();
	out->ms = rvd_own_time_ms(&clock);
}

/* Name the plan; false: it has nodes or a size we do not handle. */
bool
rvd_steer_identify(RvdPlanned *planned)
{
	if (planned->stmt == NULL ||
		rvd_plan_dag_build(planned->stmt, &planned->dag) != RVD_OK)
		return false;
	planned->fingerprint = rvd_plan_fingerprint(planned->stmt, &planned->dag,
												planned->arm_at_run);
	planned->may_be_tried = rvd_trial_plan_allowed(&planned->dag);
	return true;
}

/* ---- tags ------------------------------------------------------------------------ */

RvdTag *
rvd_steer_tag(RvdSteerJob *job, RvdPlanned *planned, RvdPlanRole role)
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
	tag->arm = role == RVD_PLAN_PROVEN ? d->best_memo.arm : RVD_ARM_NONE;
	tag->pinned = role == RVD_PLAN_PROVEN && d->pinned_plan != 0;
	tag->replayed = role == RVD_PLAN_BASELINE && d->replays_stock;
	tag->est_cost = planned->stmt->planTree->total_cost;
	tag->planning_ms = planned->ms;
	tag->stock_planning_ms = d->planning_ms;
	tag->baseline_ms = d->baseline_ms;
	tag->expected_ms = d->reference_ms;
	tag->first_run = d->first_run;
	tag->measured = d->pooled || d->state != RVD_INSTANCE_LEARNING;
	rvd_look(&tag->look, &planned->dag, planned->fingerprint, job->attention,
			 true);
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
	tag->counts_rows = rvd_learn_want_rows(tag) || rvd_learn_want_times(tag);
	if (tag->counts_rows)
		rvd_tag_map_nodes(tag, planned->stmt, &planned->run);
	return tag;
}

void
rvd_steer_attach(RvdSteerJob *job, RvdTag *reference, RvdPlanned *candidate,
				 uint16 arm, double budget_ms)
{
	RvdTag	   *own = rvd_steer_tag(job, candidate, RVD_PLAN_CANDIDATE);
	RvdTagCandidate *c;
	MemoryContext old;

	/* its own tag may have taken the reference's slot; full is full */
	if (reference->id != job->reference_tag || own == reference ||
		reference->n_candidates == RVD_TAG_CANDIDATES)
		return;
	own->arm = arm;
	own->stock = arm == RVD_ARM_NONE;
	own->planning_ms = candidate->ms + reference->around_ms;
	if (reference->role == RVD_PLAN_BASELINE && reference->look.coded)
	{
		own->has_stock_code = true;
		own->stock_code = reference->look.code;
	}
	c = &reference->candidates[reference->n_candidates];
	old = MemoryContextSwitchTo(reference->candidate_cxt);
	c->stmt = copyObject(candidate->stmt);
	MemoryContextSwitchTo(old);
	c->tag = own->id;
	c->budget_ms = budget_ms;
	reference->candidates_seen = rvd_tag_invalidations();
	reference->n_candidates++;
}

/* ---- the reference ----------------------------------------------------------------- */

/* The proven plan, or false: there is none, or its memo makes another now. */
static bool
plan_best(RvdSteerJob *job, RvdPlanned *planned)
{
	RvdDecision *d = &job->decision;

	if (d->best_plan == 0 || job->scope.mode != RVD_MODE_AUTO)
		return false;
	if (rvd_steer_replay(job, planned, &d->best_memo, d->best_plan))
		return true;
	/* what EXPLAIN finds, or a table that is locked, is no reason */
	if (d->pinned_plan == 0 && !rvd_in_explain() && rvd_arms_hash() != 0)
		rvd_decide_lost(d);
	d->best_plan = 0;
	d->reference_ms = d->baseline_ms;
	return false;
}

/*
 * The server's own plan, when it is long in planning: in the order of joins
 * it had, instead of searching for that again.
 */
static bool
plan_known_stock(RvdSteerJob *job, RvdPlanned *planned)
{
	RvdDecision *d = &job->decision;

	if (!d->replays_stock)
		return false;
	d->replays_stock = rvd_steer_replay(job, planned, &d->best_memo,
										d->baseline_plan);
	return d->replays_stock;
}

static void
watch(RvdSteerJob *job, RvdPlanned *planned, RvdPlanRole role,
	  const RvdMemo *memo)
{
	RvdDecision *d = &job->decision;
	bool		explore_now = d->action == RVD_ACT_EXPLORE &&
		!rvd_in_explain();
	RvdTag	   *tag;

	/* a plan that is pinned need not be proven here */
	if (!rvd_in_explain())
		rvd_decide_note_plan(d, planned->stmt, planned->fingerprint,
							 d->pinned_plan != 0 && role == RVD_PLAN_PROVEN ?
							 RVD_PLAN_CANDIDATE : role,
							 planned->stmt->planTree->total_cost, memo);
	tag = rvd_steer_tag(job, planned, role);
	job->reference_tag = tag->id;
	tag->may_explore = rvd_executor_depth() == 0 &&
		job->scope.mode == RVD_MODE_AUTO && d->pinned_plan == 0 &&
		rvd_trial_query_allowed(job->query, job->cursor_options);
	/* all that comes before a plan is there, but for looking for others */
	tag->around_ms = rvd_own_time_ms(&job->clock) - planned->ms;
	tag->planning_ms = planned->ms + tag->around_ms;
	tag->exploring = d->action == RVD_ACT_EXPLORE;
	if (rvd_debug_trial_seed != 0)
	{
		if (tag->may_explore && !rvd_in_explain())
			rvd_debug_offer(job, tag);
	}
	else if (explore_now && d->reference_ms > 0 &&
			 (tag->may_explore || job->scope.mode == RVD_MODE_ADVISE))
		rvd_explore(job, tag);
	else if (d->first_run && !d->pooled && tag->may_explore &&
			 !rvd_in_explain())
		rvd_explore_first_run(job, tag);
}

/* The stock plan; what planning it raises is the user's to see. */
static void
plan_stock(RvdSteerJob *job, RvdPlanned *planned, RvdMemo *memo)
{
	RvdDecision *d = &job->decision;
	RvdPlanSpec spec = {.kind = RVD_PLAN_STOCK};

	/* once it comes again, its estimates are worth a note: see guard_plan.c */
	if (!d->pooled && !d->first_run && d->state == RVD_INSTANCE_LEARNING)
	{
		spec.kind = RVD_PLAN_NOTE;
		spec.memo = memo;
	}
	memset(planned, 0, sizeof(*planned));
	rvd_steer_run(job, planned, &spec);
}

PlannedStmt *
rvd_steer_plan(RvdSteerJob *job)
{
	RvdDecision *d = &job->decision;
	RvdPlanned	planned;
	RvdPlanned	held;
	RvdMemo		memo;
	double		cost;

	rvd_own_time_start(&job->clock);
	job->attention = rvd_look_choose_attention(d->queryid);
	memset(&planned, 0, sizeof(planned));
	if (plan_best(job, &planned))
	{
		rvd_guard_best(job, &planned);
		watch(job, &planned, RVD_PLAN_PROVEN, NULL);
		return planned.stmt;
	}
	memo.n = memo.n_joins = memo.arm = 0;
	if (plan_known_stock(job, &planned))
	{
		rvd_guard_baseline(job, &planned);
		watch(job, &planned, RVD_PLAN_BASELINE, NULL);
		return planned.stmt;
	}
	plan_stock(job, &planned, &memo);
	cost = planned.stmt->planTree->total_cost;
	if ((!d->known && cost < job->scope.min_cost && rvd_debug_trial_seed == 0) ||
		!rvd_steer_identify(&planned))
		return planned.stmt;
	if (!d->pooled && d->baseline_plan != planned.fingerprint)
	{
		if (rvd_guard_hold(job, &planned, &held))
		{
			watch(job, &held, RVD_PLAN_PROVEN, NULL);
			return held.stmt;
		}
		/* a plan that is not the baseline any more has no expectation */
		d->baseline_ms = d->reference_ms = 0;
		if (d->action == RVD_ACT_EXPLORE)
			d->action = RVD_ACT_WATCH;
	}
	else
		rvd_guard_baseline(job, &planned);
	rvd_decide_expect(d, cost);
	watch(job, &planned, RVD_PLAN_BASELINE, memo.n > 0 ? &memo : NULL);
	return planned.stmt;
}
