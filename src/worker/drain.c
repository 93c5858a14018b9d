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

#include <math.h>

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

/* What is written, in this order: the row below follows it. */
static const struct
{
	const char *name;
	Oid			type;
}			columns[] = {
	{"queryid", INT8OID}, {"instance", INT8OID}, {"plan_id", INT8OID},
	{"recorded_at", TIMESTAMPTZOID},
	{"planning_ms", FLOAT4OID}, {"execution_ms", FLOAT4OID},
	{"expected_ms", FLOAT4OID}, {"rows", FLOAT8OID},
	{"shared_hit", INT8OID}, {"shared_read", INT8OID},
	{"temp_blocks", INT8OID},
	{"outcome", INT2OID}, {"role", INT2OID},
	{"trial", BOOLOID}, {"trial_abandoned", BOOLOID},
	{"node_ops", INT2ARRAYOID}, {"node_depths", INT2ARRAYOID},
	{"node_est_rows", FLOAT4ARRAYOID}, {"node_act_rows", FLOAT4ARRAYOID},
	{"node_self_ms", FLOAT4ARRAYOID},
	{"quality", FLOAT4OID}, {"predicted_ms", FLOAT4OID},
	{"attention", INT2OID}, {"total_cost", FLOAT8OID},
	{"embedding_key", INT8OID}, {"targets", FLOAT4ARRAYOID},
	{"plan_features", FLOAT4ARRAYOID}, {"embedding", FLOAT4ARRAYOID}
};

#define N_COLUMNS	lengthof(columns)

typedef struct Row
{
	int			n;				/* filled so far */
	Datum		values[N_COLUMNS];
	char		nulls[N_COLUMNS];
} Row;

static RvdTrajectory *pending = NULL;
static int	n_pending = 0;
static int64 since_trim = TRIM_EVERY;	/* trim at the first occasion */
static SPIPlanPtr insert_plan = NULL;
static SPIPlanPtr trim_plan = NULL;

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

/* ---- a record as a row -------------------------------------------------- */

static void
put(Row *row, Datum value)
{
	row->values[row->n] = value;
	row->nulls[row->n++] = ' ';
}

static void
put_null(Row *row)
{
	row->values[row->n] = (Datum) 0;
	row->nulls[row->n++] = 'n';
}

/* An array of n equal elements of size bytes, which lie in a row. */
static void
put_array(Row *row, const void *elements, int n, Oid type, Size size)
{
	ArrayType  *a;
	Size		bytes = ARR_OVERHEAD_NONULLS(1) + n * size;

	if (n == 0)
	{
		put(row, PointerGetDatum(construct_empty_array(type)));
		return;
	}
	a = palloc0(bytes);
	SET_VARSIZE(a, bytes);
	a->ndim = 1;
	a->dataoffset = 0;			/* no NULLs */
	a->elemtype = type;
	ARR_DIMS(a)[0] = n;
	ARR_LBOUND(a)[0] = 1;
	memcpy(ARR_DATA_PTR(a), elements, n * size);
	put(row, PointerGetDatum(a));
}

static void
put_floats(Row *row, const float *values, int n)
{
	put_array(row, values, n, FLOAT4OID, sizeof(float));
}

static void
put_nodes(Row *row, const RvdTrajectory *t)
{
	int			n = Max(0, Min(t->n_nodes, RVD_TRAJECTORY_NODES));
	int16		ops[RVD_TRAJECTORY_NODES];
	int16		depths[RVD_TRAJECTORY_NODES];
	float		est_rows[RVD_TRAJECTORY_NODES];
	float		act_rows[RVD_TRAJECTORY_NODES];
	float		self_ms[RVD_TRAJECTORY_NODES];

	for (int i = 0; i < n; i++)
	{
		ops[i] = t->nodes[i].op;
		depths[i] = t->nodes[i].depth;
		est_rows[i] = t->nodes[i].est_rows;
		act_rows[i] = t->nodes[i].act_rows;
		self_ms[i] = t->nodes[i].self_ms;
	}
	put_array(row, ops, n, INT2OID, sizeof(int16));
	put_array(row, depths, n, INT2OID, sizeof(int16));
	put_floats(row, est_rows, n);
	put_floats(row, act_rows, n);
	put_floats(row, self_ms, n);
}

/* What the latency model is trained on; without an embedding, none of it. */
static void
put_embedding(Row *row, const RvdTrajectory *t)
{
	if (!t->embedded)
	{
		for (int i = 0; i < 6; i++)
			put_null(row);
		return;
	}
	put(row, Int16GetDatum(t->attention));
	put(row, Float8GetDatum(t->total_cost));
	put(row, Int64GetDatum((int64) t->embedding_key));
	put_floats(row, t->targets, RVD_TRAJECTORY_TARGETS);
	put_floats(row, t->plan, RVD_PLAN_FEATURES);
	put_floats(row, t->embedding, RVD_EMBEDDING_DIM);
}

static void
make_row(Row *row, const RvdTrajectory *t)
{
	row->n = 0;
	put(row, Int64GetDatum(t->queryid));
	put(row, Int64GetDatum((int64) t->instance));
	put(row, Int64GetDatum((int64) t->plan_id));
	put(row, TimestampTzGetDatum(t->recorded_at));
	put(row, Float4GetDatum(t->planning_ms));
	put(row, Float4GetDatum(t->execution_ms));
	put(row, Float4GetDatum(t->expected_ms));
	put(row, Float8GetDatum(t->rows));
	put(row, Int64GetDatum(t->shared_hit));
	put(row, Int64GetDatum(t->shared_read));
	put(row, Int64GetDatum(t->temp_blocks));
	put(row, Int16GetDatum(t->outcome));
	put(row, Int16GetDatum(t->role));
	put(row, BoolGetDatum(t->trial));
	put(row, BoolGetDatum(t->trial_abandoned));
	put_nodes(row, t);
	if (isnan(t->quality))
		put_null(row);
	else
		put(row, Float4GetDatum(t->quality));
	put(row, Float4GetDatum(t->predicted_ms));
	put_embedding(row, t);
	Assert(row->n == N_COLUMNS);
}

/* ---- writing ------------------------------------------------------------ */

static SPIPlanPtr
prepare_insert(void)
{
	StringInfoData sql;
	Oid			types[N_COLUMNS];

	if (insert_plan != NULL)
		return insert_plan;
	initStringInfo(&sql);
	appendStringInfoString(&sql, "INSERT INTO ruvector.dag_trajectories (");
	for (int i = 0; i < N_COLUMNS; i++)
	{
		appendStringInfo(&sql, "%s%s", i > 0 ? ", " : "", columns[i].name);
		types[i] = columns[i].type;
	}
	appendStringInfoString(&sql, ") VALUES (");
	for (int i = 0; i < N_COLUMNS; i++)
		appendStringInfo(&sql, "%s$%d", i > 0 ? ", " : "", i + 1);
	appendStringInfoString(&sql, ")");
	return rvd_learner_prepare(&insert_plan, sql.data, N_COLUMNS, types);
}

static void
insert_record(SPIPlanPtr plan, const RvdTrajectory *t)
{
	Row			row;

	make_row(&row, t);
	if (SPI_execute_plan(plan, row.values, row.nulls, false,
						 0) != SPI_OK_INSERT)
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
