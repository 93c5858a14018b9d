/*-------------------------------------------------------------------------
 *
 * trial.c
 *	  A candidate plan run in place of the reference, under a time budget.
 *
 * The candidate runs in a subtransaction, with the same snapshot and
 * parameters, into a tuplestore.  If it finishes in time the tuplestore goes
 * to the client and the reference is never run.  If our timer fires first
 * the subtransaction is rolled back and the reference runs, streaming as
 * always: the user loses the budget, never the query.
 *
 * Layer 4.  Memory: the candidate's plan lives in a context of its own,
 * deleted at the end; execution state lives below the caller's context.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "executor/executor.h"
#include "executor/instrument.h"
#include "executor/tstoreReceiver.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "tcop/pquery.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "ruvector_dag/arm.h"
#include "ruvector_dag/budget.h"
#include "ruvector_dag/compat.h"
#include "ruvector_dag/decision.h"
#include "ruvector_dag/observe.h"
#include "ruvector_dag/own_time.h"
#include "ruvector_dag/plan_dag.h"
#include "ruvector_dag/settings.h"
#include "ruvector_dag/trial.h"

/* ---- conditions ------------------------------------------------------------ */

/*
 * Not where a subtransaction is forbidden or has side effects: predicate
 * locks outlive it, and on a standby the server ends the session, instead of
 * raising an error, when recovery is in its way inside a subtransaction.
 */
static bool
transaction_allows_trials(void)
{
	return !IsInParallelMode() && !IsolationIsSerializable() &&
		!RecoveryInProgress() &&
		!TransactionIdIsValid(GetTopTransactionIdIfAny());
}

bool
rvd_trial_query_allowed(Query *query, int cursor_options)
{
	if (query->commandType != CMD_SELECT || query->hasModifyingCTE ||
		query->hasForUpdate || query->rowMarks != NIL ||
		query->utilityStmt != NULL || query->rtable == NIL)
		return false;
	/* cursors are read piecemeal, and may be read backwards */
	if (cursor_options & (CURSOR_OPT_BINARY | CURSOR_OPT_SCROLL |
						  CURSOR_OPT_NO_SCROLL | CURSOR_OPT_INSENSITIVE |
						  CURSOR_OPT_ASENSITIVE | CURSOR_OPT_HOLD |
						  CURSOR_OPT_FAST_PLAN))
		return false;
	if (!transaction_allows_trials())
		return false;
	return !contain_volatile_functions((Node *) query);
}

bool
rvd_trial_plan_allowed(const RvdDag *dag)
{
	for (int i = 0; i < dag->n_nodes; i++)
		switch (dag->nodes[i].op)
		{
			case RVD_OP_MODIFY_TABLE:
			case RVD_OP_LOCK_ROWS:
			case RVD_OP_FOREIGN_SCAN:
			case RVD_OP_CUSTOM_SCAN:
				return false;
			default:
				break;
		}
	return true;
}

bool
rvd_trial_run_allowed(QueryDesc *queryDesc, RvdTag *tag,
					  bool other_instrumentation)
{
	CommandDest dest = queryDesc->dest ? queryDesc->dest->mydest : DestDebug;

	if (tag->n_candidates == 0 ||
		tag->queryid != (int64) queryDesc->plannedstmt->queryId ||
		tag->candidates_seen != rvd_tag_invalidations() ||
		other_instrumentation)
		return false;
	/* the SQL command EXECUTE collects its rows in a tuplestore */
	if (dest != DestRemote && dest != DestRemoteExecute && dest != DestNone &&
		dest != DestTuplestore)
		return false;
	/* the statement of a portal that nobody can move about in */
	if (ActivePortal == NULL || ActivePortal->queryDesc != queryDesc ||
		ActivePortal->cursorOptions != CURSOR_OPT_NO_SCROLL ||
		ActivePortal->holdStore != NULL)
		return false;
	return transaction_allows_trials();
}

/* ---- the trial --------------------------------------------------------------- */

typedef struct TrialState
{
	PlannedStmt *stmt;
	MemoryContext run_cxt;		/* all of the candidate's execution */
	Tuplestorestate *rows;
	QueryDesc  *run;			/* of the candidate */
	bool		count_rows;
	uint16		arm;			/* whose settings it runs under */
} TrialState;

static void
run_candidate(QueryDesc *queryDesc, TrialState *state, double budget_ms,
			  MemoryContext cxt)
{
	/* to be cut at any moment, it may also be cut at once */
	double		least_ms = rvd_debug_trial_seed != 0 ? 0.0 : 1.0;
	MemoryContext old = MemoryContextSwitchTo(state->run_cxt);
	DestReceiver *dest = CreateDestReceiver(DestTuplestore);
	const RvdArm *arm = rvd_arm(state->arm);
	int			nest_level = 0;

	SetTuplestoreDestReceiverParams(dest, state->rows, cxt, false, NULL, NULL);
	state->run = CreateQueryDesc(state->stmt, queryDesc->sourceText,
								 queryDesc->snapshot,
								 queryDesc->crosscheck_snapshot, dest,
								 queryDesc->params, queryDesc->queryEnv,
								 state->count_rows ? INSTRUMENT_ROWS : 0);
	rvd_budget_start(Max(budget_ms, least_ms));
	if (arm && arm->at_run)
		nest_level = rvd_arm_apply(arm, true);
	standard_ExecutorStart(state->run, 0);
	rvd_executor_run_once(state->run, 0);
	standard_ExecutorFinish(state->run);
	if (nest_level > 0)
		rvd_arm_revert(nest_level);
	rvd_budget_stop();
	MemoryContextSwitchTo(old);
	/* somebody in there caught what was meant for us: its rows are void */
	if (rvd_budget_expired())
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("trial over budget")));
}

static void
finish_candidate(QueryDesc *queryDesc, TrialState *state, RvdTrial *trial)
{
	QueryDesc  *run = state->run;

	if (state->count_rows)
		rvd_observe_run(state->run, trial->tag, true, false, &trial->seen);
	rvd_set_processed(queryDesc->estate, state->run->estate->es_processed);
	state->run = NULL;
	standard_ExecutorEnd(run);
	FreeQueryDesc(run);
	ReleaseCurrentSubTransaction();
}

/*
 * Undo a candidate that was stopped or that failed.  Raises again whatever
 * was not our timer's doing, except an error of the candidate's own: the
 * reference may succeed where it failed (say, a division by zero in rows the
 * other plan never looks at), and if not, it raises the same.
 */
static void
undo_candidate(TrialState *state, RvdTrial *trial, MemoryContext cxt,
			   ResourceOwner owner)
{
	ErrorData  *error;
	bool		ours;

	rvd_budget_stop();
	MemoryContextSwitchTo(cxt);
	error = CopyErrorData();
	FlushErrorState();
	ours = rvd_budget_is_ours(error->sqlerrcode);
	if (ours && state->count_rows && state->run && state->run->planstate)
		rvd_observe_run(state->run, trial->tag, false, false, &trial->seen);
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(cxt);
	CurrentResourceOwner = owner;
	if (ours)
	{
		FreeErrorData(error);
		return;
	}
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case ERRCODE_OPERATOR_INTERVENTION:
		case ERRCODE_TRANSACTION_ROLLBACK:
			ReThrowError(error);
			break;
		default:
			/* lock_timeout among others arrives as SIGINT */
			if (rvd_budget_cancelled())
				ReThrowError(error);
			trial->failed = true;
			FreeErrorData(error);
			break;
	}
}

static void
send_rows(QueryDesc *queryDesc, Tuplestorestate *rows)
{
	DestReceiver *dest = queryDesc->dest;
	TupleTableSlot *slot = MakeSingleTupleTableSlot(queryDesc->tupDesc,
													&TTSOpsMinimalTuple);

	dest->rStartup(dest, CMD_SELECT, queryDesc->tupDesc);
	while (tuplestore_gettupleslot(rows, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		if (!dest->receiveSlot(slot, dest))
			break;
	}
	dest->rShutdown(dest);
	ExecDropSingleTupleTableSlot(slot);
}

/* Run it; an interruption of our own making is the end of it, no more. */
static void
attempt(QueryDesc *queryDesc, TrialState *state, double budget_ms,
		RvdTrial *trial)
{
	MemoryContext cxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(cxt);
	PG_TRY();
	{
		run_candidate(queryDesc, state, budget_ms, cxt);
		finish_candidate(queryDesc, state, trial);
		trial->won = true;
	}
	PG_CATCH();
	{
		undo_candidate(state, trial, cxt, owner);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(cxt);
	CurrentResourceOwner = owner;
}

/* The same while SIGINT is watched. */
static void
attempt_interruptible(QueryDesc *queryDesc, TrialState *state,
					  double budget_ms, RvdTrial *trial)
{
	rvd_budget_begin();
	PG_TRY();
	{
		attempt(queryDesc, state, budget_ms, trial);
	}
	PG_FINALLY();
	{
		rvd_budget_end();
	}
	PG_END_TRY();
}

static void
try_one(QueryDesc *queryDesc, PlannedStmt *stmt, double budget_ms,
		RvdTrial *trial)
{
	TrialState	state;
	MemoryContext cxt = CurrentMemoryContext;
	RvdOwnTime	clock;

	memset(&state, 0, sizeof(state));
	state.stmt = stmt;
	/* a candidate's first run always counts: what it teaches is its point */
	state.count_rows = trial->tag->counts_rows;
	state.arm = trial->tag->arm;
	state.rows = tuplestore_begin_heap(false, false, work_mem);
	state.run_cxt = AllocSetContextCreate(cxt, "ruvector_dag trial",
										  ALLOCSET_DEFAULT_SIZES);

	rvd_own_time_start(&clock);
	if (queryDesc->totaltime)
		InstrStartNode(queryDesc->totaltime);
	PG_TRY();
	{
		attempt_interruptible(queryDesc, &state, budget_ms, trial);
		if (trial->won)
			send_rows(queryDesc, state.rows);
		/* the statement took that long, whoever asks */
		if (queryDesc->totaltime)
			InstrStopNode(queryDesc->totaltime, trial->won ?
						  queryDesc->estate->es_processed : 0);
	}
	PG_FINALLY();
	{
		MemoryContextSwitchTo(cxt);
		trial->ms = rvd_own_time_ms(&clock);
		tuplestore_end(state.rows);
		MemoryContextDelete(state.run_cxt);
	}
	PG_END_TRY();
}

/* The reference may take this much longer than expected. */
#define ROOM				1.5

/* ---- one after the other --------------------------------------------------- */

struct RvdTrials
{
	int			n;
	int			next;
	MemoryContext plan_cxt;
	RvdTagCandidate candidates[RVD_TAG_CANDIDATES];
	RvdTag	   *tags[RVD_TAG_CANDIDATES];	/* copies; NULL: recycled */
};

RvdTrials *
rvd_trials_take(RvdTag *tag)
{
	RvdTrials  *trials;

	if (tag->n_candidates == 0)
		return NULL;
	trials = palloc0(sizeof(RvdTrials));
	trials->n = tag->n_candidates;
	memcpy(trials->candidates, tag->candidates, sizeof(tag->candidates));
	/* goes with the statement, should an interruption end it */
	trials->plan_cxt = tag->candidate_cxt;
	MemoryContextSetParent(trials->plan_cxt, CurrentMemoryContext);
	tag->candidate_cxt = NULL;
	rvd_tag_drop_candidates(tag);
	for (int i = 0; i < trials->n; i++)
	{
		RvdTag	   *own = rvd_tag_by_id(trials->candidates[i].tag);

		if (own == NULL)
			continue;
		trials->tags[i] = palloc(sizeof(RvdTag));
		*trials->tags[i] = *own;
		trials->tags[i]->candidate_cxt = NULL;
		trials->tags[i]->n_candidates = 0;
	}
	return trials;
}

/*
 * Would the statement still come to its end in time, if this trial failed?  A
 * statement that its time-out leaves no room for a trial has none.
 */
static bool
fits_in_time(const RvdTag *candidate, double budget_ms)
{
	TimestampTz deadline = rvd_statement_deadline();

	return deadline == 0 ||
		GetCurrentTimestamp() + (TimestampTz)
		((budget_ms + candidate->expected_ms * ROOM) * 1000.0) < deadline;
}

bool
rvd_trials_next(RvdTrials *trials, QueryDesc *queryDesc, RvdTrial *trial)
{
	int			i;

	while (trials->next < trials->n &&
		   (trials->tags[trials->next] == NULL ||
			!fits_in_time(trials->tags[trials->next],
						  trials->candidates[trials->next].budget_ms)))
		trials->next++;
	if (trials->next == trials->n)
		return false;
	i = trials->next++;
	memset(trial, 0, offsetof(RvdTrial, seen));
	rvd_observation_init(&trial->seen);
	trial->tag = trials->tags[i];
	try_one(queryDesc, trials->candidates[i].stmt,
			trials->candidates[i].budget_ms, trial);
	return true;
}

void
rvd_trials_end(RvdTrials *trials)
{
	MemoryContextDelete(trials->plan_cxt);
	trials->plan_cxt = NULL;
}
