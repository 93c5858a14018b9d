/*-------------------------------------------------------------------------
 *
 * stats.c
 *	  ruvector_dag_learning_stats, ruvector_dag_memory.  Layer 7.
 *
 * Counters of the database come from its slot, those of a table are summed
 * over the classes that touch it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/fmgrprotos.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/scope_config.h"
#include "ruvector_dag/settings.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_learning_stats);
PG_FUNCTION_INFO_V1(ruvector_dag_memory);

/* What is counted for the database or added up over classes. */
typedef struct StatsCounts
{
	int64		queries;
	int64		steered;
	int64		trials;
	int64		won;
	int64		abandoned;
	double		saved_ms;
	double		regret_ms;
} StatsCounts;

static void
rvd_stats_of_classes(const RvdKnowledge *k, StatsCounts *counts)
{
	for (int i = 0; i < k->n_classes; i++)
	{
		RvdClass   *class = &k->classes[i];

		counts->queries += (int64) pg_atomic_read_u64(&class->calls);
		counts->steered += (int64) class->steered;
		counts->trials += class->trials;
		counts->won += class->trials_won;
		counts->abandoned += class->trials_abandoned;
		counts->saved_ms += class->saved_ms;
		counts->regret_ms += class->regret_ms;
	}
}

static void
rvd_stats_of_database(RvdDatabase *db, StatsCounts *counts)
{
	if (db == NULL)
		return;
	counts->queries = (int64) pg_atomic_read_u64(&db->queries);
	counts->steered = (int64) pg_atomic_read_u64(&db->steered);
	counts->trials = (int64) pg_atomic_read_u64(&db->trials);
	counts->won = (int64) pg_atomic_read_u64(&db->trials_won);
	counts->abandoned = (int64) pg_atomic_read_u64(&db->trials_abandoned);
	counts->saved_ms = (int64) pg_atomic_read_u64(&db->saved_us) / 1000.0;
	counts->regret_ms = (int64) pg_atomic_read_u64(&db->regret_us) / 1000.0;
}

/* Mean time of all complete executions of these classes, in us. */
static double
rvd_stats_average_us(const RvdKnowledge *k)
{
	double		ms = 0;
	double		n = 0;

	for (int i = 0; i < k->n_classes; i++)
	{
		ms += k->classes[i].latency.sum_ms;
		n += k->classes[i].latency.n;
	}
	return n > 0 ? ms * 1000.0 / n : NAN;
}

static int64
rvd_stats_proven(const RvdKnowledge *k)
{
	int64		proven = 0;

	for (int i = 0; i < k->n_plans; i++)
		proven += k->plans[i].role == RVD_PLAN_PROVEN;
	return proven;
}

/* What the learner of this database is at. */
static void
rvd_stats_add_learner(RvdJson *json, RvdDatabase *db)
{
	RvdRing    *ring = db ? rvd_database_ring(db) : NULL;
	uint64		cycles = 0;
	TimestampTz last_cycle = 0;
	TimestampTz last_persist = 0;

	if (db != NULL)
	{
		LWLockAcquire(rvd_control_lock(), LW_SHARED);
		cycles = db->cycles;
		last_cycle = db->last_cycle;
		last_persist = db->last_persist;
		LWLockRelease(rvd_control_lock());
	}
	rvd_json_add_int(json, "trajectories_recorded",
					 db ? (int64) pg_atomic_read_u64(&db->trajectories) : 0);
	rvd_json_add_int(json, "trajectories_buffered",
					 ring ? (int64) rvd_ring_count(ring) : 0);
	rvd_json_add_int(json, "trajectories_dropped",
					 (ring ? (int64) atomic_load(&ring->dropped) : 0) +
					 (db ? (int64) pg_atomic_read_u64(&db->ring_refused) : 0));
	rvd_json_add_int(json, "background_cycles", (int64) cycles);
	rvd_json_add_time(json, "last_cycle", last_cycle);
	rvd_json_add_time(json, "last_persist", last_persist);
}

/* Large join problems: by a known order, or searched. */
static void
rvd_stats_add_joins(RvdJson *json, RvdDatabase *db)
{
	rvd_json_add_int(json, "join_orders",
					 (int64) pg_atomic_read_u64(&db->join_orders));
	rvd_json_add_int(json, "join_orders_refused",
					 (int64) pg_atomic_read_u64(&db->join_orders_refused));
	rvd_json_add_int(json, "joins_built",
					 (int64) pg_atomic_read_u64(&db->joins_built));
}

Datum
ruvector_dag_learning_stats(PG_FUNCTION_ARGS)
{
	RvdDatabase *db;
	RvdKnowledge k;
	StatsCounts counts = {0};
	RvdScopeConfig own;
	RvdScopeConfig whole;
	RvdJson		json;
	Oid			tab;

	rvd_require_preload();
	db = rvd_my_database();
	tab = rvd_sql_arg_relation(fcinfo, 0);
	rvd_knowledge_load(&k, tab);
	if (OidIsValid(tab))
		rvd_stats_of_classes(&k, &counts);
	else
		rvd_stats_of_database(db, &counts);

	rvd_json_begin(&json);
	rvd_json_add_bool(&json, "enabled", rvd_neural_dag_enabled &&
					  rvd_scope_of_table(tab, &own, &whole));
	rvd_json_add_int(&json, "queries_processed", counts.queries);
	rvd_json_add_int(&json, "query_classes", k.n_classes);
	rvd_json_add_int(&json, "steered", counts.steered);
	rvd_json_add_int(&json, "trials", counts.trials);
	rvd_json_add_int(&json, "trials_won", counts.won);
	rvd_json_add_int(&json, "trials_abandoned", counts.abandoned);
	rvd_json_add_float(&json, "saved_ms", counts.saved_ms);
	rvd_json_add_float(&json, "regret_ms", counts.regret_ms);
	rvd_json_add_float(&json, "pattern_hit_rate", counts.queries > 0
					   ? (double) counts.steered / counts.queries : NAN);
	rvd_json_add_float(&json, "avg_latency_us", rvd_stats_average_us(&k));
	rvd_json_add_int(&json, "patterns_stored",
					 rvd_sql_count_patterns(tab));
	rvd_json_add_int(&json, "plans_proven", rvd_stats_proven(&k));
	rvd_json_add_int(&json, "plans_stored", k.n_plans);
	rvd_stats_add_learner(&json, db);
	if (!OidIsValid(tab) && db != NULL)
		rvd_stats_add_joins(&json, db);
	if (!OidIsValid(tab))
		rvd_neural_stats_add(&json, db);
	PG_RETURN_JSONB_P(rvd_json_end(&json));
}

Datum
ruvector_dag_memory(PG_FUNCTION_ARGS)
{
	RvdMemoryLine lines[RVD_MEMORY_LINES];
	int			n;

	rvd_require_preload();
	InitMaterializedSRF(fcinfo, 0);
	n = rvd_memory_lines(lines);
	for (int i = 0; i < n; i++)
	{
		RvdRow		row = {0};

		rvd_row_add_text(&row, lines[i].component);
		rvd_row_add(&row, Int64GetDatum((int64) lines[i].budget_bytes));
		rvd_row_add(&row, Int64GetDatum((int64) lines[i].allocated_bytes));
		rvd_row_add(&row, Int64GetDatum((int64) lines[i].used_bytes));
		rvd_row_add(&row, Int64GetDatum((int64) lines[i].peak_bytes));
		rvd_row_put(&row, fcinfo);
	}
	return (Datum) 0;
}
