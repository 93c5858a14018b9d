/*-------------------------------------------------------------------------
 *
 * planner.c
 *	  planner_hook and the path hooks: the order of events.
 *
 * A statement we are not to see, or that is cheap, goes straight on.  For
 * the others: decide; plan the reference (the proven plan by its memo, or
 * the stock plan); while exploring also plan a candidate from learned rows,
 * and leave it with the reference's tag for the executor to try.
 *
 * Any planning in which estimates are changed runs in a subtransaction, so
 * that an error there costs nothing but the attempt: the stock plan follows.
 *
 * Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/geqo.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "portability/instr_time.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/decision.h"
#include "ruvector_dag/errors.h"
#include "ruvector_dag/hooks.h"
#include "ruvector_dag/plan_dag.h"
#include "ruvector_dag/planning.h"
#include "ruvector_dag/settings.h"
#include "ruvector_dag/trial.h"
#include "ruvector_dag/worker.h"

/*
 * Right after a start the learner may not have loaded what was learned.  A
 * session's first expensive statement then waits for it, this long at most.
 */
#define LOAD_WAIT_MS		1000
#define LOAD_WAIT_STEP_MS	10
#define LOAD_WINDOW_MS		30000

static planner_hook_type prev_planner = NULL;
static set_rel_pathlist_hook_type prev_set_rel_pathlist = NULL;
static set_join_pathlist_hook_type prev_set_join_pathlist = NULL;
static join_search_hook_type prev_join_search = NULL;

/* One statement on its way through this file. */
typedef struct Job
{
	Query	   *query;			/* untouched: each run plans a copy */
	const char *text;
	int			cursor_options;
	ParamListInfo params;
	RvdScope	scope;
	RvdDecision decision;
} Job;

/* A plan and the run of the planner that made it. */
typedef struct Planned
{
	PlannedStmt *stmt;			/* NULL: failed */
	RvdPlanning run;
	uint64		fingerprint;
	bool		may_be_tried;	/* as far as its nodes go */
	double		ms;
} Planned;

static PlannedStmt *
call_next(Query *query, const char *text, int cursor_options,
		  ParamListInfo params)
{
	if (prev_planner)
		return prev_planner(query, text, cursor_options, params);
	return standard_planner(query, text, cursor_options, params);
}

/* A run that is none of our business, possibly inside one that is. */
static PlannedStmt *
plan_unseen(Query *query, const char *text, int cursor_options,
			ParamListInfo params)
{
	RvdPlanning *outer = rvd_planning;
	PlannedStmt *stmt;

	if (outer == NULL)
		return call_next(query, text, cursor_options, params);
	rvd_planning = NULL;
	PG_TRY();
	{
		stmt = call_next(query, text, cursor_options, params);
	}
	PG_FINALLY();
	{
		rvd_planning = outer;
	}
	PG_END_TRY();
	return stmt;
}

/* ---- one run of the planner --------------------------------------------------- */

static void
run_planner(Job *job, Planned *out, RvdPlanningKind kind,
			const RvdMemo *replay, RvdMemo *memo)
{
	instr_time	start;
	instr_time	end;

	INSTR_TIME_SET_CURRENT(start);
	rvd_planning_begin(&out->run, kind, replay, memo);
	PG_TRY();
	{
		out->stmt = call_next(copyObject(job->query), job->text,
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
run_planner_guarded(Job *job, Planned *out, RvdPlanningKind kind,
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
tag_plan(Job *job, Planned *planned, RvdPlanRole role)
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
	tag->reference_ms = d->reference_ms;
	tag->scope = job->scope;
	foreach(lc, planned->stmt->relationOids)
	{
		if (lfirst_oid(lc) >= FirstNormalObjectId)
		{
			tag->first_relation = lfirst_oid(lc);
			break;
		}
	}
	rvd_tag_map_nodes(tag, planned->stmt, &planned->run);
	return tag;
}

/* Leave the candidate with the reference's tag. */
static void
attach_candidate(Job *job, RvdTag *reference, Planned *candidate,
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
plan_candidate(Job *job, Planned *candidate, RvdMemo *memo)
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
explore(Job *job, RvdTag *tag)
{
	RvdDecision *d = &job->decision;
	RvdMemo    *memo = palloc(sizeof(RvdMemo));
	Planned		candidate;
	bool		known = true;
	double		budget = 0;

	if (!plan_candidate(job, &candidate, memo))
		return;
	rvd_decide_charge_planning(d, candidate.ms);
	if (candidate.fingerprint != tag->fingerprint)
		budget = rvd_decide_budget(d, &job->scope, candidate.fingerprint,
								   &known);
	if (known || candidate.run.memo_overflow)
	{
		rvd_decide_settle(d);
		return;
	}
	rvd_decide_note_plan(d, candidate.stmt, candidate.fingerprint,
						 RVD_PLAN_CANDIDATE,
						 candidate.stmt->planTree->total_cost, memo);
	if (budget > 0 && candidate.may_be_tried &&
		job->scope.mode == RVD_MODE_AUTO)
		attach_candidate(job, tag, &candidate, budget);
}

/* ---- the reference ----------------------------------------------------------------- */

/* The proven plan, or false: there is none, or its memo makes another now. */
static bool
plan_best(Job *job, Planned *planned)
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
watch(Job *job, Planned *planned, RvdPlanRole role)
{
	RvdDecision *d = &job->decision;
	bool		explore_now = d->action == RVD_ACT_EXPLORE &&
		rvd_executor_depth() == 0 && !rvd_in_explain() &&
		rvd_trial_query_allowed(job->query, job->cursor_options);
	RvdTag	   *tag;

	rvd_decide_note_plan(d, planned->stmt, planned->fingerprint, role,
						 planned->stmt->planTree->total_cost, NULL);
	tag = tag_plan(job, planned, role);
	if (explore_now && d->reference_ms > 0)
		explore(job, tag);
}

static PlannedStmt *
plan_with_care(Job *job)
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

/* ---- the hook ------------------------------------------------------------------------ */

static bool
database_ready(RvdDatabase *db)
{
	return db != NULL && pg_atomic_read_u32(&db->state) == RVD_DB_READY;
}

/* See LOAD_WAIT_MS.  Interruptible, once per session, holds nothing. */
static bool
wait_for_load(void)
{
	static bool waited = false;
	TimestampTz now = GetCurrentTimestamp();

	if (waited || TimestampDifferenceExceeds(rvd_control()->started_at, now,
											 LOAD_WINDOW_MS))
		return false;
	waited = true;
	for (int ms = 0; ms < LOAD_WAIT_MS; ms += LOAD_WAIT_STEP_MS)
	{
		if (database_ready(rvd_my_database()))
			return true;
		CHECK_FOR_INTERRUPTS();
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT |
						 WL_EXIT_ON_PM_DEATH, LOAD_WAIT_STEP_MS,
						 PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
	}
	return database_ready(rvd_my_database());
}

static bool
is_ours(Query *query, RvdScope *scope)
{
	return rvd_neural_dag_enabled && !rvd_in_worker &&
		query->queryId != 0 && query->utilityStmt == NULL &&
		IsNormalProcessingMode() && IsTransactionState() &&
		!IsInParallelMode() && !IsParallelWorker() &&
		rvd_scope_any() && rvd_scope_of_query(query, scope);
}

static PlannedStmt *
rvd_planner(Query *query, const char *text, int cursor_options,
			ParamListInfo params)
{
	Job			job;
	PlannedStmt *stmt;

	if (!is_ours(query, &job.scope))
		return plan_unseen(query, text, cursor_options, params);
	job.query = query;
	job.text = text;
	job.cursor_options = cursor_options;
	job.params = params;

	if (!database_ready(rvd_my_database()))
	{
		Query	   *copy = copyObject(query);

		stmt = plan_unseen(query, text, cursor_options, params);
		if (stmt->planTree->total_cost < job.scope.min_cost ||
			rvd_executor_depth() > 0 || !wait_for_load())
			return stmt;
		job.query = copy;
	}
	rvd_decide(job.query, params, &job.scope, &job.decision);
	if (job.decision.action == RVD_ACT_PASS && rvd_debug_row_factor_seed == 0)
		return plan_unseen(job.query, text, cursor_options, params);
	return plan_with_care(&job);
}

/* ---- paths ----------------------------------------------------------------------------- */

static void
rvd_set_rel_pathlist(PlannerInfo *root, RelOptInfo *rel, Index rti,
					 RangeTblEntry *rte)
{
	if (prev_set_rel_pathlist)
		prev_set_rel_pathlist(root, rel, rti, rte);
	if (rvd_planning == NULL)
		return;
	rvd_planning_see(rvd_planning, root);
	if (rvd_planning->kind != RVD_PLAN_STOCK)
		rvd_rows_correct_relation(rvd_planning, root, rel, rti, rte);
}

static void
rvd_set_join_pathlist(PlannerInfo *root, RelOptInfo *joinrel,
					  RelOptInfo *outerrel, RelOptInfo *innerrel,
					  JoinType jointype, JoinPathExtraData *extra)
{
	if (prev_set_join_pathlist)
		prev_set_join_pathlist(root, joinrel, outerrel, innerrel, jointype,
							   extra);
	if (rvd_planning && rvd_planning->kind != RVD_PLAN_STOCK)
		rvd_rows_correct_join(rvd_planning, root, joinrel, outerrel, innerrel,
							  jointype, extra);
}

static RelOptInfo *
rvd_join_search(PlannerInfo *root, int levels_needed, List *initial_rels)
{
	if (rvd_planning && rvd_planning->kind != RVD_PLAN_STOCK)
		rvd_rows_correct_pairs(rvd_planning, root, initial_rels);

	if (prev_join_search)
		return prev_join_search(root, levels_needed, initial_rels);
	if (enable_geqo && levels_needed >= geqo_threshold)
		return geqo(root, levels_needed, initial_rels);
	return standard_join_search(root, levels_needed, initial_rels);
}

void
rvd_planner_hooks_init(void)
{
	prev_planner = planner_hook;
	planner_hook = rvd_planner;
	prev_set_rel_pathlist = set_rel_pathlist_hook;
	set_rel_pathlist_hook = rvd_set_rel_pathlist;
	prev_set_join_pathlist = set_join_pathlist_hook;
	set_join_pathlist_hook = rvd_set_join_pathlist;
	prev_join_search = join_search_hook;
	join_search_hook = rvd_join_search;
}
