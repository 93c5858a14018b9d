/*-------------------------------------------------------------------------
 *
 * candidates.c
 *	  Plans that may be tried in an instance: what is believed of them, and
 *	  under which arm to look for the next.
 *
 * They are kept with the instance, each plan once whatever arms lead to it.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "ruvector_dag/arm.h"
#include "ruvector_dag/decision.h"

StaticAssertDecl(RVD_ARMS == RVD_MAX_ARMS + 1, "arms are numbered otherwise");

/* Planning candidates may cost this share of the time executed so far. */
#define PLANNING_SHARE		0.1

/* Planning with corrections takes longer than the stock planning. */
#define CORRECTING			1.5
#define MOST_CORRECTING		4.0

/* No planning is stopped earlier. */
#define LEAST_PLANNING_MS	5.0

/* The latency model tells plans of one statement apart not all too well. */
#define MODEL_SD			0.6

RvdRng *
rvd_candidates_rng(void)
{
	static RvdRng rng;
	static int	seeded_for = 0;

	if (seeded_for != MyProcPid)
	{
		rvd_rng_init(&rng, RVD_RNG_CHOICE,
					 (uint64) MyProcPid ^ (uint64) GetCurrentTimestamp());
		seeded_for = MyProcPid;
	}
	return &rng;
}

/* ---- beliefs ----------------------------------------------------------------- */

static void
believe_arm(const RvdDecision *d, uint16 arm, double corrected,
			RvdBelief *belief)
{
	RvdDatabase *db = rvd_my_database();

	rvd_belief_init(belief, corrected);
	if (arm >= RVD_ARMS)
		return;
	if (db)
	{
		RvdArmRecord record = db->arms[arm];	/* torn is good enough */

		rvd_belief_observe_record(belief, &record, RVD_SPREAD_DATABASE);
	}
	rvd_belief_observe_record(belief, &d->arms[arm], RVD_SPREAD_CLASS);
}

void
rvd_candidate_believe(const RvdDecision *d, const RvdCandidate *c,
					  RvdBelief *belief)
{
	believe_arm(d, c->arm, c->corrected, belief);
	rvd_belief_discourage(belief, d->lost);
	if (c->sd > 0)
		rvd_belief_observe(belief, c->predicted,
						   c->sd * c->sd + MODEL_SD * MODEL_SD);
	if (c->cut > 0)
		rvd_belief_censor(belief, log(c->cut));
}

/* ---- where to look ------------------------------------------------------------ */

uint16
rvd_candidates_next_arm(const RvdDecision *d, RvdRng *rng)
{
	uint32		left = rvd_arms_enabled() & ~d->arms_planned;
	uint16		best = RVD_ARM_NONE;
	double		best_y = 0;

	for (uint16 arm = 1; arm <= RVD_MAX_ARMS; arm++)
	{
		RvdBelief	belief;
		double		y;

		if ((left & (1U << arm)) == 0)
			continue;
		believe_arm(d, arm, 0, &belief);
		y = d->pooled ? rvd_belief_draw(&belief, rng) : belief.mean;
		if (best == RVD_ARM_NONE || y < best_y - 0.001)
		{
			best = arm;
			best_y = y;
		}
	}
	return best;
}

bool
rvd_candidates_may_plan(const RvdDecision *d)
{
	double		price = d->planning_ms * CORRECTING;

	/* a pooled class explores for ever: only where planning is cheap */
	if (d->pooled)
		return price <= PLANNING_SHARE * d->reference_ms;
	return d->explored_ms + price <=
		PLANNING_SHARE * Max(d->calls, 1) * d->baseline_ms;
}

double
rvd_candidates_planning_limit(const RvdDecision *d)
{
	return Max(Max(PLANNING_SHARE * d->reference_ms,
				   d->planning_ms * MOST_CORRECTING),
			   LEAST_PLANNING_MS);
}

/* ---- keeping ------------------------------------------------------------------- */

static int
find_candidate(const RvdCandidate *candidates, int n, uint64 plan)
{
	for (int i = 0; i < n; i++)
		if (candidates[i].plan == plan)
			return i;
	return -1;
}

/* Full: what was cut and says least takes the newcomer's place. */
static void
add_candidate(RvdCandidate *candidates, int32 *n, const RvdCandidate *c)
{
	int			at = find_candidate(candidates, *n, c->plan);
	RvdCandidate fresh = *c;

	if (at >= 0)
	{
		fresh.cut = candidates[at].cut;
		fresh.trials = candidates[at].trials;
	}
	else if (*n < RVD_CANDIDATES)
		at = (*n)++;
	else
	{
		at = 0;
		for (int i = 1; i < *n; i++)
			if (candidates[i].cut > candidates[at].cut)
				at = i;
	}
	candidates[at] = fresh;
}

static RvdInstance *
lock_instance(const RvdDecision *d, RvdKey *key)
{
	key->a = rvd_instance_key(d->queryid, d->instance);
	key->b = MyDatabaseId;
	return rvd_table_find(rvd_table(RVD_INSTANCES), *key, true, false);
}

void
rvd_candidates_planned(RvdDecision *d, uint16 arm, double ms,
					   const RvdCandidate *c)
{
	RvdKey		key;
	RvdInstance *i;

	d->arms_planned |= 1U << arm;
	d->explored_ms += ms;
	rvd_decide_charge_planning(d, ms);
	if (c)
		add_candidate(d->candidates, &d->n_candidates, c);
	if (d->pooled || (i = lock_instance(d, &key)) == NULL)
		return;
	i->arms_planned |= 1U << arm;
	i->explored_ms += ms;
	if (c)
		add_candidate(i->candidates, &i->n_candidates, c);
	i->head.dirty = true;
	rvd_table_release(rvd_table(RVD_INSTANCES), key);
}

static void
remove_candidate(RvdCandidate *candidates, int32 *n, uint64 plan)
{
	int			at = find_candidate(candidates, *n, plan);

	if (at >= 0)
		candidates[at] = candidates[--(*n)];
}

void
rvd_candidates_drop(RvdDecision *d, uint64 plan)
{
	RvdKey		key;
	RvdInstance *i;

	remove_candidate(d->candidates, &d->n_candidates, plan);
	if (d->pooled || (i = lock_instance(d, &key)) == NULL)
		return;
	remove_candidate(i->candidates, &i->n_candidates, plan);
	i->head.dirty = true;
	rvd_table_release(rvd_table(RVD_INSTANCES), key);
}
