/*-------------------------------------------------------------------------
 *
 * neural_stats.c
 *	  ruvector_dag_latency, and the neural part of the learning statistics.
 *
 * Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "ruvector_dag/errors.h"
#include "ruvector_dag/neural.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_latency);

Datum
ruvector_dag_latency(PG_FUNCTION_ARGS)
{
	rvd_require_preload();
	InitMaterializedSRF(fcinfo, 0);
	for (int op = 0; op < RVD_NUM_OPERATIONS; op++)
	{
		RvdOperationStats s;
		RvdRow		row = {0};
		double		target = rvd_operation_target_us(op);

		rvd_operation_stats(op, &s);
		rvd_row_add_text(&row, rvd_operation_name(op));
		rvd_row_add(&row, Int64GetDatum((int64) s.calls));
		rvd_row_add_float(&row, s.calls > 0 ? s.p50_us : NAN);
		rvd_row_add_float(&row, s.calls > 0 ? s.p95_us : NAN);
		rvd_row_add_float(&row, s.calls > 0 ? s.p99_us : NAN);
		rvd_row_add_float(&row, s.calls > 0 ? s.max_us : NAN);
		rvd_row_add_float(&row, target > 0 ? target : NAN);
		rvd_row_put(&row, fcinfo);
	}
	return (Datum) 0;
}

static void
add_counter(RvdJson *json, const char *key, pg_atomic_uint64 *counter)
{
	rvd_json_add_int(json, key, (int64) pg_atomic_read_u64(counter));
}

/* Weights of the mixture and mean overlaps, by kernel. */
static void
add_kernels(RvdJson *json, RvdNeural *neural)
{
	RvdAttentionState *s = rvd_attention_state_lock(neural, false, true);
	RvdSelector selector = s->selector;
	RvdMixture	mixture = s->mixture;
	uint64		timed = s->timed_runs;
	double		pi[RVD_NUM_KERNELS];

	rvd_attention_state_release(neural);
	rvd_mixture_weights(&mixture, pi);
	rvd_json_add_int(json, "timed_runs", (int64) timed);
	rvd_json_begin_object(json, "kernels");
	for (int k = 0; k < RVD_NUM_ATTENTIONS; k++)
	{
		rvd_json_begin_object(json, rvd_attention_name(k));
		rvd_json_add_float(json, "overlap", selector.n[k] > 0 ?
						   selector.mean[k] : NAN);
		if (k < RVD_NUM_KERNELS)
			rvd_json_add_float(json, "mixture_weight", pi[k]);
		rvd_json_end_object(json);
	}
	rvd_json_end_object(json);
}

static void
add_model(RvdJson *json, RvdNeural *neural)
{
	const RvdSnapshot *s = rvd_snapshot_lock(neural, false, true);
	uint64		samples = s->model.samples;
	int			patterns = s->bank.n;
	uint32		micro = s->model.micro.samples;
	TimestampTz at = s->published_at;

	rvd_snapshot_release(neural);
	rvd_json_add_int(json, "patterns", patterns);
	rvd_json_add_int(json, "model_samples", (int64) samples);
	rvd_json_add_int(json, "micro_samples", micro);
	rvd_json_add_time(json, "published_at", at);
}

void
rvd_neural_stats_add(RvdJson *json, RvdDatabase *db)
{
	RvdNeural  *neural = db ? rvd_database_neural(db) : NULL;
	RvdCycleReport report;

	rvd_json_begin_object(json, "neural");
	rvd_json_add_bool(json, "available", neural != NULL);
	if (neural)
	{
		add_counter(json, "cache_hits", &db->cache_hits);
		add_counter(json, "cache_misses", &db->cache_misses);
		add_counter(json, "pattern_lookups", &db->pattern_lookups);
		add_counter(json, "pattern_hits", &db->pattern_hits);
		add_counter(json, "recalls", &db->recalls);
		add_counter(json, "first_run_trials", &db->first_run_trials);
		add_counter(json, "vetoes", &db->vetoes);
		add_counter(json, "micro_steps", &db->micro_steps);
		add_counter(json, "micro_flushes", &db->micro_flushes);
		add_model(json, neural);
		add_kernels(json, neural);
		rvd_cycle_report_get(neural, &report);
		rvd_json_add_int(json, "training_cycles", (int64) report.cycles);
		rvd_json_add_int(json, "clusters", report.clusters);
		rvd_json_add_int(json, "ewc_tasks", report.ewc_tasks);
		rvd_json_add_float(json, "workload_distance",
						   report.workload_distance);
	}
	rvd_json_end_object(json);
}
