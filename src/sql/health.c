/*-------------------------------------------------------------------------
 *
 * health.c
 *	  ruvector_dag_health_report: what stands in the way of learning, with
 *	  figures.  Layer 7.
 *
 * Each check is one small function that appends a sentence when it finds
 * something; a report without a sentence is healthy.  Observe mode and
 * nothing enabled are the user's choice, but who asks why nothing gets faster
 * wants to be told.
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

PG_FUNCTION_INFO_V1(ruvector_dag_health_report);

/* What the checks look at. */
typedef struct Health
{
	Oid			tab;
	RvdDatabase *db;			/* NULL: none */
	RvdRing    *ring;			/* NULL: none */
	pid_t		learner;
	bool		cycle_failed;
	uint32		state;			/* RvdDatabaseState */
	uint64		dropped;
	uint64		recorded;
	RvdJson    *json;
	int			issues;
} Health;

static void
rvd_health_issue(Health *health, const char *text)
{
	rvd_json_element_text(health->json, text);
	health->issues++;
}

static void
rvd_health_check_scope(Health *health)
{
	RvdScopeConfig own;
	RvdScopeConfig whole;
	int			mode = rvd_dag_mode;

	if (!rvd_neural_dag_enabled)
		rvd_health_issue(health, "ruvector.neural_dag_enabled is off in this session");
	if (!rvd_scope_any())
		rvd_health_issue(health, "nothing is enabled in this database: call ruvector_enable_neural_dag()");
	else if (OidIsValid(health->tab) &&
			 !rvd_scope_of_table(health->tab, &own, &whole))
		rvd_health_issue(health,
						 psprintf("table %s is not enabled: call ruvector_enable_neural_dag()",
								  rvd_sql_relation_name(health->tab)));
	else
	{
		(void) rvd_scope_of_table(health->tab, &own, &whole);
		rvd_scope_config_inherit(&own, &whole);
		if (own.set & (1U << RVD_SCOPE_MODE))
			mode = (int) own.value[RVD_SCOPE_MODE];
		if (mode != RVD_MODE_AUTO)
			rvd_health_issue(health,
							 psprintf("mode is %s: statements are not steered",
									  rvd_scope_config_show(RVD_SCOPE_MODE, mode)));
	}
}

static void
rvd_health_check_workers(Health *health)
{
	uint64		refused = pg_atomic_read_u64(&rvd_control()->worker_refused);

	if (health->db == NULL || health->learner == 0)
		rvd_health_issue(health, "no learner is running in this database");
	else if (health->state != RVD_DB_READY)
		rvd_health_issue(health, "the learner is still loading: nothing is steered yet");
	if (refused > 0)
		rvd_health_issue(health,
						 psprintf("a learner was refused a background worker slot %llu times: raise max_worker_processes",
								  (unsigned long long) refused));
	if (health->cycle_failed)
		rvd_health_issue(health, "the last learning cycle failed: see the server's log");
}

static void
rvd_health_check_buffer(Health *health)
{
	if (health->db == NULL)
		return;
	if (health->ring == NULL)
		rvd_health_issue(health, "no trajectory buffer is left for this database: raise ruvector.dag_memory_mb");
	if (health->dropped > 0)
		rvd_health_issue(health,
						 psprintf("%llu trajectories were dropped because the buffer was full: raise ruvector.dag_max_trajectories",
								  (unsigned long long) health->dropped));
}

static void
rvd_health_check_counters(Health *health)
{
	uint64		errors;
	uint64		skips;
	uint64		queries;

	if (health->db == NULL)
		return;
	errors = pg_atomic_read_u64(&health->db->errors);
	skips = pg_atomic_read_u64(&health->db->lock_skips);
	queries = pg_atomic_read_u64(&health->db->queries);
	if (errors > 0)
		rvd_health_issue(health,
						 psprintf("%llu errors were caught in hooks: see the server's log",
								  (unsigned long long) errors));
	/* a few are the price of never waiting; one in a hundred is not */
	if (skips > 100 && skips > queries / 100)
		rvd_health_issue(health,
						 psprintf("%llu updates were given up because a lock was held",
								  (unsigned long long) skips));
}

static void
rvd_health_check_tables(Health *health)
{
	for (int i = 0; i < RVD_NUM_PERSISTED; i++)
	{
		RvdTableUsage usage;

		rvd_table_usage(rvd_table(i), &usage);
		if (usage.evicted > 0)
			rvd_health_issue(health,
							 psprintf("memory for %s is short: %lld were evicted, %lld of %lld are in use; raise ruvector.dag_memory_mb",
									  usage.name, (long long) usage.evicted,
									  (long long) usage.used,
									  (long long) usage.capacity));
	}
}

static void
rvd_health_add_metrics(Health *health)
{
	RvdJson    *json = health->json;

	rvd_json_begin_object(json, "metrics");
	if (health->db != NULL)
	{
		rvd_json_add_int(json, "queries", (int64)
						 pg_atomic_read_u64(&health->db->queries));
		rvd_json_add_int(json, "lock_skips", (int64)
						 pg_atomic_read_u64(&health->db->lock_skips));
		rvd_json_add_int(json, "errors", (int64)
						 pg_atomic_read_u64(&health->db->errors));
		rvd_json_add_int(json, "trajectories_recorded",
						 (int64) health->recorded);
	}
	rvd_json_add_int(json, "workers_refused", (int64)
					 pg_atomic_read_u64(&rvd_control()->worker_refused));
	for (int i = 0; i < RVD_NUM_TABLES; i++)
	{
		RvdTableUsage usage;

		rvd_table_usage(rvd_table(i), &usage);
		rvd_json_begin_object(json, usage.name);
		rvd_json_add_int(json, "capacity", usage.capacity);
		rvd_json_add_int(json, "used", usage.used);
		rvd_json_add_int(json, "evicted", usage.evicted);
		rvd_json_end_object(json);
	}
	rvd_json_end_object(json);
}

static void
rvd_health_add_buffer(Health *health)
{
	RvdJson    *json = health->json;
	int64		size = health->ring ? rvd_ring_count(health->ring) : 0;
	double		all = (double) health->recorded + size + health->dropped;

	rvd_json_begin_object(json, "buffer");
	rvd_json_add_int(json, "size", size);
	rvd_json_add_int(json, "capacity",
					 health->ring ? health->ring->capacity : 0);
	rvd_json_add_float(json, "drop_rate",
					   all > 0 ? health->dropped / all : 0.0);
	rvd_json_end_object(json);
}

static void
rvd_health_collect(Health *health)
{
	RvdDatabase *db = rvd_my_database();

	if (db == NULL)
		return;
	health->db = db;
	health->ring = rvd_database_ring(db);
	health->state = pg_atomic_read_u32(&db->state);
	LWLockAcquire(rvd_control_lock(), LW_SHARED);
	health->learner = db->learner_pid;
	health->cycle_failed = db->cycle_failed;
	LWLockRelease(rvd_control_lock());
	health->recorded = pg_atomic_read_u64(&db->trajectories);
	health->dropped = pg_atomic_read_u64(&db->ring_refused);
	if (health->ring != NULL)
		health->dropped += atomic_load(&health->ring->dropped);
}

Datum
ruvector_dag_health_report(PG_FUNCTION_ARGS)
{
	Health		health = {0};
	RvdJson		json;

	rvd_require_preload();
	health.tab = rvd_sql_arg_relation(fcinfo, 0);
	health.json = &json;
	rvd_health_collect(&health);

	rvd_json_begin(&json);
	rvd_json_begin_array(&json, "issues");
	rvd_health_check_scope(&health);
	rvd_health_check_workers(&health);
	rvd_health_check_buffer(&health);
	rvd_health_check_counters(&health);
	rvd_health_check_tables(&health);
	rvd_json_end_array(&json);
	rvd_json_add_bool(&json, "healthy", health.issues == 0);
	rvd_health_add_metrics(&health);
	rvd_health_add_buffer(&health);
	PG_RETURN_JSONB_P(rvd_json_end(&json));
}
