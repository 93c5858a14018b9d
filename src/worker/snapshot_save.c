/*-------------------------------------------------------------------------
 *
 * snapshot_save.c
 *	  A cycle's result into ruvector.dag_model and dag_patterns, then to all.
 *
 * One transaction writes both tables; only when it has committed the snapshot
 * is published and the learner's own state replaced.  So a crash or an error
 * at any moment leaves a model and patterns that belong together.
 *
 * Somebody may have had everything forgotten while the cycle ran.  He holds
 * locks on the tables while he does so, therefore it is looked for once ours
 * are held.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "cycle.h"

#define MODEL_COLUMNS	8
#define PATTERN_COLUMNS 16

static SPIPlanPtr model_plan = NULL;
static SPIPlanPtr pattern_plan = NULL;

/* The micro adapter when it was last persisted: flushes change it in place. */
static uint32 saved_micro_samples = 0;

static Datum
bytes(const void *data, Size length)
{
	bytea	   *b = palloc(VARHDRSZ + length);

	SET_VARSIZE(b, VARHDRSZ + length);
	memcpy(VARDATA(b), data, length);
	return PointerGetDatum(b);
}

static void
write_model(const RvdLearningCycle *c)
{
	const RvdCycleState *state = c->state;
	Oid			types[MODEL_COLUMNS] = {
		INT4OID, INT8OID, INT8OID, INT8OID, BYTEAOID, BYTEAOID, BYTEAOID,
		INT8OID
	};
	Datum		values[MODEL_COLUMNS] = {
		Int32GetDatum(RVD_MODEL_VERSION), Int64GetDatum((int64) state->cycle),
		Int64GetDatum(state->last_id),
		Int64GetDatum((int64) c->next->next_pattern),
		bytes(&c->next->model, sizeof(c->next->model)),
		bytes(&state->trainer, sizeof(state->trainer)),
		bytes(&state->workload, sizeof(state->workload)),
		Int64GetDatum(rvd_snapshot_checksum(&c->next->model, &state->trainer,
											&state->workload))
	};
	char		nulls[MODEL_COLUMNS + 1] = "        ";

	if (!state->has_workload)
		nulls[6] = 'n';
	rvd_learner_prepare(&model_plan,
						"INSERT INTO ruvector.dag_model (version, cycle,"
						" last_trajectory, next_pattern, model, trainer,"
						" workload, checksum)"
						" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
						" ON CONFLICT (only_row) DO UPDATE SET"
						" version = EXCLUDED.version, cycle = EXCLUDED.cycle,"
						" last_trajectory = EXCLUDED.last_trajectory,"
						" next_pattern = EXCLUDED.next_pattern,"
						" model = EXCLUDED.model, trainer = EXCLUDED.trainer,"
						" workload = EXCLUDED.workload,"
						" checksum = EXCLUDED.checksum",
						MODEL_COLUMNS, types);
	if (SPI_execute_plan(model_plan, values, nulls, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write to ruvector.dag_model");
}

static Datum
number_array(const void *numbers, int n, Oid element)
{
	Datum		elements[RVD_EMBEDDING_DIM];

	for (int i = 0; i < n; i++)
		elements[i] = element == OIDOID ?
			ObjectIdGetDatum(((const uint32_t *) numbers)[i]) :
			Float4GetDatum(((const float *) numbers)[i]);
	return PointerGetDatum(construct_array(elements, n, element, 4, true,
										   TYPALIGN_INT));
}

static void
write_pattern(const RvdPattern *p)
{
	Datum		values[PATTERN_COLUMNS] = {
		Int64GetDatum((int64) p->id), Int32GetDatum(p->configuration),
		Int64GetDatum(p->samples), Int64GetDatum(p->verified),
		Float4GetDatum(p->tightness), Float4GetDatum(p->mean_ratio),
		Float4GetDatum(p->ratio_variance), Float4GetDatum(p->quality),
		Float4GetDatum(p->latency_ms), Float4GetDatum(p->baseline_ms),
		Float4GetDatum(p->inflate), Int16GetDatum(p->attention),
		number_array(p->relations, p->n_relations, OIDOID),
		Int64GetDatum(p->example), TimestampTzGetDatum(p->updated_at),
		number_array(p->centroid, RVD_EMBEDDING_DIM, FLOAT4OID)
	};

	if (SPI_execute_plan(pattern_plan, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write to ruvector.dag_patterns");
}

static void
write_patterns(const RvdBank *bank)
{
	Oid			types[PATTERN_COLUMNS] = {
		INT8OID, INT4OID, INT8OID, INT8OID, FLOAT4OID, FLOAT4OID, FLOAT4OID,
		FLOAT4OID, FLOAT4OID, FLOAT4OID, FLOAT4OID, INT2OID, OIDARRAYOID,
		INT8OID, TIMESTAMPTZOID, FLOAT4ARRAYOID
	};
	MemoryContext row_context;

	rvd_learner_prepare(&pattern_plan,
						"INSERT INTO ruvector.dag_patterns (id, configuration,"
						" samples, verified, tightness, mean_ratio,"
						" ratio_variance, quality, latency_ms, baseline_ms,"
						" inflate, attention, relations, example, updated_at,"
						" centroid) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,"
						" $10, $11, $12, $13, $14, $15, $16)",
						PATTERN_COLUMNS, types);
	if (SPI_execute("DELETE FROM ruvector.dag_patterns", false, 0) !=
		SPI_OK_DELETE)
		elog(ERROR, "could not empty ruvector.dag_patterns");
	row_context = AllocSetContextCreate(CurrentMemoryContext,
										"ruvector_dag patterns",
										ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < bank->n; i++)
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);

		write_pattern(&bank->pattern[i]);
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
	}
	MemoryContextDelete(row_context);
}

/* Is what the cycle started from still what is published? */
static bool
still_published(const RvdLearningCycle *c)
{
	RvdSnapshot *s = rvd_snapshot_lock(c->neural, false, true);
	bool		same = s->cycle == c->next->cycle &&
		s->published_at == c->next->published_at;

	rvd_snapshot_release(c->neural);
	return same;
}

bool
rvd_snapshot_save(RvdLearningCycle *c, bool with_patterns)
{
	if (!rvd_learner_begin_soon(c->learner, rvd_learner_begin_write))
		return false;
	if (!still_published(c))
	{
		rvd_learner_commit();
		return false;
	}
	if (with_patterns)
	{
		c->state->cycle++;
		c->next->cycle = c->state->cycle;
		c->next->published_at = GetCurrentTimestamp();
		write_patterns(&c->next->bank);
	}
	write_model(c);
	rvd_learner_commit();

	saved_micro_samples = c->next->model.micro.samples;
	if (with_patterns)
		rvd_snapshot_publish(c->neural, c->next);
	*rvd_cycle_state() = *c->state;
	return true;
}

/*
 * A snapshot that went back to the beginning was made anew because somebody
 * had everything forgotten; then what we kept is void as well.
 */
void
rvd_snapshot_take(RvdLearningCycle *c)
{
	RvdSnapshot *s;

	c->next = MemoryContextAlloc(c->context, rvd_snapshot_size());
	c->state = MemoryContextAlloc(c->context, sizeof(RvdCycleState));
	*c->state = *rvd_cycle_state();
	s = rvd_snapshot_lock(c->neural, false, true);
	memcpy(c->next, s, rvd_snapshot_size());
	rvd_snapshot_release(c->neural);
	if (c->next->cycle != c->state->cycle)
	{
		memset(c->state, 0, sizeof(*c->state));
		c->state->cycle = c->next->cycle;
	}
}

bool
rvd_learner_save_model(void *arg)
{
	RvdLearningCycle c = {.learner = arg};
	bool		ok = true;

	c.neural = rvd_database_neural(c.learner->db);
	if (c.neural == NULL || RecoveryInProgress())
		return true;
	c.context = AllocSetContextCreate(c.learner->scratch, "ruvector_dag model",
									  ALLOCSET_DEFAULT_SIZES);
	rvd_snapshot_take(&c);
	if (c.next->cycle > 0 &&
		c.next->model.micro.samples != saved_micro_samples)
		ok = rvd_snapshot_save(&c, false);
	MemoryContextDelete(c.context);
	return ok;
}
