/*-------------------------------------------------------------------------
 *
 * explore.c
 *	  Which candidates are left to be tried where a statement runs.
 *
 * While an instance explores, each planning also plans under some arms that
 * it was not planned under yet, as many as the instance's own running time
 * pays for.  A plan that is new becomes a candidate of the instance, whatever
 * arms lead to it.  Of the candidates, those that a draw from what is
 * believed of them promises to gain most per price are left with the
 * reference's tag; the executor tries them one after the other, each within
 * its budget.
 *
 * Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "ruvector_dag/arm.h"
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

/* So many executions are taken to come, if there were not more already. */
#define LEAST_HORIZON		16

/*
 * Planning under arms goes on within one execution as long as it has taken
 * less than this share of the statement's time; one arm always.
 */
#define LOOKING_SHARE		0.05

/* A plan made under an arm just now. */
typedef struct Fresh
{
	RvdPlanned	planned;
	RvdMemo		memo;
	struct Fresh *next;
} Fresh;

typedef struct Exploration
{
	RvdSteerJob *job;
	RvdTag	   *tag;			/* the reference's */
	double		usual_error;	/* first runs: of joins nobody counted */
	Fresh	   *fresh;			/* those planned in this execution */
	double		spent_ms;		/* planning them */
	bool		postponed;		/* arms are left that could not be afforded */
} Exploration;

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

/* ---- planning under arms ------------------------------------------------------ */

/*
 * Is what was planned something to try?  Then describe it in *c.  Nothing is
 * known of the reference but its fingerprint.
 */
static bool
is_candidate(Exploration *x, Fresh *f, RvdCandidate *c)
{
	RvdDecision *d = &x->job->decision;
	double		expected = d->baseline_ms > 0 ? d->baseline_ms :
		d->reference_ms;
	RvdLook    *look;
	uint32		runs;

	if (!rvd_steer_identify(&f->planned) || f->planned.run.memo_overflow ||
		!f->planned.may_be_tried ||
		f->planned.fingerprint == x->tag->fingerprint ||
		rvd_decide_knows(d, f->planned.fingerprint, &runs))
		return false;
	look = palloc(sizeof(RvdLook));
	rvd_look(look, &f->planned.dag, f->planned.fingerprint,
			 x->job->attention, false);
	memset(c, 0, sizeof(*c));
	c->plan = f->planned.fingerprint;
	c->arm = f->memo.arm;
	c->corrected = (float) f->planned.run.corrected;
	/* against what was measured: the stock plan's estimates may be wrong */
	if (look->prediction.known && expected > 0)
	{
		c->predicted = (float) (look->prediction.log_ms - log(expected));
		c->sd = (float) look->prediction.sd;
	}
	return true;
}

static void
plan_under(Exploration *x, uint16 arm)
{
	RvdDecision *d = &x->job->decision;
	Fresh	   *f = palloc0(sizeof(Fresh));
	const RvdArm *a = rvd_arm(arm);
	RvdPlanSpec spec = {
		.kind = a && a->learned_rows && rvd_part_on(RVD_PART_ROWS) ?
		RVD_PLAN_LEARNED : RVD_PLAN_STOCK,
		.memo = &f->memo, .arm = arm, .usual_error = x->usual_error,
		.most_ms = rvd_candidates_planning_limit(d)
	};
	RvdCandidate c;

	rvd_steer_run_guarded(x->job, &f->planned, &spec);
	x->spent_ms += f->planned.ms;
	if (!is_candidate(x, f, &c))
	{
		rvd_candidates_planned(d, arm, f->planned.ms, NULL);
		return;
	}
	rvd_candidates_planned(d, arm, f->planned.ms, &c);
	rvd_decide_note_plan(d, f->planned.stmt, c.plan, RVD_PLAN_CANDIDATE,
						 f->planned.stmt->planTree->total_cost, &f->memo);
	f->next = x->fresh;
	x->fresh = f;
}

static void
plan_under_arms(Exploration *x)
{
	RvdDecision *d = &x->job->decision;
	uint16		arm;

	while ((arm = rvd_candidates_next_arm(d, rvd_candidates_rng())) !=
		   RVD_ARM_NONE)
	{
		x->postponed = true;
		if (!rvd_candidates_may_plan(d) ||
			(x->spent_ms > 0 &&
			 x->spent_ms > LOOKING_SHARE * d->reference_ms))
			return;
		x->postponed = false;
		plan_under(x, arm);
	}
}

/* ---- offering ------------------------------------------------------------------ */

/* The plan of a candidate: just made, or made again by its memo. */
static RvdPlanned *
candidate_plan(Exploration *x, uint64 plan, uint16 *arm)
{
	RvdDecision *d = &x->job->decision;
	RvdPlanned *planned;
	RvdMemo    *memo;
	RvdLatency	latency;
	bool		same;

	for (Fresh *f = x->fresh; f != NULL; f = f->next)
		if (f->planned.fingerprint == plan)
		{
			*arm = f->memo.arm;
			return &f->planned;
		}
	memo = palloc(sizeof(RvdMemo));
	if (!rvd_decide_read_plan(d, plan, memo, &latency))
		return NULL;
	planned = palloc0(sizeof(RvdPlanned));
	same = rvd_steer_replay(x->job, planned, memo, plan);
	rvd_decide_charge_planning(d, planned->ms);
	*arm = memo->arm;
	return same && planned->may_be_tried ? planned : NULL;
}

/* False: it cannot be tried now. */
static bool
offer(Exploration *x, uint64 plan, double share)
{
	RvdSteerJob *job = x->job;
	RvdDecision *d = &job->decision;
	RvdPlanned *planned;
	RvdLook    *look;
	uint16		arm;
	double		budget = rvd_guard_budget(d->reference_ms,
										  job->scope.trial_budget, share,
										  rvd_decide_allowance(d, &job->scope));

	if (budget <= 0 || job->scope.mode != RVD_MODE_AUTO ||
		!x->tag->may_explore)
		return false;
	planned = candidate_plan(x, plan, &arm);
	if (planned == NULL)
	{
		rvd_candidates_drop(d, plan);
		if (plan == d->trying_plan)
			rvd_decide_trying_lost(d);
		return false;
	}
	look = palloc(sizeof(RvdLook));
	rvd_look(look, &planned->dag, planned->fingerprint, job->attention, true);
	if (speaks_against(job, look))
		return false;
	rvd_steer_attach(job, x->tag, planned, arm, budget);
	return true;
}

/* Offer those that a draw favours; returns how many there were to offer. */
static int
offer_candidates(Exploration *x)
{
	RvdDecision *d = &x->job->decision;
	RvdBelief	beliefs[RVD_CANDIDATES];
	uint64		plans[RVD_CANDIDATES];
	RvdStake	stakes[RVD_TAG_CANDIDATES];
	double		reference = 0;
	int			n;

	if (d->baseline_ms > 0 && d->reference_ms > 0)
		reference = log(d->reference_ms / d->baseline_ms);
	for (int i = 0; i < d->n_candidates; i++)
	{
		rvd_candidate_believe(d, &d->candidates[i], &beliefs[i]);
		plans[i] = d->candidates[i].plan;
	}
	n = rvd_choice_stake(beliefs, d->n_candidates, reference,
						 Max(d->calls, LEAST_HORIZON), rvd_candidates_rng(),
						 stakes,
						 d->pooled || d->first_run ? 1 : RVD_TAG_CANDIDATES);
	for (int i = 0; i < n; i++)
		(void) offer(x, plans[stakes[i].index], stakes[i].share);
	return n;
}

/* The one whose trials have not decided yet goes first, and alone. */
static bool
offer_undecided(Exploration *x)
{
	RvdDecision *d = &x->job->decision;

	if (d->trying_plan == 0 || d->trying_plan == x->tag->fingerprint)
		return false;
	return offer(x, d->trying_plan, 1.0);
}

void
rvd_explore(RvdSteerJob *job, RvdTag *tag)
{
	Exploration x = {.job = job, .tag = tag};
	int			n;

	if (!offer_undecided(&x))
	{
		plan_under_arms(&x);
		n = offer_candidates(&x);
		if (tag->n_candidates == 0)
		{
			rvd_decide_settle(&job->decision, n == 0 && !x.postponed &&
							  job->decision.n_candidates == 0);
			return;
		}
	}
	rvd_decide_offer(&job->decision);
}

/*
 * The very first run of an instance.  Nothing is known of it but its class
 * and what its stock plan resembles: if the class's other instances, a
 * pattern or a memory advise an arm, and the model or the class says how long
 * the stock plan would take, that sets the budget of a trial.
 */
void
rvd_explore_first_run(RvdSteerJob *job, RvdTag *tag)
{
	RvdDecision *d = &job->decision;
	RvdDatabase *db = rvd_my_database();
	Exploration x = {.job = job, .tag = tag};
	RvdAdvice	advice;

	if (db == NULL || d->first_runs_lost > MAX_FIRST_RUNS_LOST)
		return;
	rvd_advise(&tag->look, &advice);
	rvd_decide_advise_class(d, tag->est_cost, &advice);
	if (advice.arm == RVD_ARM_NONE)
		return;
	x.usual_error = advice.inflate;
	d->reference_ms = advice.expected_ms;
	if (d->reference_ms * RVD_COST_PER_MS >= job->scope.min_cost)
	{
		plan_under(&x, advice.arm);
		if (offer_candidates(&x) > 0 && tag->n_candidates > 0)
			pg_atomic_fetch_add_u64(&db->first_run_trials, 1);
	}
	d->reference_ms = 0;
}
