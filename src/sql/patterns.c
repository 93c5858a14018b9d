/*-------------------------------------------------------------------------
 *
 * patterns.c
 *	  ruvector_dag_patterns, ruvector_dag_plans: what was tried and what won.
 *	  Layer 7.
 *
 * A pattern is a proven plan.  What is not measured (embeddings, attention,
 * quality) is NULL, not a made-up figure.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/fmgrprotos.h"

#include "ruvector_dag/errors.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_patterns);
PG_FUNCTION_INFO_V1(ruvector_dag_plans);

static const char *const role_names[] = {
	[RVD_PLAN_BASELINE] = "baseline",
	[RVD_PLAN_CANDIDATE] = "candidate",
	[RVD_PLAN_PROVEN] = "proven",
	[RVD_PLAN_REJECTED] = "rejected",
};

const char *
rvd_sql_role_name(uint32 role)
{
	return role < lengthof(role_names) ? role_names[role] : NULL;
}

/* One proven plan. */
static void
rvd_patterns_add(FunctionCallInfo fcinfo, const RvdKnowledge *k,
				 const RvdPlan *plan, RvdRows *rows, HTAB *index)
{
	RvdClass   *class = rvd_knowledge_class(k, plan->queryid);
	RvdInstance *instance = rvd_knowledge_instance(k, plan->queryid,
												   plan->instance);
	RvdLatency	none = {0};
	const RvdLatency *baseline = instance ? &instance->baseline : &none;
	double		confidence = rvd_knowledge_confidence(&plan->ratio, baseline);
	RvdRow		row = {0};

	rvd_row_add(&row, Int64GetDatum((int64) plan->head.key.a));
	if (class != NULL)
		rvd_row_add(&row, rvd_sql_relation_names(class->relations,
												 class->n_relations));
	else
		rvd_row_add_null(&row);
	rvd_row_add_null(&row);		/* centroid */
	rvd_row_add_null(&row);		/* attention_type */
	if (isnan(confidence))
		rvd_row_add_null(&row);
	else
		rvd_row_add(&row, Float4GetDatum((float) confidence));
	rvd_row_add(&row, Int32GetDatum(plan->latency.n));
	rvd_row_add_float(&row, rvd_knowledge_mean_ms(&plan->latency) * 1000.0);
	rvd_row_add_float(&row, rvd_knowledge_mean_ms(baseline) * 1000.0);
	rvd_row_add_float(&row, plan->ratio.n > 0 ? exp(-plan->ratio.mean) : NAN);
	rvd_row_add_null(&row);		/* avg_quality */
	if (rvd_may_read_class(class))
		rvd_row_add(&row, rvd_configuration_jsonb(plan, rows, index));
	else
		rvd_row_add_null(&row);
	rvd_row_add_text(&row, rvd_knowledge_query_text(class));
	rvd_row_add_time(&row, Max(plan->last_used, plan->role_changed));
	rvd_row_put(&row, fcinfo);
}

Datum
ruvector_dag_patterns(PG_FUNCTION_ARGS)
{
	RvdKnowledge k;
	RvdRows    *rows;
	int			n_rows;
	HTAB	   *index;

	rvd_require_preload();
	rvd_knowledge_load(&k, rvd_sql_arg_relation(fcinfo, 0));
	rows = rvd_knowledge_rows(&n_rows);
	index = rvd_configuration_index(rows, n_rows);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < k.n_plans; i++)
	{
		if (k.plans[i].role == RVD_PLAN_PROVEN)
			rvd_patterns_add(fcinfo, &k, &k.plans[i], rows, index);
	}
	return (Datum) 0;
}

/*
 * One plan.  Its shape, cost and corrections tell of learned counts, so they
 * are for those who may read the relations.
 */
static void
rvd_plans_add(FunctionCallInfo fcinfo, const RvdKnowledge *k,
			  const RvdPlan *plan, RvdRows *rows, HTAB *index)
{
	bool		readable;
	const RvdLatency *latency = &plan->latency;
	RvdRow		row = {0};

	readable = rvd_may_read_class(rvd_knowledge_class(k, plan->queryid));
	rvd_row_add(&row, Int64GetDatum(plan->queryid));
	rvd_row_add(&row, Int64GetDatum((int64) plan->fingerprint));
	rvd_row_add_text(&row, rvd_sql_role_name(plan->role));
	rvd_row_add_text(&row, plan->memo.n > 0 ? "learned rows" : "default");
	if (readable && plan->memo.n > 0)
		rvd_row_add(&row, rvd_configuration_jsonb(plan, rows, index));
	else
		rvd_row_add_null(&row);
	rvd_row_add(&row, Int64GetDatum(latency->n));
	rvd_row_add_float(&row, rvd_knowledge_mean_ms(latency));
	rvd_row_add_float(&row, latency->n > 1
					  ? rvd_latency_stddev_ms(latency) : NAN);
	rvd_row_add_float(&row, latency->n > 0 ? latency->best_ms : NAN);
	rvd_row_add_float(&row, latency->n > 0 ? latency->worst_ms : NAN);
	rvd_row_add_float(&row, readable ? plan->est_cost : NAN);
	rvd_row_add_text(&row, readable && plan->skeleton[0] != '\0'
					 ? plan->skeleton : NULL);
	rvd_row_add_time(&row, plan->first_seen);
	rvd_row_add_time(&row, plan->last_used);
	rvd_row_add(&row, Int64GetDatum((int64) plan->instance));
	rvd_row_put(&row, fcinfo);
}

Datum
ruvector_dag_plans(PG_FUNCTION_ARGS)
{
	RvdKnowledge k;
	RvdRows    *rows;
	int			n_rows;
	HTAB	   *index;

	rvd_require_preload();
	rvd_knowledge_load(&k, InvalidOid);
	rows = rvd_knowledge_rows(&n_rows);
	index = rvd_configuration_index(rows, n_rows);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < k.n_plans; i++)
	{
		if (PG_ARGISNULL(0) || k.plans[i].queryid == PG_GETARG_INT64(0))
			rvd_plans_add(fcinfo, &k, &k.plans[i], rows, index);
	}
	return (Datum) 0;
}
