/*-------------------------------------------------------------------------
 *
 * queries.c
 *	  ruvector_dag_queries: one row per query class.  Layer 7.
 *
 * A class has many instances (sets of constants), each with its own baseline
 * and its own best plan.  baseline_ms is the mean of the instances' baseline
 * times weighted by their calls; speedup is that against the mean time of the
 * plans now in use, weighted the same way, so that a class is not made to look
 * fast by a change in which instances are run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/fmgrprotos.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/report.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_queries);

/* What the members of one class add up to. */
typedef struct QuerySummary
{
	int			plans;
	uint32		most_calls;
	const char *state;			/* of the instance with most calls */
	double		weight;			/* calls of instances with a baseline */
	double		baseline_ms;	/* weighted sum */
	double		now_ms;			/* weighted sum */
} QuerySummary;

/* Mean time of the instance's plan in use, from its ratio to the baseline. */
static double
rvd_queries_now_ms(const RvdKnowledge *k, HTAB *plan_index,
				   const RvdInstance *instance, double baseline_ms)
{
	RvdPlan    *plan;

	if (instance->best_plan == 0)
		return baseline_ms;
	plan = rvd_knowledge_plan(k, plan_index, instance->queryid,
							  instance->instance, instance->best_plan);
	if (plan == NULL || plan->ratio.n == 0)
		return baseline_ms;
	return baseline_ms * exp(plan->ratio.mean);
}

static void
rvd_queries_summarize(const RvdKnowledge *k, QuerySummary *all)
{
	HTAB	   *plan_index = rvd_knowledge_plan_index(k);

	for (int i = 0; i < k->n_plans; i++)
	{
		RvdClass   *class = rvd_knowledge_class(k, k->plans[i].queryid);

		if (class != NULL)
			all[class - k->classes].plans++;
	}
	for (int i = 0; i < k->n_instances; i++)
	{
		RvdInstance *instance = &k->instances[i];
		RvdClass   *class = rvd_knowledge_class(k, instance->queryid);
		QuerySummary *summary;
		double		baseline_ms = rvd_knowledge_mean_ms(&instance->baseline);

		if (class == NULL)
			continue;
		summary = &all[class - k->classes];
		if (summary->state == NULL || instance->calls > summary->most_calls)
		{
			summary->most_calls = instance->calls;
			summary->state = rvd_report_state(instance);
		}
		if (isnan(baseline_ms))
			continue;
		summary->weight += instance->calls;
		summary->baseline_ms += instance->calls * baseline_ms;
		summary->now_ms += instance->calls *
			rvd_queries_now_ms(k, plan_index, instance, baseline_ms);
	}
}

/* An administrator's word goes before what was found. */
static const char *
rvd_queries_class_state(const RvdClass *class, const QuerySummary *summary)
{
	if (class->flags & RVD_CLASS_BLOCKED)
		return "blocked";
	if (class->pinned_plan != 0)
		return "pinned";
	return summary->state ? summary->state : "counted";
}

static void
rvd_queries_add(FunctionCallInfo fcinfo, RvdClass *class,
				const QuerySummary *summary)
{
	RvdRow		row = {0};

	rvd_row_add(&row, Int64GetDatum((int64) class->head.key.a));
	rvd_row_add(&row,
				Int64GetDatum((int64) pg_atomic_read_u64(&class->calls)));
	rvd_row_add_float(&row, rvd_knowledge_mean_ms(&class->latency));
	rvd_row_add_float(&row, summary->weight > 0
					  ? summary->baseline_ms / summary->weight : NAN);
	rvd_row_add_float(&row, summary->now_ms > 0
					  ? summary->baseline_ms / summary->now_ms : NAN);
	rvd_row_add_text(&row, rvd_queries_class_state(class, summary));
	rvd_row_add(&row, Int32GetDatum(summary->plans));
	rvd_row_add(&row, Int32GetDatum(class->trials));
	rvd_row_add(&row, Int32GetDatum(class->trials_abandoned));
	rvd_row_add_float(&row, class->regret_ms);
	rvd_row_add_text(&row, rvd_knowledge_query_text(class));
	rvd_row_put(&row, fcinfo);
}

Datum
ruvector_dag_queries(PG_FUNCTION_ARGS)
{
	RvdKnowledge k;
	QuerySummary *all;

	rvd_require_preload();
	rvd_knowledge_load(&k, rvd_sql_arg_relation(fcinfo, 0));
	all = palloc0(sizeof(QuerySummary) * Max(k.n_classes, 1));
	rvd_queries_summarize(&k, all);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < k.n_classes; i++)
		rvd_queries_add(fcinfo, &k.classes[i], &all[i]);
	return (Datum) 0;
}
