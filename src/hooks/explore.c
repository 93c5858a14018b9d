/*-------------------------------------------------------------------------
 *
 * explore.c
 *	  Which candidate is left to be tried where a statement runs.
 *
 * Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "ruvector_dag/decision.h"
#include "ruvector_dag/hooks.h"
#include "ruvector_dag/look.h"
#include "ruvector_dag/planning.h"
#include "ruvector_dag/settings.h"
#include "ruvector_dag/trial.h"

#include "steer.h"

/* A candidate this much slower than the reference, at best, is not tried. */
#define HOPELESS			1.5

/* First runs of a class are not tried any more when so many more failed. */
#define MAX_FIRST_RUNS_LOST	2

/* Plan a candidate: the one under trial if any, else from what is known now. */
static bool
plan_candidate(RvdSteerJob *job, RvdPlanned *candidate, RvdMemo *memo,
			   double usual_error)
{
	RvdDecision *d = &job->decision;
	RvdPlanSpec learned = {
		.kind = RVD_PLAN_LEARNED, .memo = memo, .usual_error = usual_error
	};

	if (d->trying_plan != 0)
	{
		RvdPlanSpec again = {
			.kind = RVD_PLAN_REPLAY, .replay = &d->trying_memo, .memo = memo
		};

		rvd_steer_run_guarded(job, candidate, &again);
		if (rvd_steer_identify(candidate) && candidate->fingerprint == d->trying_plan)
			return true;
		d->trying_plan = 0;
	}
	if (!rvd_part_on(RVD_PART_ROWS))
		return false;
	rvd_steer_run_guarded(job, candidate, &learned);
	return rvd_steer_identify(candidate);
}

/*
 * Do memories or the latency model speak against this candidate?  Then it is
 * not run: nearly this plan was a catastrophe elsewhere, or even the lower
 * end of what is predicted lies far above the reference.
 */
static bool
speaks_against(const RvdSteerJob *job, const RvdLook *look)
{
	const RvdDecision *d = &job->decision;
	RvdDatabase *db = rvd_my_database();

	if (!rvd_look_vetoed(look) &&
		!(look->prediction.known && d->reference_ms > 0 &&
		  look->prediction.log_ms - 2 * look->prediction.sd >
		  log(d->reference_ms * HOPELESS)))
		return false;
	if (db)
		pg_atomic_fetch_add_u64(&db->vetoes, 1);
	return true;
}

/*
 * Plan a candidate and leave it to be tried, if there is one and it may be.
 * False: there is nothing new to try.  *later: there is, but not now.
 */
static bool
offer_candidate(RvdSteerJob *job, RvdTag *tag, double usual_error, bool *later)
{
	RvdDecision *d = &job->decision;
	RvdMemo    *memo = palloc(sizeof(RvdMemo));
	RvdPlanned		candidate;
	RvdLook    *look;
	bool		known = true;
	double		budget = 0;

	*later = false;
	if (!plan_candidate(job, &candidate, memo, usual_error))
		return false;
	rvd_decide_charge_planning(d, candidate.ms);
	if (candidate.fingerprint != tag->fingerprint)
		budget = rvd_decide_budget(d, &job->scope, candidate.fingerprint,
								   &known);
	if (known || candidate.run.memo_overflow)
		return false;
	look = palloc(sizeof(RvdLook));
	rvd_look(look, &candidate.dag, candidate.fingerprint, job->attention,
			 true);
	if (speaks_against(job, look))
		return false;
	rvd_decide_note_plan(d, candidate.stmt, candidate.fingerprint,
						 RVD_PLAN_CANDIDATE,
						 candidate.stmt->planTree->total_cost, memo);
	*later = budget <= 0 || !candidate.may_be_tried ||
		job->scope.mode != RVD_MODE_AUTO;
	if (!*later)
		rvd_steer_attach(job, tag, &candidate, memo->arm, budget);
	return true;
}

void
rvd_explore(RvdSteerJob *job, RvdTag *tag)
{
	RvdDecision *d = &job->decision;
	bool		later;

	if (!offer_candidate(job, tag, 0, &later))
		rvd_decide_settle(d, true);
	else if (later)
		rvd_decide_settle(d, false);
	else
		rvd_decide_offer(d);
}

/*
 * The very first run of an instance.  Nothing is known of it but what its
 * stock plan resembles: if a pattern or a memory advises learned rows and the
 * model says how long the stock plan would take, that sets the budget of a
 * trial.
 */
void
rvd_explore_first_run(RvdSteerJob *job, RvdTag *tag)
{
	RvdDecision *d = &job->decision;
	RvdDatabase *db = rvd_my_database();
	RvdAdvice	advice;
	bool		later;

	if (db == NULL || d->first_runs_lost > MAX_FIRST_RUNS_LOST)
		return;
	rvd_advise(&tag->look, &advice);
	if (!advice.try_learned)
		return;
	d->reference_ms = advice.expected_ms;
	if (d->reference_ms * RVD_COST_PER_MS >= job->scope.min_cost &&
		offer_candidate(job, tag, advice.inflate, &later) && !later)
		pg_atomic_fetch_add_u64(&db->first_run_trials, 1);
	d->reference_ms = 0;
}
