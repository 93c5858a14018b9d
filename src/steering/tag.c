/*-------------------------------------------------------------------------
 *
 * tag.c
 *	  A pool of notes on recently made plans.  See tag.h.
 *
 * Layer 4.  Memory: one block per backend, allocated when the first plan
 * worth a note is made and never grown.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/inval.h"
#include "utils/memutils.h"

#include "ruvector_dag/tag.h"

#define NUM_TAGS		64

/* No system cache has this id, so no invalidation ever matches. */
#define TAG_CACHE_ID	(-7701)

static RvdTag *pool = NULL;
static MemoryContext pool_cxt = NULL;
static uint32 last_id = 0;
static uint64 clock_now = 0;
static uint64 invalidations = 0;

static void
on_relcache_invalidation(Datum arg, Oid relid)
{
	invalidations++;
}

uint64
rvd_tag_invalidations(void)
{
	return invalidations;
}

static void
make_pool(void)
{
	static bool registered = false;

	if (!registered)
	{
		CacheRegisterRelcacheCallback(on_relcache_invalidation, (Datum) 0);
		registered = true;
	}
	if (pool_cxt == NULL)
		pool_cxt = AllocSetContextCreate(TopMemoryContext,
										 "ruvector_dag plan notes",
										 ALLOCSET_DEFAULT_SIZES);
	pool = MemoryContextAllocZero(pool_cxt, sizeof(RvdTag) * NUM_TAGS);
}

void
rvd_tag_drop_candidates(RvdTag *tag)
{
	tag->n_candidates = 0;
	if (tag->candidate_cxt)
		MemoryContextReset(tag->candidate_cxt);
}

RvdTag *
rvd_tag_attach(PlannedStmt *stmt)
{
	RvdTag	   *oldest;
	PlanInvalItem *item;
	MemoryContext cxt;

	if (pool == NULL)
		make_pool();
	oldest = &pool[0];
	for (int i = 1; i < NUM_TAGS && oldest->id != 0; i++)
		if (pool[i].id == 0 || pool[i].touched < oldest->touched)
			oldest = &pool[i];

	rvd_tag_drop_candidates(oldest);
	cxt = oldest->candidate_cxt;
	memset(oldest, 0, sizeof(*oldest));
	oldest->candidate_cxt = cxt ? cxt :
		AllocSetContextCreate(pool_cxt, "ruvector_dag candidate plan",
							  ALLOCSET_SMALL_SIZES);
	if (++last_id == 0)
		last_id = 1;
	oldest->id = last_id;
	oldest->touched = ++clock_now;

	item = makeNode(PlanInvalItem);
	item->cacheId = TAG_CACHE_ID;
	item->hashValue = oldest->id;
	stmt->invalItems = lappend(stmt->invalItems, item);
	return oldest;
}

RvdTag *
rvd_tag_by_id(uint32 id)
{
	if (pool == NULL || id == 0)
		return NULL;
	for (int i = 0; i < NUM_TAGS; i++)
		if (pool[i].id == id)
		{
			pool[i].touched = ++clock_now;
			return &pool[i];
		}
	return NULL;
}

RvdTag *
rvd_tag_find(PlannedStmt *stmt)
{
	ListCell   *lc;

	if (pool == NULL)
		return NULL;
	foreach(lc, stmt->invalItems)
	{
		PlanInvalItem *item = (PlanInvalItem *) lfirst(lc);

		if (item->cacheId == TAG_CACHE_ID)
			return rvd_tag_by_id(item->hashValue);
	}
	return NULL;
}
