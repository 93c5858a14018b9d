/*-------------------------------------------------------------------------
 *
 * estimate.c
 *	  ruvector_dag_estimate: what the server expects of a statement, and
 *	  what was learned; ruvector.dag_embedding: how the core sees it.
 *
 * Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/plan_dag.h"
#include "query_view.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_estimate);
PG_FUNCTION_INFO_V1(ruvector_dag_embedding);

/* Names of the cost classes, in their order. */
static const char *const cost_class_names[RVD_COST_CLASSES] = {
	"sequential scans", "index scans", "bitmap scans", "other scans",
	"nested loops", "hash joins", "hash tables", "merge joins", "sorts",
	"aggregates", "materialization", "other operators"
};

/* Learned from fewer runs than this: not shown. */
#define MIN_SEEN	10

static void
put(FunctionCallInfo fcinfo, const char *metric, double postgres,
	double learned, double confidence)
{
	RvdRow		row = {0};

	rvd_row_add_text(&row, metric);
	rvd_row_add_float(&row, postgres);
	rvd_row_add_float(&row, learned);
	if (isnan(confidence))
		rvd_row_add_null(&row);
	else
		rvd_row_add(&row, Float4GetDatum((float) confidence));
	rvd_row_put(&row, fcinfo);
}

/*
 * Confidence is the probability, by the model's own standard deviation, that
 * the true time lies within a factor of two of the prediction.
 */
static double
within_factor_two(double sd)
{
	return sd > 0 ? erf(M_LN2 / (sd * M_SQRT2)) : 1.0;
}

/* The calibrated cost: what the model's line alone says. */
static double
calibrated_ms(const RvdSnapshot *s, double total_cost)
{
	double		log_ms;
	double		sd;

	if (rvd_line_predict(&s->model.line, log(Max(total_cost, 1)), &log_ms,
						 &sd) == 0)
		return NAN;
	return exp(log_ms);
}

/* Share of the expected time by kind of operator: by cost, and learned. */
static void
put_shares(FunctionCallInfo fcinfo, const RvdQueryView *q,
		   const RvdLook *look, const uint64 *seen)
{
	const RvdOpRoles *roles = rvd_plan_op_roles();
	double		cost[RVD_COST_CLASSES] = {0};
	double		load[RVD_COST_CLASSES] = {0};
	double		total = 0;

	for (int i = 0; i < q->dag.n_nodes; i++)
	{
		int			class = roles->cost_class[q->dag.nodes[i].op];

		cost[class] += q->view.self_cost[i];
		load[class] += q->view.load[i];
		total += q->view.self_cost[i];
	}
	for (int k = 0; k < RVD_COST_CLASSES; k++)
		if (cost[k] > 0 && total > 0)
			put(fcinfo, psprintf("share of time: %s", cost_class_names[k]),
				cost[k] / total,
				seen && seen[RVD_OUT_COST + k] >= MIN_SEEN ?
				load[k] / q->total_load : NAN, NAN);
}

Datum
ruvector_dag_estimate(PG_FUNCTION_ARGS)
{
	RvdNeural  *neural;
	RvdQueryView q;
	RvdLook		look;
	uint64		seen[RVD_MODEL_OUT];
	double		calibrated = NAN;

	rvd_require_preload();
	rvd_query_view(&q, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	rvd_look(&look, &q.dag, rvd_dag_fingerprint(&q.dag),
			 rvd_look_choose_attention((int64) q.stmt->queryId), true);
	neural = rvd_my_neural();
	memset(seen, 0, sizeof(seen));
	if (neural)
	{
		const RvdSnapshot *s = rvd_snapshot_lock(neural, false, true);

		memcpy(seen, s->model.seen, sizeof(seen));
		calibrated = calibrated_ms(s, look.total_cost);
		rvd_snapshot_release(neural);
	}
	InitMaterializedSRF(fcinfo, 0);
	put(fcinfo, "cost", look.total_cost, NAN, NAN);
	put(fcinfo, "rows", q.dag.nodes[q.dag.root].est_rows, NAN, NAN);
	if (look.prediction.known)
		put(fcinfo, "execution time (ms)", calibrated,
			exp(look.prediction.log_ms),
			within_factor_two(look.prediction.sd));
	else
		put(fcinfo, "execution time (ms)", calibrated, NAN, NAN);
	for (int i = 0; i < 3; i++)
	{
		static const char *const names[] = {
			"rows of scans, true / estimated", "rows added by joins, true / estimated",
			"rows of aggregates, true / estimated"
		};
		int			out = RVD_OUT_ROWS_SCAN + i;

		put(fcinfo, names[i], 1.0, seen[out] >= MIN_SEEN &&
			look.prediction.known ? exp(look.prediction.out[out]) : NAN, NAN);
	}
	put_shares(fcinfo, &q, &look, seen);
	return (Datum) 0;
}

/*
 * (cost, plan_features, embedding) of a statement's plan under a kernel: for
 * benchmarks and for those who want to look.
 */
Datum
ruvector_dag_embedding(PG_FUNCTION_ARGS)
{
	RvdQueryView q;
	RvdLook		look;
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {false, false, false, false};
	Datum		features[RVD_PLAN_FEATURES];
	Datum		embedding[RVD_EMBEDDING_DIM];
	int			kind;

	rvd_require_preload();
	rvd_query_view(&q, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	kind = rvd_query_view_attention(&q,
									text_to_cstring(PG_GETARG_TEXT_PP(1)));
	rvd_look(&look, &q.dag, rvd_dag_fingerprint(&q.dag), kind, true);
	if (!look.embedded)
		ereport(ERROR,
				(errcode(RVD_ERRCODE_INVALID_DAG),
				 errmsg("the plan has no embedding"),
				 errdetail("This database is not served by a learner, or the plan's weights are not finite.")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	for (int i = 0; i < RVD_PLAN_FEATURES; i++)
		features[i] = Float4GetDatum(look.plan[i]);
	for (int i = 0; i < RVD_EMBEDDING_DIM; i++)
		embedding[i] = Float4GetDatum(look.embedding[i]);
	values[0] = Int64GetDatum((int64) rvd_dag_fingerprint(&q.dag));
	values[1] = Float8GetDatum(look.total_cost);
	values[2] = PointerGetDatum(construct_array(features, RVD_PLAN_FEATURES,
												FLOAT4OID, 4, true,
												TYPALIGN_INT));
	values[3] = PointerGetDatum(construct_array(embedding, RVD_EMBEDDING_DIM,
												FLOAT4OID, 4, true,
												TYPALIGN_INT));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}
