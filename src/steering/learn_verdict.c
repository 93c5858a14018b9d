/*-------------------------------------------------------------------------
 *
 * learn_verdict.c
 *	  An instance follows the verdict on a plan of its own.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "ruvector_dag/decision.h"
#include "ruvector_dag/look.h"
#include "ruvector_dag/world.h"

#include "learn_run.h"

static void
forget_candidate(RvdInstance *i, uint64 plan)
{
	for (int k = 0; k < i->n_candidates; k++)
		if (i->candidates[k].plan == plan)
		{
			i->candidates[k] = i->candidates[--i->n_candidates];
			return;
		}
}

/* Another plan took the place of this one. */
static void
supersede(const RvdTag *tag, uint64 replaced)
{
	RvdKey		key = {rvd_plan_key(tag->queryid, tag->instance, replaced),
	MyDatabaseId};
	RvdPlan    *plan = rvd_table_find(rvd_table(RVD_PLANS), key, true, false);

	if (plan == NULL)
		return;
	rvd_plan_change_role(plan, RVD_PLAN_REJECTED, RVD_REASON_SUPERSEDED);
	rvd_table_release(rvd_table(RVD_PLANS), key);
}

/* The instance follows the verdict on a candidate. */
void
rvd_learn_verdict(const RvdTag *tag, RvdVerdict verdict)
{
	RvdKey		key = {rvd_instance_key(tag->queryid, tag->instance),
	MyDatabaseId};
	RvdInstance *i = rvd_table_find(rvd_table(RVD_INSTANCES), key, true, false);
	uint64		replaced = 0;

	if (i == NULL)
		return;
	i->fixed_points = 0;
	i->waiting = 0;
	if (verdict != RVD_REJECT)
		i->failed_rounds = 0;
	switch (verdict)
	{
		case RVD_PROMOTE:
			replaced = i->best_plan;
			i->best_plan = tag->pooled ? 0 : tag->fingerprint;
			i->trying_plan = 0;
			i->slow_streak = 0;
			memset(&i->drift, 0, sizeof(i->drift));
			forget_candidate(i, tag->fingerprint);
			break;
		case RVD_REJECT:
			i->trying_plan = 0;
			forget_candidate(i, tag->fingerprint);
			break;
		case RVD_UNDECIDED:
			i->trying_plan = tag->pooled ? 0 : tag->fingerprint;
			break;
	}
	if (i->rounds >= RVD_MAX_ROUNDS && i->trying_plan == 0)
	{
		i->state = RVD_INSTANCE_SETTLED;
		i->next_look = i->calls + Max(8, i->calls);
	}
	i->head.dirty = true;
	rvd_table_release(rvd_table(RVD_INSTANCES), key);

	if (replaced != 0 && replaced != tag->fingerprint)
		supersede(tag, replaced);
}

/* It is as good: there is no need to interfere any longer. */
void
rvd_learn_adopt_stock(const RvdTag *tag, double ms)
{
	RvdKey		key = {rvd_instance_key(tag->queryid, tag->instance),
	MyDatabaseId};
	RvdInstance *i = rvd_table_find(rvd_table(RVD_INSTANCES), key, true, false);
	uint64		replaced;

	if (i == NULL)
		return;
	replaced = i->best_plan;
	i->best_plan = i->trying_plan = 0;
	i->baseline_plan = tag->fingerprint;
	memset(&i->baseline, 0, sizeof(i->baseline));
	memset(&i->drift, 0, sizeof(i->drift));
	rvd_latency_add(&i->baseline, ms);
	i->state = RVD_INSTANCE_LEARNING;
	i->head.dirty = true;
	rvd_table_release(rvd_table(RVD_INSTANCES), key);
	if (replaced != 0 && replaced != tag->fingerprint)
		supersede(tag, replaced);
}
