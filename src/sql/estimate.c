/*-------------------------------------------------------------------------
 *
 * estimate.c
 *	  ruvector_dag_estimate: what the server expects of a statement, and
 *	  what was learned; ruvector.dag_embedding: how the core sees it.
 *
 * Three plans are made: the server's own; the one that a run would use, which
 * is another where a faster one was proven; and the one that follows from
 * learned row counts, for its cost and rows.  What tells of row counts is for
 * those who could count them; see privileges.c.
 *
 * Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "nodes/pg_list.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/plan_dag.h"
#include "ruvector_dag/settings.h"
#include "plan_text.h"
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

static const char *const row_error_names[] = {
	"rows of scans, true / estimated",
	"rows added by joins, true / estimated",
	"rows of aggregates, true / estimated"
};

/* What is put side by side. */
typedef struct Estimate
{
	RvdQueryView stock;			/* the server's plan */
	RvdQueryView now;			/* what would run */
	bool		may_read;		/* row counts are for the caller */
	double		calibrated_ms;	/* by the server's cost alone; NaN: unknown */
	uint64		seen[RVD_MODEL_OUT];
} Estimate;

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

/* ---- what is known ----------------------------------------------------------- */

static bool
may_read_relations(const PlannedStmt *stmt)
{
	int			n = list_length(stmt->relationOids);
	Oid		   *relids = palloc(sizeof(Oid) * Max(n, 1));

	for (int i = 0; i < n; i++)
		relids[i] = list_nth_oid(stmt->relationOids, i);
	return rvd_may_read_relations(relids, n);
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

static void
read_model(Estimate *e)
{
	RvdNeural  *neural = rvd_my_neural();
	const RvdSnapshot *s;

	e->calibrated_ms = NAN;
	memset(e->seen, 0, sizeof(e->seen));
	if (neural == NULL)
		return;
	s = rvd_snapshot_lock(neural, false, true);
	memcpy(e->seen, s->model.seen, sizeof(e->seen));
	e->calibrated_ms = calibrated_ms(s, e->stock.look.total_cost);
	rvd_snapshot_release(neural);
}

static void
load_estimate(Estimate *e, const char *query)
{
	rvd_query_view_plan(&e->stock, rvd_sql_plan_text_stock(query));
	rvd_query_view_plan(&e->now, rvd_sql_plan_text(query));
	e->may_read = may_read_relations(e->stock.stmt);
	read_model(e);
}

/* ---- lines ------------------------------------------------------------------- */

static void
put_plan(FunctionCallInfo fcinfo, const Estimate *e, const char *query)
{
	PlannedStmt *learned = e->may_read ? rvd_sql_plan_text_learned(query) :
		NULL;
	const Plan *stock = e->stock.stmt->planTree;

	put(fcinfo, "cost", stock->total_cost,
		learned ? learned->planTree->total_cost : NAN, NAN);
	put(fcinfo, "rows", stock->plan_rows,
		learned ? learned->planTree->plan_rows : NAN, NAN);
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

static void
put_time(FunctionCallInfo fcinfo, const Estimate *e)
{
	const RvdPrediction *p = &e->now.look.prediction;

	put(fcinfo, "execution time (ms)", e->calibrated_ms,
		p->known ? exp(p->log_ms) : NAN,
		p->known ? within_factor_two(p->sd) : NAN);
}

/* How wrong the server's row counts are expected to be. */
static void
put_row_errors(FunctionCallInfo fcinfo, const Estimate *e)
{
	const RvdPrediction *p = &e->stock.look.prediction;

	for (int i = 0; i < lengthof(row_error_names); i++)
	{
		int			out = RVD_OUT_ROWS_SCAN + i;

		put(fcinfo, row_error_names[i], 1.0,
			e->may_read && p->known && e->seen[out] >= RVD_QUERY_VIEW_SEEN ?
			exp(p->out[out]) : NAN, NAN);
	}
}

/* Sums by kind of operator, as shares of the whole. */
static void
sum_shares(const RvdQueryView *q, const double *amount, double *share)
{
	const RvdOpRoles *roles = rvd_plan_op_roles();
	double		total = 0;

	memset(share, 0, sizeof(double) * RVD_COST_CLASSES);
	for (int i = 0; i < q->dag.n_nodes; i++)
	{
		share[roles->cost_class[q->dag.nodes[i].op]] += amount[i];
		total += amount[i];
	}
	for (int k = 0; k < RVD_COST_CLASSES && total > 0; k++)
		share[k] /= total;
}

/*
 * Share of the expected time by kind of operator, where either plan has it:
 * by the server's cost, and as learned.
 */
static void
put_shares(FunctionCallInfo fcinfo, const Estimate *e)
{
	double		cost[RVD_COST_CLASSES];
	double		load[RVD_COST_CLASSES];

	sum_shares(&e->stock, e->stock.view.self_cost, cost);
	sum_shares(&e->now, e->now.load, load);
	for (int k = 0; k < RVD_COST_CLASSES; k++)
		if (cost[k] > 0 || load[k] > 0)
			put(fcinfo, psprintf("share of time: %s", cost_class_names[k]),
				cost[k], e->seen[RVD_OUT_COST + k] >= RVD_QUERY_VIEW_SEEN ?
				load[k] : NAN, NAN);
}

Datum
ruvector_dag_estimate(PG_FUNCTION_ARGS)
{
	char	   *query;
	Estimate	e;

	rvd_require_preload();
	query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	load_estimate(&e, query);
	InitMaterializedSRF(fcinfo, 0);
	put_plan(fcinfo, &e, query);
	put_time(fcinfo, &e);
	put_row_errors(fcinfo, &e);
	put_shares(fcinfo, &e);
	return (Datum) 0;
}

/* ---- the embedding ------------------------------------------------------------- */

static Datum
real_array(const float *values, int n)
{
	Datum	   *elements = palloc(sizeof(Datum) * n);

	for (int i = 0; i < n; i++)
		elements[i] = Float4GetDatum(values[i]);
	return PointerGetDatum(construct_array(elements, n, FLOAT4OID, 4, true,
										   TYPALIGN_INT));
}

/*
 * (plan_id, total_cost, plan_features, embedding) of a statement's plan under
 * a kernel: for benchmarks and for those who want to look.
 */
Datum
ruvector_dag_embedding(PG_FUNCTION_ARGS)
{
	RvdQueryView q;
	RvdLook		look;
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {false, false, false, false};
	int			attention;

	rvd_require_preload();
	attention =
		rvd_query_view_attention(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	rvd_query_view(&q, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	rvd_look(&look, &q.dag, rvd_plan_fingerprint(q.stmt, &q.dag, 0),
			 rvd_query_view_kernel(&q, attention), true);
	if (!look.embedded)
		ereport(ERROR,
				(errcode(RVD_ERRCODE_INVALID_DAG),
				 errmsg("the plan has no embedding"),
				 errdetail("This database is not served by a learner, or the plan's weights are not finite.")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = Int64GetDatum((int64) rvd_plan_fingerprint(q.stmt, &q.dag, 0));
	values[1] = Float8GetDatum(look.total_cost);
	values[2] = real_array(look.plan, RVD_PLAN_FEATURES);
	values[3] = real_array(look.embedding, RVD_EMBEDDING_DIM);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}
