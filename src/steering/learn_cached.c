/*-------------------------------------------------------------------------
 *
 * learn_cached.c
 *	  Cached plans: a decision that changed must reach them.
 *
 * A cached generic plan is planned once and then only executed.  Throwing it
 * away by a relcache invalidation makes every backend plan it again.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "miscadmin.h"
#include "utils/inval.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "ruvector_dag/decision.h"
#include "learn_run.h"

/* Cached plans of a class are thrown away at most this often. */
#define INVALIDATE_EVERY_MS	10000

/* Would planning this instance again lead to something else now? */
static bool
decision_changed(const RvdTag *tag)
{
	RvdKey		key = {rvd_instance_key(tag->queryid, tag->instance),
	MyDatabaseId};
	RvdInstance *i = rvd_table_find(rvd_table(RVD_INSTANCES), key, false,
									false);
	bool		changed;
	uint64		best;

	/* a pooled class explores for ever: nothing to wait for */
	if (i == NULL)
		return false;
	best = i->best_plan;
	changed = (i->state == RVD_INSTANCE_EXPLORING && tag->may_explore &&
			   !tag->pooled) ||
		(i->state == RVD_INSTANCE_SETTLED &&
		 (i->best_plan != 0 ? i->best_plan != tag->fingerprint :
		  tag->role == RVD_PLAN_PROVEN));
	rvd_table_release(rvd_table(RVD_INSTANCES), key);
	if (!changed || best == 0)
		return changed;
	/* a best plan whose entry was evicted cannot be made again */
	key.a = rvd_plan_key(tag->queryid, tag->instance, best);
	if (rvd_table_find(rvd_table(RVD_PLANS), key, false, false) == NULL)
		return false;
	rvd_table_release(rvd_table(RVD_PLANS), key);
	return true;
}

bool
rvd_learn_may_replan(RvdClass *c, int every_ms)
{
	TimestampTz now = GetCurrentTimestamp();

	if (!TimestampDifferenceExceeds(c->invalidated, now, every_ms))
		return false;
	c->invalidated = now;
	return true;
}

void
rvd_learn_replan(const RvdTag *tag)
{
	if (OidIsValid(tag->first_relation) && !RecoveryInProgress() &&
		SearchSysCacheExists1(RELOID, ObjectIdGetDatum(tag->first_relation)))
		CacheInvalidateRelcacheByRelid(tag->first_relation);
}

/*
 * A cached generic plan is planned once and then only executed: the decision
 * to try or to use another plan reaches it by throwing it away.  Not on a
 * standby, where invalidations cannot be written.
 */
void
rvd_learn_reach_cached_plans(const RvdRun *run)
{
	const RvdTag *tag = run->tag;
	RvdKey		key = {(uint64) tag->queryid, MyDatabaseId};
	bool		due;
	RvdClass   *c;

	if (!OidIsValid(tag->first_relation) || RecoveryInProgress() ||
		!decision_changed(tag))
		return;
	c = rvd_table_find(rvd_table(RVD_CLASSES), key, true, false);
	if (c == NULL)
		return;
	due = rvd_learn_may_replan(c, INVALIDATE_EVERY_MS);
	rvd_table_release(rvd_table(RVD_CLASSES), key);
	if (due)
		rvd_learn_replan(tag);
}
