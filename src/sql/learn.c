/*-------------------------------------------------------------------------
 *
 * learn.c
 *	  ruvector_dag_learn: a learning cycle now.  Layer 7.
 *
 * The learner does the work; this raises its request counter, wakes it and
 * waits until the answer counter has caught up.  The learner has no latch of
 * ours to set, so we look every few milliseconds.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/wait_event.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/scope_config.h"
#include "ruvector_dag/settings.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_learn);

#define LEARN_LOOK_EVERY_MS 10L

/* Of a cycle that has been answered, or no learner to answer. */
typedef struct LearnAnswer
{
	pid_t		learner;
	int64		trajectories;
	int64		patterns;
	double		ms;
	bool		failed;
} LearnAnswer;

static void
rvd_learn_read(RvdDatabase *db, LearnAnswer *answer)
{
	LWLockAcquire(rvd_control_lock(), LW_SHARED);
	answer->learner = db->learner_pid;
	answer->trajectories = db->cycle_trajectories;
	answer->patterns = db->cycle_patterns;
	answer->ms = db->cycle_ms;
	answer->failed = db->cycle_failed;
	LWLockRelease(rvd_control_lock());
}

static void
rvd_learn_raise_no_learner(void)
{
	ereport(ERROR,
			(errcode(RVD_ERRCODE_LEARNING_FAILED),
			 errmsg("no learner is running in this database"),
			 errhint("The launcher starts one within seconds of CREATE EXTENSION; it takes a free slot of max_worker_processes. The server's log says more.")));
}

static void
rvd_learn_check_scope(Oid tab)
{
	RvdScopeConfig own;
	RvdScopeConfig whole;

	if (!rvd_neural_dag_enabled)
		ereport(ERROR,
				(errcode(RVD_ERRCODE_DISABLED),
				 errmsg("ruvector_dag is disabled"),
				 errdetail("Setting ruvector.neural_dag_enabled is off."),
				 errhint("Run SET ruvector.neural_dag_enabled = on.")));
	if (OidIsValid(tab) && !rvd_scope_of_table(tab, &own, &whole))
		ereport(ERROR,
				(errcode(RVD_ERRCODE_TABLE_NOT_ENABLED),
				 errmsg("ruvector_dag is not enabled for table %s",
						rvd_sql_relation_name(tab)),
				 errhint("Call ruvector_enable_neural_dag() for it.")));
}

/* Wait until cycle number wanted has been answered. */
static void
rvd_learn_wait(RvdDatabase *db, uint32 wanted)
{
	while ((int32) (pg_atomic_read_u32(&db->cycle_done) - wanted) < 0)
	{
		LearnAnswer now;

		rvd_learn_read(db, &now);
		if (now.learner == 0 || db->database != MyDatabaseId)
			rvd_learn_raise_no_learner();
		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 LEARN_LOOK_EVERY_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	pg_read_barrier();
}

Datum
ruvector_dag_learn(PG_FUNCTION_ARGS)
{
	RvdDatabase *db;
	LearnAnswer answer;
	RvdJson		json;
	uint32		wanted;

	rvd_require_preload();
	rvd_learn_check_scope(rvd_sql_arg_relation(fcinfo, 0));
	db = rvd_my_database();
	if (db == NULL)
		rvd_learn_raise_no_learner();
	rvd_learn_read(db, &answer);
	if (answer.learner == 0)
		rvd_learn_raise_no_learner();

	wanted = pg_atomic_add_fetch_u32(&db->cycle_wanted, 1);
	rvd_database_wake(db, true);
	rvd_learn_wait(db, wanted);

	rvd_learn_read(db, &answer);
	if (answer.failed)
		ereport(ERROR,
				(errcode(RVD_ERRCODE_LEARNING_FAILED),
				 errmsg("the learning cycle failed"),
				 errdetail("Not everything could be written to the tables of schema \"ruvector\"."),
				 errhint("The server's log says why; nothing is lost, the learner tries again.")));
	rvd_json_begin(&json);
	rvd_json_add_bool(&json, "success", true);
	rvd_json_add_int(&json, "trajectories_processed", answer.trajectories);
	rvd_json_add_int(&json, "patterns_extracted", answer.patterns);
	rvd_json_add_float(&json, "duration_ms", answer.ms);
	PG_RETURN_JSONB_P(rvd_json_end(&json));
}
