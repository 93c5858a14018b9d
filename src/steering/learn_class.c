/*-------------------------------------------------------------------------
 *
 * learn_class.c
 *	  What a run taught about its class.
 *
 * Also where cheap statements are counted: one partition lock, one atomic
 * addition.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/timestamp.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/decision.h"
#include "ruvector_dag/hash.h"
#include "ruvector_dag/settings.h"

/* Pooling: window of executions in which distinct instances are counted. */
#define WINDOW_MIN			16
#define WINDOW_MAX			1024
#define POOLED_REPEATS		1.5

static void
add_relations(RvdClass *c, List *range_table, bool named_only)
{
	ListCell   *lc;

	foreach(lc, range_table)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);
		bool		seen = rte->rtekind != RTE_RELATION ||
			(named_only && !rvd_rte_is_named(rte));

		for (int i = 0; i < c->n_relations && !seen; i++)
			seen = c->relations[i] == rte->relid;
		if (!seen && c->n_relations < RVD_CLASS_RELATIONS)
			c->relations[c->n_relations++] = rte->relid;
	}
}

static void
describe_class(RvdClass *c, const char *query, List *range_table)
{
	c->user = GetUserId();
	c->first_seen = GetCurrentTimestamp();
	add_relations(c, range_table, false);
	if (rvd_dag_track_query_text && query)
	{
		int			len = pg_mbcliplen(query, strlen(query),
									   RVD_QUERY_TEXT - 1);

		memcpy(c->query, query, len);
		c->query[len] = '\0';
	}
}

/*
 * Distinct instances by linear counting (Whang, Vander-Zanden, Taylor, ACM
 * TODS 1990) over a window of executions.  When hardly any comes twice, the
 * class is taken as one instance.
 */
static void
count_instance(RvdClass *c, uint64 instance)
{
	uint64		h = rvd_hash_mix(instance);
	int			zeros = 0;
	double		distinct;

	c->seen[(h >> 6) & 7] |= UINT64CONST(1) << (h & 63);
	c->window_calls++;
	for (int i = 0; i < 8; i++)
		zeros += 64 - __builtin_popcountll(c->seen[i]);
	distinct = -512.0 * log(Max(zeros, 1) / 512.0);
	c->instances = (uint32) rint(distinct);
	if (c->window_calls < WINDOW_MIN)
		return;
	if (c->window_calls < POOLED_REPEATS * distinct)
		c->flags |= RVD_CLASS_POOLED;
	else
		c->flags &= ~RVD_CLASS_POOLED;
	if (c->window_calls >= WINDOW_MAX)
	{
		c->window_calls = 0;
		memset(c->seen, 0, sizeof(c->seen));
	}
}

/* An administrator's word does not make room for others. */
#define KEPT				1e30f

void
rvd_class_value(RvdClass *c)
{
	c->head.value = c->pinned_plan != 0 || (c->flags & RVD_CLASS_BLOCKED) ?
		KEPT : (float) (c->total_ms + Max(c->saved_ms, 0));
}

/* The record of the arm, in the class and in the database. */
void
rvd_learn_arm(RvdClass *c, const RvdTag *candidate, double ms, bool cut)
{
	RvdDatabase *db = rvd_my_database();
	double		expected = candidate->baseline_ms > 0 ?
		candidate->baseline_ms : candidate->expected_ms;
	double		y;

	if (candidate->arm >= RVD_ARMS || expected <= 0)
		return;
	y = log(Max(ms, 0.001) / expected);
	rvd_arm_record_add(&c->arms[candidate->arm], y, cut);
	if (db)
		rvd_arm_record_add(&db->arms[candidate->arm], y, cut);
}

void
rvd_learn_class(const RvdRun *run, double saved_ms)
{
	RvdKey		key = {(uint64) run->tag->queryid, MyDatabaseId};
	bool		found = true;
	RvdClass   *c;

	/*
	 * Of a run that failed neither text nor relations are known any more.  A
	 * class without relations would be everybody's to see.
	 */
	if (run->outcome == RVD_RUN_FAILED && run->range_table == NIL)
		c = rvd_table_find(rvd_table(RVD_CLASSES), key, true, false);
	else
		c = rvd_table_enter(rvd_table(RVD_CLASSES), key, MyDatabaseId, &found,
							false);
	if (c == NULL)
		return;
	if (!found)
		describe_class(c, run->query, run->range_table);
	else if (RVD_QUERYID_BY_NAME)
	{
		/* whoever sees the class sees the plans of all these tables */
		add_relations(c, run->range_table, true);
	}
	pg_atomic_fetch_add_u64(&c->calls, 1);
	count_instance(c, run->tag->seen_instance);
	if (run->outcome == RVD_RUN_COMPLETE && !run->timed)
	{
		rvd_latency_add(&c->latency, run->ms);
		c->total_ms += run->ms;
		if (run->tag->role == RVD_PLAN_BASELINE)
		{
			c->est_cost = run->est_cost;
			rvd_line_add(&c->line, log(Max(run->est_cost, 1.0)),
						 log(Max(run->ms, 0.001)));
		}
	}
	else if (run->outcome == RVD_RUN_FAILED && !run->timed)
		rvd_latency_add_censored(&c->latency, run->ms);
	if (run->tag->role != RVD_PLAN_BASELINE)
		c->steered++;
	if (run->trial)
	{
		c->trials++;
		c->trials_won++;
		if (!run->timed)
			rvd_learn_arm(c, run->tag, run->ms, false);
	}
	c->saved_ms += saved_ms;
	c->last_used = GetCurrentTimestamp();
	rvd_class_value(c);
	c->head.dirty = true;
	rvd_table_release(rvd_table(RVD_CLASSES), key);
}

/*
 * Counters of cheap statements, of this backend.  A statement executed again
 * and again would otherwise have all backends write the same few cache lines
 * of shared memory; after its first executions it is counted in batches.
 */
#define NUM_COUNTERS		64
#define COUNT_AT_ONCE		16
#define COUNT_BATCH			64

typedef struct Counter
{
	int64		queryid;
	uint32		seen;			/* executions, saturating at COUNT_AT_ONCE */
	uint32		pending;		/* not yet in shared memory */
} Counter;

static Counter counters[NUM_COUNTERS];

static void
flush_counter(Counter *counter)
{
	RvdKey		key = {(uint64) counter->queryid, MyDatabaseId};
	RvdDatabase *db = rvd_my_database();
	RvdClass   *c;

	if (counter->pending == 0)
		return;
	if (db)
		pg_atomic_fetch_add_u64(&db->queries, counter->pending);
	c = rvd_table_find(rvd_table(RVD_CLASSES), key, false, false);
	if (c != NULL)
	{
		pg_atomic_fetch_add_u64(&c->calls, counter->pending);
		rvd_table_release(rvd_table(RVD_CLASSES), key);
	}
	counter->pending = 0;
}

static void
flush_counters(int code, Datum arg)
{
	for (int i = 0; i < NUM_COUNTERS; i++)
		flush_counter(&counters[i]);
}

/* True: counted in this backend for now. */
static bool
count_locally(int64 queryid)
{
	static bool registered = false;
	Counter    *counter = &counters[rvd_hash_mix((uint64) queryid) %
									NUM_COUNTERS];

	if (!registered)
	{
		before_shmem_exit(flush_counters, (Datum) 0);
		registered = true;
	}
	if (counter->queryid != queryid)
	{
		flush_counter(counter);
		counter->queryid = queryid;
		counter->seen = 0;
	}
	if (counter->seen < COUNT_AT_ONCE)
	{
		counter->seen++;
		return false;
	}
	if (++counter->pending >= COUNT_BATCH)
		flush_counter(counter);
	return true;
}

void
rvd_learn_count(int64 queryid, double est_cost, double ms, double min_cost,
				const char *query, List *range_table)
{
	RvdKey		key = {(uint64) queryid, MyDatabaseId};
	RvdTable   *table = rvd_table(RVD_CLASSES);
	RvdDatabase *db = rvd_my_database();
	bool		slow = ms * RVD_COST_PER_MS >= min_cost;
	bool		found = true;
	RvdClass   *c;

	if (!slow && count_locally(queryid))
		return;
	c = rvd_table_find(table, key, slow, false);
	if (db)
		pg_atomic_fetch_add_u64(&db->queries, 1);
	if (c == NULL)
	{
		c = rvd_table_enter(table, key, MyDatabaseId, &found, false);
		if (c == NULL)
			return;
		if (!found)
		{
			describe_class(c, query, range_table);
			c->est_cost = est_cost;
			c->head.dirty = true;
			slow = true;
		}
	}
	pg_atomic_fetch_add_u64(&c->calls, 1);
	/* cheap by the planner's reckoning, dear by the clock: worth a look */
	if (slow)
	{
		rvd_latency_add(&c->latency, ms);
		c->total_ms += ms;
		rvd_class_value(c);
		c->head.dirty = true;
	}
	rvd_table_release(table, key);
}
