/*-------------------------------------------------------------------------
 *
 * drain.c
 *	  From the ring into ruvector.dag_trajectories.
 *
 * Records are taken from the ring into a buffer of fixed size and leave the
 * buffer only when the transaction that wrote them has committed, so a
 * failed attempt loses nothing.  The table keeps about as many rows as
 * ruvector.dag_max_trajectories says; older ones go in batches.  On a standby
 * records are read and dropped.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "ruvector_dag/settings.h"
#include "learner.h"

#define BATCH_ROWS		500
#define TRIM_EVERY		2000	/* rows written between two trims */
#define TRIM_ROWS		10000	/* removed by one statement at most */
#define N_COLUMNS		19

static RvdTrajectory *pending = NULL;
static int	n_pending = 0;
static int64 since_trim = TRIM_EVERY;	/* trim at the first occasion */
static SPIPlanPtr insert_plan = NULL;
static SPIPlanPtr trim_plan = NULL;

static const char *const insert_statement =
	"INSERT INTO ruvector.dag_trajectories (queryid, instance, plan_id,"
	" recorded_at, planning_ms, execution_ms, expected_ms, rows, shared_hit,"
	" shared_read, temp_blocks, outcome, role, trial, trial_abandoned,"
	" node_ops, node_depths, node_est_rows, node_act_rows)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
	" $15, $16, $17, $18, $19)";

/* By number, which has gaps after failures: keeps at most what is allowed. */
static const char *const trim_statement =
	"DELETE FROM ruvector.dag_trajectories WHERE id IN"
	" (SELECT id FROM ruvector.dag_trajectories WHERE id <="
	" (SELECT pg_catalog.max(id) FROM ruvector.dag_trajectories) - $1"
	" ORDER BY id LIMIT $2)";

/* Fill the buffer from the ring. */
static void
take(RvdLearner *learner)
{
	RvdRing    *ring = rvd_database_ring(learner->db);

	if (pending == NULL)
		pending = MemoryContextAlloc(TopMemoryContext,
									 BATCH_ROWS * sizeof(RvdTrajectory));
	while (ring && n_pending < BATCH_ROWS &&
		   rvd_ring_pop(ring, &pending[n_pending]) == RVD_OK)
		n_pending++;
}

static Datum
smallint_array(const RvdTrajectory *t, int n, bool depth)
{
	Datum		elements[RVD_TRAJECTORY_NODES];

	for (int i = 0; i < n; i++)
		elements[i] = Int16GetDatum(depth ? t->nodes[i].depth :
									t->nodes[i].op);
	return PointerGetDatum(construct_array(elements, n, INT2OID, 2, true,
										   TYPALIGN_SHORT));
}

static Datum
rows_array(const RvdTrajectory *t, int n, bool actual)
{
	Datum		elements[RVD_TRAJECTORY_NODES];

	for (int i = 0; i < n; i++)
		elements[i] = Float4GetDatum(actual ? t->nodes[i].act_rows :
									 t->nodes[i].est_rows);
	return PointerGetDatum(construct_array(elements, n, FLOAT4OID, 4, true,
										   TYPALIGN_INT));
}

static SPIPlanPtr
prepare_insert(void)
{
	Oid			types[N_COLUMNS] = {
		INT8OID, INT8OID, INT8OID, TIMESTAMPTZOID, FLOAT4OID, FLOAT4OID,
		FLOAT4OID, FLOAT8OID, INT8OID, INT8OID, INT8OID, INT2OID, INT2OID,
		BOOLOID, BOOLOID, INT2ARRAYOID, INT2ARRAYOID, FLOAT4ARRAYOID,
		FLOAT4ARRAYOID
	};

	return rvd_learner_prepare(&insert_plan, insert_statement, N_COLUMNS,
							   types);
}

static void
insert_record(SPIPlanPtr plan, const RvdTrajectory *t)
{
	int			n = Max(0, Min(t->n_nodes, RVD_TRAJECTORY_NODES));
	Datum		values[N_COLUMNS] = {
		Int64GetDatum(t->queryid), Int64GetDatum((int64) t->instance),
		Int64GetDatum((int64) t->plan_id),
		TimestampTzGetDatum(t->recorded_at),
		Float4GetDatum(t->planning_ms), Float4GetDatum(t->execution_ms),
		Float4GetDatum(t->expected_ms), Float8GetDatum(t->rows),
		Int64GetDatum(t->shared_hit), Int64GetDatum(t->shared_read),
		Int64GetDatum(t->temp_blocks), Int16GetDatum(t->outcome),
		Int16GetDatum(t->role), BoolGetDatum(t->trial),
		BoolGetDatum(t->trial_abandoned), smallint_array(t, n, false),
		smallint_array(t, n, true), rows_array(t, n, false),
		rows_array(t, n, true)
	};

	if (SPI_execute_plan(plan, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write to ruvector.dag_trajectories");
}

static void
insert_pending(void)
{
	SPIPlanPtr	plan = prepare_insert();
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext,
													  "ruvector_dag drain",
													  ALLOCSET_DEFAULT_SIZES);

	for (int i = 0; i < n_pending; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);

		insert_record(plan, &pending[i]);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}
	MemoryContextDelete(row_context);
}

/* Returns whether there may be more to remove. */
static bool
trim(void)
{
	Oid			types[2] = {INT8OID, INT8OID};
	Datum		values[2] = {
		Int64GetDatum(rvd_dag_max_trajectories), Int64GetDatum(TRIM_ROWS)
	};

	rvd_learner_prepare(&trim_plan, trim_statement, 2, types);
	if (SPI_execute_plan(trim_plan, values, NULL, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not trim ruvector.dag_trajectories");
	return SPI_processed >= TRIM_ROWS;
}

/*
 * Write the buffer.  False: not now.  The commit is asynchronous: losing the
 * last moments of the history in a crash is no loss worth a disk flush.
 */
static bool
write_pending(RvdLearner *learner)
{
	bool		more = false;

	if (!rvd_learner_begin_write(learner))
		return false;
	(void) set_config_option("synchronous_commit", "off", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	insert_pending();
	if (since_trim >= TRIM_EVERY)
		more = trim();
	rvd_learner_commit();

	since_trim = since_trim >= TRIM_EVERY && !more ? 0 : since_trim;
	since_trim += n_pending;
	pg_atomic_fetch_add_u64(&learner->db->trajectories, n_pending);
	n_pending = 0;
	return true;
}

bool
rvd_learner_drain(void *arg)
{
	RvdLearner *learner = arg;

	for (;;)
	{
		take(learner);
		if (n_pending == 0)
			return true;
		if (RecoveryInProgress())
			n_pending = 0;
		else if (!write_pending(learner))
			return true;		/* kept: the next time will do */
		MemoryContextReset(learner->scratch);
		CHECK_FOR_INTERRUPTS();
	}
}
