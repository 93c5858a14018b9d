/*-------------------------------------------------------------------------
 *
 * decide_guard.c
 *	  The world changed, or the server's mind: what is in use stays in use
 *	  until something better has shown itself in a trial.
 *
 * That costs at most the time of the plan in use, once, whatever the new plan
 * is like; if the plan in use has turned bad itself, the trial finds that,
 * too.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/timestamp.h"

#include "ruvector_dag/decision.h"

static RvdInstance *
lock_instance(const RvdDecision *d, RvdKey *key)
{
	key->a = rvd_instance_key(d->queryid, d->instance);
	key->b = MyDatabaseId;
	return rvd_table_find(rvd_table(RVD_INSTANCES), *key, true, false);
}

static void
give_role(const RvdDecision *d, uint64 fingerprint, RvdPlanRole role,
		  RvdReason reason)
{
	RvdKey		key = {rvd_plan_key(d->queryid, d->instance, fingerprint),
	MyDatabaseId};
	RvdPlan    *plan = rvd_table_find(rvd_table(RVD_PLANS), key, true, false);

	if (plan == NULL)
		return;
	rvd_plan_change_role(plan, role, reason);
	rvd_table_release(rvd_table(RVD_PLANS), key);
}

void
rvd_decide_hold(RvdDecision *d, uint64 new_plan, const char *trigger)
{
	RvdKey		key;
	RvdInstance *i = lock_instance(d, &key);

	if (i == NULL)
		return;
	i->best_plan = d->baseline_plan;
	i->trying_plan = new_plan;
	i->state = RVD_INSTANCE_EXPLORING;
	i->flips++;
	i->rounds = i->waiting = 0;
	strlcpy(i->trigger, trigger, RVD_TRIGGER_TEXT);
	i->head.dirty = true;
	rvd_table_release(rvd_table(RVD_INSTANCES), key);
	give_role(d, d->baseline_plan, RVD_PLAN_PROVEN, RVD_REASON_HELD);
	d->best_plan = d->baseline_plan;
	d->trying_plan = new_plan;
	d->state = RVD_INSTANCE_EXPLORING;
	d->action = RVD_ACT_EXPLORE;
}

void
rvd_decide_revalidate(RvdDecision *d, uint64 stock_plan,
					  const RvdWorld *world, const char *trigger)
{
	RvdKey		key;
	RvdInstance *i = lock_instance(d, &key);

	if (i == NULL)
		return;
	if (stock_plan != i->best_plan)
		i->trying_plan = stock_plan;
	i->state = RVD_INSTANCE_EXPLORING;
	i->arms_planned = 0;
	i->n_candidates = 0;
	i->rounds = i->failed_rounds = i->lost = 0;
	i->slow_streak = 0;
	i->waiting = 0;
	i->world = world->indexes;
	i->world_pages = world->pages;
	i->world_changed = GetCurrentTimestamp();
	strlcpy(i->trigger, trigger, RVD_TRIGGER_TEXT);
	i->head.dirty = true;
	d->trying_plan = i->trying_plan;
	d->world_changed = i->world_changed;
	rvd_table_release(rvd_table(RVD_INSTANCES), key);
	if (stock_plan != d->best_plan)
		give_role(d, stock_plan, RVD_PLAN_CANDIDATE, RVD_REASON_WORLD);
	d->arms_planned = 0;
	d->n_candidates = 0;
	d->state = RVD_INSTANCE_EXPLORING;
	d->action = RVD_ACT_EXPLORE;
}

void
rvd_decide_note_world(RvdDecision *d, const RvdWorld *world, bool changed)
{
	RvdKey		key;
	RvdInstance *i = lock_instance(d, &key);

	if (i == NULL)
		return;
	i->world = world->indexes;
	i->world_pages = world->pages;
	if (changed)
	{
		i->world_changed = GetCurrentTimestamp();
		i->arms_planned = 0;
		i->n_candidates = 0;
		i->rounds = i->failed_rounds = i->lost = 0;
		if (i->state == RVD_INSTANCE_SETTLED)
			i->state = RVD_INSTANCE_EXPLORING;
	}
	i->head.dirty = true;
	rvd_table_release(rvd_table(RVD_INSTANCES), key);
}
