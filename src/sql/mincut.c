/*-------------------------------------------------------------------------
 *
 * mincut.c
 *	  ruvector_dag_mincut_analysis, ruvector_dag_mincut_criticality.
 *
 * Of a statement, or of a table: then of the class of statements on it that
 * took most time so far and whose text the caller may see and plan.
 *
 * Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/settings.h"
#include "query_view.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_mincut_analysis);
PG_FUNCTION_INFO_V1(ruvector_dag_mincut_analysis_table);
PG_FUNCTION_INFO_V1(ruvector_dag_mincut_criticality);

/* Does the text stand for values that are not in it? */
static bool
has_parameter(const char *text)
{
	for (const char *c = text; *c; c++)
		if (c[0] == '$' && c[1] >= '1' && c[1] <= '9')
			return true;
	return false;
}

static int
compare_total(const void *a, const void *b)
{
	double		x = (*(RvdClass *const *) a)->total_ms;
	double		y = (*(RvdClass *const *) b)->total_ms;

	return x > y ? -1 : x < y;
}

/* The statement to look at for a table; raises if there is none. */
static const char *
heaviest_statement(Oid tab, int64 *queryid)
{
	RvdKnowledge k;
	RvdClass  **order;

	rvd_knowledge_load(&k, tab);
	order = palloc(sizeof(RvdClass *) * Max(k.n_classes, 1));
	for (int i = 0; i < k.n_classes; i++)
		order[i] = &k.classes[i];
	qsort(order, k.n_classes, sizeof(RvdClass *), compare_total);
	for (int i = 0; i < k.n_classes; i++)
	{
		const RvdClass *c = order[i];

		/* a text that was cut, or has parameters, cannot be planned */
		if (c->query[0] == '\0' || has_parameter(c->query) ||
			strlen(c->query) >= RVD_QUERY_TEXT - 4 ||
			!rvd_may_read_text(c->user))
			continue;
		*queryid = (int64) c->head.key.a;
		return c->query;
	}
	ereport(ERROR,
			(errcode(RVD_ERRCODE_PATTERN_NOT_FOUND),
			 errmsg("no statement on table %s can be analyzed",
					rvd_sql_relation_name(tab)),
			 errdetail("%d classes of statements on it are known; of none is the text known to you, complete and free of parameters.",
					   k.n_classes),
			 errhint("Give the text of a statement instead.")));
	return NULL;
}

static void
add_bottlenecks(RvdJson *json, const RvdQueryView *q,
				const RvdFlowResult *flow, double threshold)
{
	rvd_json_begin_array(json, "bottlenecks");
	for (int i = 0; i < q->dag.n_nodes; i++)
	{
		int			node = q->dag.preorder[i];
		char	   *relation = rvd_query_view_relation(q, node);

		if (flow->criticality[node] < threshold || !(q->view.load[node] > 0))
			continue;
		rvd_json_begin_object(json, NULL);
		rvd_json_add_int(json, "node_id", i);
		rvd_json_add_float(json, "criticality", flow->criticality[node]);
		rvd_json_add_text(json, "operator",
						  rvd_query_view_operator(q, node));
		if (relation)
			rvd_json_add_text(json, "relation", relation);
		rvd_json_add_bool(json, "in_cut", flow->in_cut[node] != 0);
		rvd_json_end_object(json);
	}
	rvd_json_end_array(json);
}

static int
count_bottlenecks(const RvdQueryView *q, const RvdFlowResult *flow,
				  double threshold)
{
	int			n = 0;

	for (int i = 0; i < q->dag.n_nodes; i++)
		n += flow->criticality[i] >= threshold && q->view.load[i] > 0;
	return n;
}

static Jsonb *
analyze(const char *query, int64 queryid)
{
	double		threshold = rvd_dag_mincut_threshold;
	RvdQueryView q;
	RvdFlowResult cut;
	RvdFlowResult frontier;
	RvdJson		json;

	rvd_query_view(&q, query);
	rvd_query_view_flow(&q, RVD_FLOW_ROWS, &cut);
	rvd_query_view_flow(&q, RVD_FLOW_TIME, &frontier);
	rvd_json_begin(&json);
	rvd_json_add_int(&json, "queryid", queryid != 0 ? queryid :
					 (int64) q.stmt->queryId);
	rvd_json_add_text(&json, "unit", "rows per unit of planner cost");
	rvd_json_add_float(&json, "global_mincut", cut.value);
	rvd_json_add_int(&json, "cut_size", cut.n_cut);
	rvd_json_add_float(&json, "frontier_cost", frontier.value);
	rvd_json_add_float(&json, "frontier_share", q.total_load > 0 ?
					   frontier.value / q.total_load : 0);
	rvd_json_add_float(&json, "threshold", threshold);
	rvd_json_add_int(&json, "bottleneck_count",
					 count_bottlenecks(&q, &frontier, threshold));
	add_bottlenecks(&json, &q, &frontier, threshold);
	return rvd_json_end(&json);
}

/* The table of that name as regclass, or 0. */
static Datum
named_relation(Datum name)
{
	LOCAL_FCINFO(fcinfo, 1);
	Datum		relation;

	InitFunctionCallInfoData(*fcinfo, NULL, 1, InvalidOid, NULL, NULL);
	fcinfo->args[0].value = name;
	fcinfo->args[0].isnull = false;
	relation = to_regclass(fcinfo);
	return fcinfo->isnull ? (Datum) 0 : relation;
}

Datum
ruvector_dag_mincut_analysis(PG_FUNCTION_ARGS)
{
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Datum		relation;

	rvd_require_preload();
	/* a quoted literal is text first, and may be meant as a table's name */
	if (strpbrk(query, " \t\r\n(") == NULL)
	{
		relation = named_relation(PG_GETARG_DATUM(0));
		if (relation != (Datum) 0)
			return DirectFunctionCall1(ruvector_dag_mincut_analysis_table,
									   relation);
	}
	PG_RETURN_JSONB_P(analyze(query, 0));
}

Datum
ruvector_dag_mincut_analysis_table(PG_FUNCTION_ARGS)
{
	int64		queryid = 0;
	const char *query;

	rvd_require_preload();
	query = heaviest_statement(rvd_sql_arg_relation(fcinfo, 0), &queryid);
	PG_RETURN_JSONB_P(analyze(query, queryid));
}

Datum
ruvector_dag_mincut_criticality(PG_FUNCTION_ARGS)
{
	int64		queryid = 0;
	RvdQueryView q;
	RvdFlowResult flow;

	rvd_require_preload();
	rvd_query_view(&q, heaviest_statement(rvd_sql_arg_relation(fcinfo, 0),
										  &queryid));
	rvd_query_view_flow(&q, RVD_FLOW_TIME, &flow);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < q.dag.n_nodes; i++)
	{
		int			node = q.dag.preorder[i];
		RvdRow		row = {0};

		rvd_row_add(&row, Int64GetDatum(i));
		rvd_row_add(&row, Float4GetDatum((float) flow.criticality[node]));
		rvd_row_add(&row, BoolGetDatum(flow.criticality[node] >=
									   rvd_dag_mincut_threshold &&
									   q.view.load[node] > 0));
		rvd_row_put(&row, fcinfo);
	}
	return (Datum) 0;
}
