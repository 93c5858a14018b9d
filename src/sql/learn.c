/*-------------------------------------------------------------------------
 *
 * learn.c
 *	  ruvector_dag_learn: a learning cycle now.  Layer 7.
 *
 * The learner does the work; this puts a request into the database's slot,
 * raises the request counter, wakes the learner and waits until the answer
 * counter has caught up.  The learner has no latch of ours to set, so we look
 * every few milliseconds.
 *
 * There is room for one request.  Who finds it taken waits; an answer nobody
 * reads within a second (its reader was cancelled) no longer counts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/neural.h"
#include "ruvector_dag/scope_config.h"
#include "ruvector_dag/settings.h"
#include "learn.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_learn);

#define LEARN_LOOK_EVERY_MS 10L
#define LEARN_ANSWER_KEPT_MS 1000

static const char *const step_names[RVD_CYCLE_STEPS] = {
	[RVD_STEP_DRAIN] = "drain",
	[RVD_STEP_CLUSTER] = "cluster",
	[RVD_STEP_PATTERNS] = "patterns",
	[RVD_STEP_EWC] = "workload",
	[RVD_STEP_TRAIN] = "train",
	[RVD_STEP_PUBLISH] = "publish"
};

/* Figures of the last cycle. */
typedef struct LearnAnswer
{
	int64		trajectories;
	double		ms;
} LearnAnswer;

static void
rvd_learn_raise_no_learner(void)
{
	ereport(ERROR,
			(errcode(RVD_ERRCODE_LEARNING_FAILED),
			 errmsg("no learner is running in this database"),
			 errhint("The launcher starts one within seconds of CREATE EXTENSION; it takes a free slot of max_worker_processes. The server's log says more.")));
}

void
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

/* ---- requests ----------------------------------------------------------- */

static void
rvd_learn_sleep(void)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 LEARN_LOOK_EVERY_MS, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* May the slot's request be replaced?  Control lock held. */
static bool
rvd_learn_may_ask(RvdDatabase *db)
{
	const RvdCycleRequest *r = &db->request;

	if (!r->answered)
		return r->number == 0 ||
			(int32) (pg_atomic_read_u32(&db->cycle_done) - r->number) >= 0;
	return r->taken ||
		TimestampDifferenceExceeds(r->answered_at, GetCurrentTimestamp(),
								   LEARN_ANSWER_KEPT_MS);
}

/* Put the request into the slot once there is room. */
static void
rvd_learn_ask(RvdDatabase *db, RvdCycleRequest *request)
{
	bool		asked = false;

	while (!asked)
	{
		pid_t		learner;

		LWLockAcquire(rvd_control_lock(), LW_EXCLUSIVE);
		learner = db->database == MyDatabaseId ? db->learner_pid : 0;
		if (learner != 0 && rvd_learn_may_ask(db))
		{
			request->number = pg_atomic_add_fetch_u32(&db->cycle_wanted, 1);
			db->request = *request;
			asked = true;
		}
		LWLockRelease(rvd_control_lock());
		if (learner == 0)
			rvd_learn_raise_no_learner();
		if (!asked)
			rvd_learn_sleep();
	}
	rvd_database_wake(db, true);
}

/* Wait until cycle number wanted has been answered. */
static void
rvd_learn_wait(RvdDatabase *db, uint32 wanted)
{
	while ((int32) (pg_atomic_read_u32(&db->cycle_done) - wanted) < 0)
	{
		pid_t		learner;

		LWLockAcquire(rvd_control_lock(), LW_SHARED);
		learner = db->database == MyDatabaseId ? db->learner_pid : 0;
		LWLockRelease(rvd_control_lock());
		if (learner == 0)
			rvd_learn_raise_no_learner();
		rvd_learn_sleep();
	}
	pg_read_barrier();
}

/* Read the answer; false: it did not wait for us. */
static bool
rvd_learn_take(RvdDatabase *db, RvdCycleRequest *request)
{
	bool		ours;

	LWLockAcquire(rvd_control_lock(), LW_EXCLUSIVE);
	ours = db->request.number == request->number && db->request.answered;
	if (ours)
	{
		db->request.taken = true;
		*request = db->request;
	}
	LWLockRelease(rvd_control_lock());
	return ours;
}

void
rvd_learn_request(RvdCycleRequest *request)
{
	RvdDatabase *db = rvd_my_database();

	if (db == NULL)
		rvd_learn_raise_no_learner();
	rvd_learn_ask(db, request);
	rvd_learn_wait(db, request->number);
	if (!rvd_learn_take(db, request))
		ereport(ERROR,
				(errcode(RVD_ERRCODE_LEARNING_FAILED),
				 errmsg("the learner's answer was lost"),
				 errhint("Ask again.")));
	if (request->failed)
		ereport(ERROR,
				(errcode(RVD_ERRCODE_LEARNING_FAILED),
				 errmsg("the learning cycle failed"),
				 errdetail("Not everything could be written to the tables of schema \"ruvector\"."),
				 errhint("The server's log says why; nothing is lost, the learner tries again.")));
}

/* ---- the answer --------------------------------------------------------- */

/* Why nothing was trained; NULL: it was. */
static const char *
rvd_learn_skip_reason(RvdNeural *neural, const RvdCycleReport *r)
{
	if (RecoveryInProgress())
		return "a standby only reads what its primary learned";
	if (neural == NULL)
		return "shared memory has no room for this database's model";
	if (!r->skipped)
		return NULL;
	return psprintf(INT64_FORMAT " executions are waiting, it takes %d",
					r->waiting, RVD_CYCLE_MIN_TRAJECTORIES);
}

static void
rvd_learn_add_steps(RvdJson *json, const RvdCycleReport *r)
{
	rvd_json_begin_object(json, "steps_ms");
	for (int i = 0; i < RVD_CYCLE_STEPS; i++)
		rvd_json_add_float(json, step_names[i], r->step_ms[i]);
	rvd_json_end_object(json);
}

static void
rvd_learn_add_training(RvdJson *json)
{
	RvdNeural  *neural = rvd_my_neural();
	RvdCycleReport r = {0};
	const char *reason;

	if (neural != NULL)
		rvd_cycle_report_get(neural, &r);
	reason = rvd_learn_skip_reason(neural, &r);
	rvd_json_begin_object(json, "training");
	rvd_json_add_bool(json, "skipped", reason != NULL);
	if (reason != NULL)
		rvd_json_add_text(json, "reason", reason);
	else
	{
		rvd_json_add_int(json, "trajectories", r.trajectories);
		rvd_json_add_int(json, "replayed", r.replayed);
		rvd_json_add_int(json, "clusters", r.clusters);
		rvd_json_add_float(json, "loss_before", r.train.loss_before);
		rvd_json_add_float(json, "loss_after", r.train.loss_after);
		rvd_json_add_int(json, "ewc_tasks", r.ewc_tasks);
		rvd_json_add_float(json, "lambda", r.train.lambda);
		rvd_json_add_float(json, "workload_distance", r.workload_distance);
		rvd_learn_add_steps(json, &r);
	}
	rvd_json_end_object(json);
}

static LearnAnswer
rvd_learn_figures(void)
{
	RvdDatabase *db = rvd_my_database();
	LearnAnswer answer = {0};

	if (db == NULL)
		return answer;
	LWLockAcquire(rvd_control_lock(), LW_SHARED);
	answer.trajectories = db->cycle_trajectories;
	answer.ms = db->cycle_ms;
	LWLockRelease(rvd_control_lock());
	return answer;
}

Datum
ruvector_dag_learn(PG_FUNCTION_ARGS)
{
	RvdCycleRequest request = {0};
	LearnAnswer answer;
	RvdJson		json;

	rvd_require_preload();
	rvd_learn_check_scope(rvd_sql_arg_relation(fcinfo, 0));
	rvd_learn_request(&request);
	answer = rvd_learn_figures();

	rvd_json_begin(&json);
	rvd_json_add_bool(&json, "success", true);
	rvd_json_add_int(&json, "trajectories_processed", answer.trajectories);
	rvd_json_add_int(&json, "patterns_extracted", request.patterns);
	rvd_json_add_float(&json, "duration_ms", answer.ms);
	rvd_learn_add_training(&json);
	PG_RETURN_JSONB_P(rvd_json_end(&json));
}
