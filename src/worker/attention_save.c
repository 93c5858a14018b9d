/*-------------------------------------------------------------------------
 *
 * attention_save.c
 *	  What the attention kernels have learned, kept in table
 *	  ruvector.dag_attention: a row for each kernel and one for the ensemble.
 *
 * Weights are read by name, so that a kernel added later does not inherit
 * another one's.  A row that makes no sense is passed over: that kernel is
 * cold again.  Traces are not kept, they fade within minutes.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "ruvector_dag/neural.h"
#include "ruvector_dag/vec.h"
#include "learner.h"

/* What is persisted of an RvdAttentionState. */
typedef struct Learned
{
	RvdAttentionWeights weights[RVD_NUM_KERNELS];
	RvdSelector selector;
	RvdMixture	mixture;
	uint64		timed_runs;
} Learned;

static Learned collected;
static bool is_collected = false;
static SPIPlanPtr save_plan = NULL;

#define N_COLUMNS	8

static const char *const save_statement =
	"INSERT INTO ruvector.dag_attention (kind, name, score, gain, pulls, mean,"
	" log_weight, timed_runs) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
	" ON CONFLICT (kind) DO UPDATE SET name = EXCLUDED.name,"
	" score = EXCLUDED.score, gain = EXCLUDED.gain, pulls = EXCLUDED.pulls,"
	" mean = EXCLUDED.mean, log_weight = EXCLUDED.log_weight,"
	" timed_runs = EXCLUDED.timed_runs";

static const char *const load_statement =
	"SELECT name, score, gain, pulls, mean, log_weight, timed_runs"
	" FROM ruvector.dag_attention";

static const Oid load_types[] = {
	TEXTOID, FLOAT4ARRAYOID, FLOAT4ARRAYOID, INT8OID, FLOAT4OID, FLOAT8OID,
	INT8OID
};

/* ---- writing ------------------------------------------------------------ */

bool
rvd_attention_changed(RvdLearner *learner)
{
	RvdNeural  *neural = rvd_database_neural(learner->db);
	bool		dirty;

	if (neural == NULL)
		return false;
	dirty = rvd_attention_state_lock(neural, false, true)->dirty;
	rvd_attention_state_release(neural);
	return dirty;
}

void
rvd_attention_collect(RvdLearner *learner)
{
	RvdNeural  *neural = rvd_database_neural(learner->db);
	RvdAttentionState *state;

	is_collected = false;
	if (neural == NULL)
		return;
	state = rvd_attention_state_lock(neural, true, true);
	if (state->dirty)
	{
		memcpy(collected.weights, state->weights, sizeof(collected.weights));
		collected.selector = state->selector;
		collected.mixture = state->mixture;
		collected.timed_runs = state->timed_runs;
		state->dirty = false;
		is_collected = true;
	}
	rvd_attention_state_release(neural);
}

void
rvd_attention_not_saved(RvdLearner *learner)
{
	RvdNeural  *neural = rvd_database_neural(learner->db);

	if (neural == NULL || !is_collected)
		return;
	rvd_attention_state_lock(neural, true, true)->dirty = true;
	rvd_attention_state_release(neural);
}

static Datum
float_array(const float *values, int n)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		elements[i] = Float4GetDatum(values[i]);
	return PointerGetDatum(construct_array(elements, n, FLOAT4OID,
										   sizeof(float), true,
										   TYPALIGN_INT));
}

/* The ensemble has no weights of its own, nor one in itself. */
static void
save_row(SPIPlanPtr plan, int kind)
{
	bool		kernel = kind < RVD_NUM_KERNELS;
	const RvdAttentionWeights *w = kernel ? &collected.weights[kind] : NULL;
	Datum		values[N_COLUMNS] = {
		Int16GetDatum(kind),
		CStringGetTextDatum(rvd_attention_name(kind)),
		float_array(kernel ? w->score : NULL, kernel ? RVD_NODE_FEATURES : 0),
		float_array(kernel ? w->gain : NULL, kernel ? RVD_HEADS : 0),
		Int64GetDatum(collected.selector.n[kind]),
		Float4GetDatum(collected.selector.mean[kind]),
		Float8GetDatum(kernel ? collected.mixture.log_weight[kind] : 0),
		Int64GetDatum((int64) collected.timed_runs)
	};

	if (SPI_execute_plan(plan, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write to ruvector.dag_attention");
}

void
rvd_attention_save(void)
{
	Oid			types[N_COLUMNS] = {
		INT2OID, TEXTOID, FLOAT4ARRAYOID, FLOAT4ARRAYOID, INT8OID, FLOAT4OID,
		FLOAT8OID, INT8OID
	};

	if (!is_collected)
		return;
	rvd_learner_prepare(&save_plan, save_statement, N_COLUMNS, types);
	for (int kind = 0; kind < RVD_NUM_ATTENTIONS; kind++)
		save_row(save_plan, kind);
}

/* ---- reading ------------------------------------------------------------ */

static bool
read_floats(Datum value, float *out, int n)
{
	ArrayType  *a = DatumGetArrayTypeP(value);

	if (ARR_NDIM(a) != 1 || ARR_DIMS(a)[0] != n || array_contains_nulls(a))
		return false;
	memcpy(out, ARR_DATA_PTR(a), n * sizeof(float));
	return rvd_vec_all_finite(out, n);
}

/* One row into *l; false, and *l as it was: not one we could have written. */
static bool
read_row(HeapTuple tuple, TupleDesc desc, Learned *l)
{
	Datum		v[lengthof(load_types)];
	bool		isnull;
	int			kind;
	RvdAttentionWeights w;
	float		mean;
	double		log_weight;

	for (int i = 0; i < lengthof(load_types); i++)
	{
		v[i] = SPI_getbinval(tuple, desc, i + 1, &isnull);
		if (isnull)
			return false;
	}
	kind = rvd_attention_by_name(TextDatumGetCString(v[0]));
	mean = DatumGetFloat4(v[4]);
	log_weight = DatumGetFloat8(v[5]);
	if (kind >= RVD_NUM_ATTENTIONS ||
		DatumGetInt64(v[3]) < 0 || DatumGetInt64(v[3]) > PG_UINT32_MAX ||
		!(mean >= 0 && mean <= 1) || !isfinite(log_weight) ||
		DatumGetInt64(v[6]) < 0)
		return false;
	if (kind < RVD_NUM_KERNELS)
	{
		if (!read_floats(v[1], w.score, RVD_NODE_FEATURES) ||
			!read_floats(v[2], w.gain, RVD_HEADS))
			return false;
		l->weights[kind] = w;
		l->mixture.log_weight[kind] = log_weight;
	}
	l->selector.n[kind] = (uint32) DatumGetInt64(v[3]);
	l->selector.mean[kind] = mean;
	l->timed_runs = Max(l->timed_runs, (uint64) DatumGetInt64(v[6]));
	return true;
}

/* The weights of a mixture add up to 1, also if rows were missing. */
static void
normalise_mixture(RvdMixture *m)
{
	double		sum = rvd_logsumexp(m->log_weight, RVD_NUM_KERNELS);

	for (int i = 0; i < RVD_NUM_KERNELS; i++)
		m->log_weight[i] -= sum;
}

/* False: nothing was persisted. */
static bool
read_learned(Learned *l, bool quiet)
{
	memset(l, 0, sizeof(*l));
	rvd_mixture_init(&l->mixture);
	if (SPI_execute(load_statement, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read ruvector.dag_attention");
	for (int i = 0; i < lengthof(load_types); i++)
		if (SPI_gettypeid(SPI_tuptable->tupdesc, i + 1) != load_types[i])
			return false;
	for (uint64 i = 0; i < SPI_processed; i++)
		if (!read_row(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, l) &&
			!quiet)
			ereport(LOG,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("ruvector_dag skipped a damaged row of table \"ruvector.dag_attention\""),
					 errhint("What it held will be learned again.")));
	normalise_mixture(&l->mixture);
	return SPI_processed > 0;
}

/*
 * Once in the life of an area, before the backends steer; what was learned
 * in the moment before is little.  On a standby whenever it is clean.
 */
void
rvd_attention_load(RvdLearner *learner, bool refresh)
{
	RvdNeural  *neural = rvd_database_neural(learner->db);
	RvdAttentionState *state;
	Learned		l;
	bool		any;

	if (neural == NULL)
		return;
	any = read_learned(&l, refresh);
	state = rvd_attention_state_lock(neural, true, true);
	if (any && (!state->loaded || (refresh && !state->dirty)))
	{
		memcpy(state->weights, l.weights, sizeof(state->weights));
		state->selector = l.selector;
		state->mixture = l.mixture;
		state->timed_runs = l.timed_runs;
		state->dirty = false;
	}
	state->loaded = true;
	rvd_attention_state_release(neural);
}
