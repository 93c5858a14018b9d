/*-------------------------------------------------------------------------
 *
 * snapshot_load.c
 *	  Model, trainer and bank out of ruvector.dag_model and dag_patterns.
 *
 * The model is bytes as they lie in memory, with a version, lengths and a
 * checksum; what is not exactly what we wrote is ignored, and the model
 * learned again.  Patterns are rows with columns, each judged by itself, so
 * that a damaged model costs no pattern.
 *
 * What is in shared memory already is kept unless the tables are ahead of it:
 * backends may have taught it since.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "port/pg_crc32c.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "ruvector_dag/hash.h"
#include "ruvector_dag/settings.h"
#include "ruvector_dag/vec.h"
#include "cycle.h"

/* What one row of dag_model says. */
typedef struct ModelRow
{
	bool		there;
	bool		usable;
	RvdCycleState state;
	uint64		next_pattern;
	RvdLatencyModel model;
} ModelRow;

static RvdCycleState *kept = NULL;

RvdCycleState *
rvd_cycle_state(void)
{
	if (kept == NULL)
		kept = MemoryContextAllocZero(TopMemoryContext, sizeof(RvdCycleState));
	return kept;
}

uint32
rvd_snapshot_checksum(const RvdLatencyModel *model, const RvdTrainer *trainer,
					  const RvdHdc *workload)
{
	pg_crc32c	crc;

	INIT_CRC32C(crc);
	COMP_CRC32C(crc, model, sizeof(*model));
	COMP_CRC32C(crc, trainer, sizeof(*trainer));
	COMP_CRC32C(crc, workload, sizeof(*workload));
	FIN_CRC32C(crc);
	return (uint32) crc;
}

/* ---- columns of the current result ---------------------------------------- */

/* False: NULL or of another type. */
static bool
column(uint64 row, int number, Oid type, Datum *value)
{
	bool		isnull;

	*value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						   number, &isnull);
	return !isnull && SPI_gettypeid(SPI_tuptable->tupdesc, number) == type;
}

static bool
int_column(uint64 row, int number, Oid type, int64 *out)
{
	Datum		value;

	if (!column(row, number, type, &value))
		return false;
	*out = type == INT8OID ? DatumGetInt64(value) : DatumGetInt32(value);
	return true;
}

static bool
real_column(uint64 row, int number, float *out)
{
	Datum		value;

	if (!column(row, number, FLOAT4OID, &value))
		return false;
	*out = DatumGetFloat4(value);
	return isfinite(*out);
}

static bool
bytes_column(uint64 row, int number, void *out, Size length)
{
	Datum		value;
	bytea	   *bytes;

	if (!column(row, number, BYTEAOID, &value))
		return false;
	bytes = DatumGetByteaPP(value);
	if (VARSIZE_ANY_EXHDR(bytes) != length)
		return false;
	memcpy(out, VARDATA_ANY(bytes), length);
	return true;
}

/* Number of elements of four bytes, at most most; -1: not such an array. */
static int
array_column(uint64 row, int number, Oid type, Oid element, int most,
			 void *out)
{
	Datum		value;
	ArrayType  *array;
	int			n;

	if (!column(row, number, type, &value))
		return -1;
	array = DatumGetArrayTypeP(value);
	if (ARR_NDIM(array) > 1 || ARR_HASNULL(array) ||
		ARR_ELEMTYPE(array) != element)
		return -1;
	n = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	if (n > most)
		return -1;
	memcpy(out, ARR_DATA_PTR(array), (Size) n * 4);
	return n;
}

/* ---- the model -------------------------------------------------------------- */

/* Within the ranges the rest relies on? */
static bool
model_sane(const RvdLatencyModel *m)
{
	return m->version == RVD_MODEL_VERSION &&
		m->base_rank >= 0 && m->base_rank <= RVD_MODEL_BASE_RANK &&
		m->micro.rank >= 0 && m->micro.rank <= RVD_MODEL_MICRO_RANK &&
		rvd_vec_all_finite(m->w, lengthof(m->w)) &&
		rvd_vec_all_finite(m->base_a, lengthof(m->base_a)) &&
		rvd_vec_all_finite(m->base_b, lengthof(m->base_b)) &&
		rvd_vec_all_finite(m->variance, lengthof(m->variance)) &&
		rvd_vec_all_finite(m->precision, lengthof(m->precision)) &&
		rvd_vec_all_finite(m->micro.a, lengthof(m->micro.a)) &&
		rvd_vec_all_finite(m->micro.b, lengthof(m->micro.b));
}

/* NULL: whole and of our version; otherwise what is wrong. */
static const char *
decode_model(ModelRow *r)
{
	RvdCycleState *state = &r->state;
	int64		version;
	int64		cycle;
	int64		next_pattern;
	int64		checksum;
	bool		has_workload;

	if (!int_column(0, 1, INT4OID, &version) || version != RVD_MODEL_VERSION)
		return "It was written by another version.";
	if (!int_column(0, 2, INT8OID, &cycle) ||
		!int_column(0, 3, INT8OID, &state->last_id) ||
		!int_column(0, 4, INT8OID, &next_pattern) ||
		!int_column(0, 8, INT8OID, &checksum) ||
		cycle < 1 || state->last_id < 0 || next_pattern < 1)
		return "A number is missing or out of range.";
	has_workload = bytes_column(0, 7, &state->workload,
								sizeof(state->workload));
	if (!bytes_column(0, 5, &r->model, sizeof(r->model)) ||
		!bytes_column(0, 6, &state->trainer, sizeof(state->trainer)))
		return "It is of another size.";
	if (!has_workload)
		memset(&state->workload, 0, sizeof(state->workload));
	if (rvd_snapshot_checksum(&r->model, &state->trainer,
							  &state->workload) != (uint32) checksum)
		return "Its checksum does not match.";
	if (!model_sane(&r->model))
		return "A number of it is out of range.";
	state->cycle = (uint64) cycle;
	state->has_workload = has_workload;
	r->next_pattern = (uint64) next_pattern;
	return NULL;
}

static void
log_ignored(const char *why)
{
	static bool logged = false;

	if (logged)
		return;
	logged = true;
	ereport(LOG,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("ruvector_dag ignores the model in table \"ruvector.dag_model\""),
			 errdetail("%s", why),
			 errhint("What it held will be learned again.")));
}

static ModelRow *
read_model(void)
{
	ModelRow   *r = palloc0(sizeof(ModelRow));
	const char *wrong;

	if (SPI_execute("SELECT version, cycle, last_trajectory, next_pattern,"
					" model, trainer, workload, checksum"
					" FROM ruvector.dag_model", true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read ruvector.dag_model");
	r->there = SPI_processed > 0;
	if (!r->there)
		return r;
	wrong = decode_model(r);
	r->usable = wrong == NULL;
	if (wrong != NULL)
		log_ignored(wrong);
	return r;
}

/* ---- patterns --------------------------------------------------------------- */

static bool
decode_ranges(const RvdPattern *p, int64 id, int64 configuration,
			  int64 samples, int64 verified)
{
	return id > 0 &&
		(configuration == RVD_CONFIGURATION_STOCK ||
		 configuration == RVD_CONFIGURATION_LEARNED) &&
		samples > 0 && samples <= PG_UINT32_MAX &&
		verified >= 0 && verified <= samples * RVD_MEMBER_VERIFIED_MAX &&
		p->ratio_variance >= 0 && p->tightness >= 0 && p->quality >= 0 &&
		p->latency_ms >= 0 && p->baseline_ms >= 0;
}

static bool
decode_pattern(uint64 row, RvdPattern *p)
{
	int64		id;
	int64		configuration;
	int64		samples;
	int64		verified;
	Datum		attention;
	Datum		updated_at;
	int			relations;

	memset(p, 0, sizeof(*p));
	relations = array_column(row, 13, OIDARRAYOID, OIDOID,
							 RVD_PATTERN_RELATIONS, p->relations);
	if (!int_column(row, 1, INT8OID, &id) ||
		!int_column(row, 2, INT4OID, &configuration) ||
		!int_column(row, 3, INT8OID, &samples) ||
		!int_column(row, 4, INT8OID, &verified) ||
		!real_column(row, 5, &p->tightness) ||
		!real_column(row, 6, &p->mean_ratio) ||
		!real_column(row, 7, &p->ratio_variance) ||
		!real_column(row, 8, &p->quality) ||
		!real_column(row, 9, &p->latency_ms) ||
		!real_column(row, 10, &p->baseline_ms) ||
		!real_column(row, 11, &p->inflate) ||
		!column(row, 12, INT2OID, &attention) || relations < 0 ||
		!int_column(row, 14, INT8OID, &p->example) ||
		!column(row, 15, TIMESTAMPTZOID, &updated_at) ||
		array_column(row, 16, FLOAT4ARRAYOID, FLOAT4OID, RVD_EMBEDDING_DIM,
					 p->centroid) != RVD_EMBEDDING_DIM ||
		!decode_ranges(p, id, configuration, samples, verified))
		return false;
	p->id = (uint64) id;
	p->configuration = (uint32) configuration;
	p->samples = (uint32) samples;
	p->verified = (uint32) verified;
	p->attention = DatumGetInt16(attention);
	p->n_relations = (int16) relations;
	p->updated_at = DatumGetTimestampTz(updated_at);
	return rvd_vec_normalize(p->centroid, RVD_EMBEDDING_DIM);
}

/* Into the bank, and next_pattern beyond the largest id. */
static void
read_patterns(RvdSnapshot *s)
{
	int64		damaged = 0;

	if (SPI_execute("SELECT id, configuration, samples, verified, tightness,"
					" mean_ratio, ratio_variance, quality, latency_ms,"
					" baseline_ms, inflate, attention, relations, example,"
					" updated_at, centroid"
					" FROM ruvector.dag_patterns ORDER BY id",
					true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read ruvector.dag_patterns");
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		RvdPattern	p;

		if (!decode_pattern(row, &p))
		{
			damaged++;
			continue;
		}
		(void) rvd_bank_add(&s->bank, &p);
		s->next_pattern = Max(s->next_pattern, p.id + 1);
	}
	if (damaged > 0)
		ereport(LOG,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("ruvector_dag skipped " INT64_FORMAT " damaged rows of table \"ruvector.dag_patterns\"",
						damaged),
				 errhint("What they held will be learned again.")));
}

/* ---- both --------------------------------------------------------------------- */

static RvdSnapshot *
build(RvdLearner *learner, const ModelRow *r)
{
	RvdSnapshot *s = palloc0(rvd_snapshot_size());
	uint64		seed = rvd_hash_mix(learner->database);

	s->next_pattern = 1;
	rvd_bank_init(&s->bank, RVD_BANK_CAPACITY);
	if (r->usable)
	{
		s->published_at = GetCurrentTimestamp();
		s->cycle = r->state.cycle;
		s->next_pattern = r->next_pattern;
		s->model = r->model;
		if (s->model.micro.rank != rvd_dag_micro_lora_rank)
			rvd_micro_reset(&s->model.micro, rvd_dag_micro_lora_rank, seed);
	}
	else
		rvd_model_init(&s->model, rvd_dag_base_lora_rank,
					   rvd_dag_micro_lora_rank, seed);
	read_patterns(s);
	return s;
}

static uint64
published_cycle(RvdNeural *neural)
{
	RvdSnapshot *s = rvd_snapshot_lock(neural, false, true);
	uint64		cycle = s->cycle;

	rvd_snapshot_release(neural);
	return cycle;
}

/*
 * Called in a transaction that reads.  refresh: on a standby, where only the
 * primary changes the tables, back as well as forth.
 */
void
rvd_snapshot_load(RvdLearner *learner, bool refresh)
{
	RvdNeural  *neural = rvd_database_neural(learner->db);
	RvdCycleState *state = rvd_cycle_state();
	ModelRow   *r;
	uint64		cycle;

	if (neural == NULL)
		return;
	r = read_model();
	cycle = published_cycle(neural);
	if (refresh ? r->state.cycle != cycle :
		cycle == 0 || r->state.cycle > cycle)
	{
		RvdSnapshot *s = build(learner, r);

		rvd_snapshot_publish(neural, s);
		cycle = s->cycle;
	}
	memset(state, 0, sizeof(*state));
	if (r->usable && r->state.cycle == cycle)
		*state = r->state;
	state->cycle = cycle;
}
