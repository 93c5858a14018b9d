/*-------------------------------------------------------------------------
 *
 * world.c
 *	  The tables of a plan as they are now: what, when it changes, makes
 *	  proven and rejected plans uncertain again.
 *
 * Indexes and size of all relations in the plan's range table, from the
 * relation cache: they are open and locked by whoever plans.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "pgstat.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"

#include "ruvector_dag/arm.h"
#include "ruvector_dag/hash.h"
#include "ruvector_dag/world.h"

/* Small tables double and halve all the time. */
#define LEAST_PAGES			64.0

static uint64
add_relation(Oid relid, double *pages)
{
	Relation	rel = RelationIdGetRelation(relid);
	uint64		h = rvd_hash_mix(relid);
	List	   *indexes;
	ListCell   *lc;

	if (rel == NULL)
		return h;
	*pages += Max(rel->rd_rel->relpages, 0);
	if (rel->rd_rel->relhasindex)
	{
		indexes = RelationGetIndexList(rel);
		foreach(lc, indexes)
			h = rvd_hash_combine(h, lfirst_oid(lc));
		list_free(indexes);
	}
	RelationClose(rel);
	return h;
}

void
rvd_world_of(const PlannedStmt *stmt, RvdWorld *world)
{
	ListCell   *lc;

	world->indexes = rvd_arms_hash();
	world->pages = 0;
	foreach(lc, stmt->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		if (rte->rtekind == RTE_RELATION)
			world->indexes += add_relation(rte->relid, &world->pages);
	}
	world->indexes = Max(world->indexes, RVD_WORLD_SUSPECT + 1);
}

bool
rvd_world_differs(const RvdWorld *now, uint64 indexes, double pages)
{
	double		before = Max(pages, LEAST_PAGES);
	double		after = Max(now->pages, LEAST_PAGES);

	return now->indexes != indexes || after > 2 * before ||
		2 * after < before;
}

void
rvd_world_trigger(const PlannedStmt *stmt, TimestampTz since, char *text,
				  Size size)
{
	TimestampTz latest = 0;
	Oid			which = InvalidOid;
	ListCell   *lc;

	foreach(lc, stmt->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);
		PgStat_StatTabEntry *stats;
		TimestampTz analyzed;

		if (rte->rtekind != RTE_RELATION)
			continue;
		stats = pgstat_fetch_stat_tabentry(rte->relid);
		if (stats == NULL)
			continue;
		analyzed = Max(rvd_analyze_time(stats), rvd_autoanalyze_time(stats));
		if (analyzed > latest)
		{
			latest = analyzed;
			which = rte->relid;
		}
	}
	if (latest > since)
		snprintf(text, size, "ANALYZE of %s at %s", get_rel_name(which),
				 timestamptz_to_str(latest));
	else
		snprintf(text, size, "indexes, size or statistics of its tables changed");
}
