/*-------------------------------------------------------------------------
 *
 * cycle_evidence.c
 *	  What became of the learned plans of each instance.
 *
 * A proven plan speaks for its instance; where there is none, the best of
 * those that were rejected does: a plan that finished without gain by its
 * measured ratio, one that had to be stopped by how slow it is at least.
 * Plans that were lost, failed or replaced by a faster one say nothing.
 * Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "ruvector_dag/guard.h"
#include "cycle.h"

/* A plan that was stopped is taken to be at least this much slower. */
#define ABANDONED_RATIO	1.7

typedef struct Evidence
{
	uint64		instance;		/* key */
	bool		proven;
	uint32		verified;
	uint16		arm;
	double		ratio;
	double		variance;
} Evidence;

/* How slow a plan that was stopped is at least, ln. */
static double
abandoned_ratio(const RvdPlan *plan)
{
	double		ratio = log(ABANDONED_RATIO);

	if (plan->ratio.n_censored > 0 && plan->ratio.bound_ms > 0)
		ratio = Max(ratio, log(plan->ratio.bound_ms));
	return plan->ratio.n > 0 ? Max(ratio, plan->ratio.mean) : ratio;
}

/* False: the plan says nothing. */
static bool
evidence_of(const RvdPlan *plan, Evidence *e)
{
	/* of the server's own plan, held or tried again, there is nothing to say */
	if (plan->memo.arm == 0)
		return false;
	e->instance = rvd_instance_key(plan->queryid, plan->instance);
	e->proven = plan->role == RVD_PLAN_PROVEN;
	e->arm = plan->memo.arm;
	e->verified = plan->ratio.n;
	e->ratio = plan->ratio.mean;
	e->variance = rvd_latency_variance(&plan->ratio);
	if (plan->role == RVD_PLAN_REJECTED &&
		plan->reason == RVD_REASON_ABANDONED)
	{
		e->verified = 1;
		e->ratio = abandoned_ratio(plan);
		return true;
	}
	if (plan->role == RVD_PLAN_REJECTED &&
		plan->reason != RVD_REASON_NO_GAIN &&
		plan->reason != RVD_REASON_DEMOTED)
		return false;
	return (e->proven || plan->role == RVD_PLAN_REJECTED) && e->verified > 0;
}

static bool
speaks_louder(const Evidence *e, const Evidence *than)
{
	if (e->proven != than->proven)
		return e->proven;
	return e->ratio < than->ratio;
}

static HTAB *
collect(RvdLearningCycle *c)
{
	RvdTable   *table = rvd_table(RVD_PLANS);
	Size		size = rvd_table_entry_size(table);
	HASHCTL		ctl = {
		.keysize = sizeof(uint64), .entrysize = sizeof(Evidence),
		.hcxt = CurrentMemoryContext
	};
	HTAB	   *found = hash_create("ruvector_dag evidence", 256, &ctl,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	int			n;
	char	   *plans = rvd_table_copy(table, c->learner->database, false, &n);

	for (int i = 0; i < n; i++)
	{
		Evidence	e;
		Evidence   *known;
		bool		there;

		if (!evidence_of((RvdPlan *) (plans + i * size), &e))
			continue;
		known = hash_search(found, &e.instance, HASH_ENTER, &there);
		if (!there || speaks_louder(&e, known))
			*known = e;
	}
	pfree(plans);
	return found;
}

static void
find_relations(RvdLearningCycle *c, RvdPatternMember *m)
{
	RvdTable   *table = rvd_table(RVD_CLASSES);
	RvdKey		key = {(uint64) m->queryid, c->learner->database};
	RvdClass   *class = rvd_table_find(table, key, false, true);

	if (class == NULL)
		return;
	m->n_relations = Min(class->n_relations, RVD_MEMBER_RELATIONS);
	for (int i = 0; i < m->n_relations; i++)
		m->relations[i] = class->relations[i];
	rvd_table_release(table, key);
}

void
rvd_cycle_find_evidence(RvdLearningCycle *c)
{
	MemoryContext work = AllocSetContextCreate(c->context,
											   "ruvector_dag evidence",
											   ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(work);
	HTAB	   *found = collect(c);

	for (int i = 0; i < c->n_members; i++)
	{
		RvdPatternMember *m = &c->members[i];
		Evidence   *e = hash_search(found, &m->instance, HASH_FIND, NULL);

		if (e != NULL)
		{
			m->verified = e->verified;
			m->configuration = e->arm;
			m->ratio = (float) e->ratio;
			m->ratio_variance = (float) e->variance;
		}
		find_relations(c, m);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
}
