/*-------------------------------------------------------------------------
 *
 * world.c
 *	  The tables of a plan as they are now: what, when it changes, makes
 *	  proven and rejected plans uncertain again.
 *
 * Indexes, and sizes by powers of two, of all relations in the plan's range
 * table, from the relation cache: they are open and locked by whoever plans.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "pgstat.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"

#include "ruvector_dag/hash.h"
#include "ruvector_dag/world.h"

static uint64
relation_hash(Oid relid)
{
	Relation	rel = RelationIdGetRelation(relid);
	uint64		h = rvd_hash_mix(relid);
	List	   *indexes;
	ListCell   *lc;

	if (rel == NULL)
		return h;
	if (rel->rd_rel->relpages > 0)
		h = rvd_hash_combine(h, (uint64) log2(rel->rd_rel->relpages));
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

uint64
rvd_world_of(const PlannedStmt *stmt)
{
	uint64		sum = 0;
	ListCell   *lc;

	foreach(lc, stmt->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		if (rte->rtekind == RTE_RELATION)
			sum += relation_hash(rte->relid);
	}
	return Max(sum, RVD_WORLD_SUSPECT + 1);
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
