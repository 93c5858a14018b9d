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

#include "executor/spi.h"
#include "port/pg_crc32c.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "ruvector_dag/hash.h"
#include "ruvector_dag/settings.h"
#include "ruvector_dag/vec.h"
#include "cycle.h"
#include "spi_column.h"

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

/* ---- the model ---------------------------------------------------------- */

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

	if (!rvd_spi_int(0, 1, &version) || version != RVD_MODEL_VERSION)
		return "It was written by another version.";
	if (!rvd_spi_int(0, 2, &cycle) ||
		!rvd_spi_int(0, 3, &state->last_id) ||
		!rvd_spi_int(0, 4, &next_pattern) ||
		!rvd_spi_int(0, 8, &checksum) ||
		cycle < 1 || state->last_id < 0 || next_pattern < 1)
		return "A number is missing or out of range.";
	has_workload = rvd_spi_bytes(0, 7, &state->workload,
								 sizeof(state->workload));
	if (!rvd_spi_bytes(0, 5, &r->model, sizeof(r->model)) ||
		!rvd_spi_bytes(0, 6, &state->trainer, sizeof(state->trainer)))
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

/* ---- both --------------------------------------------------------------- */

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
	rvd_snapshot_read_patterns(s);
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
