/*-------------------------------------------------------------------------
 *
 * mincut.c
 *	  ruvector_dag_mincut_analysis, ruvector_dag_mincut_criticality.
 *
 * Of a statement, or of the statement that stands for a table.  Criticality
 * and bottlenecks are those of the time frontier; the minimum cut, in rows,
 * is shown beside it.
 *
 * Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/syscache.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/settings.h"
#include "query_view.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_mincut_analysis);
PG_FUNCTION_INFO_V1(ruvector_dag_mincut_analysis_table);
PG_FUNCTION_INFO_V1(ruvector_dag_mincut_criticality);

/* A relation that must be there: no part of the answer is of all of them. */
static Oid
arg_table(FunctionCallInfo fcinfo)
{
	Oid			tab = PG_GETARG_OID(0);

	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(tab)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", tab)));
	return tab;
}

static void
add_bottlenecks(RvdJson *json, const RvdQueryView *q,
				const RvdFlowResult *frontier, double threshold)
{
	int		   *nodes = palloc(sizeof(int) * q->dag.n_nodes);
	int			n = rvd_query_view_bottlenecks(q, frontier, threshold, nodes);

	rvd_json_add_int(json, "bottleneck_count", n);
	rvd_json_begin_array(json, "bottlenecks");
	for (int i = 0; i < n; i++)
	{
		char	   *relation = rvd_query_view_relation(q, nodes[i]);

		rvd_json_begin_object(json, NULL);
		rvd_json_add_int(json, "node_id", rvd_query_view_number(q, nodes[i]));
		rvd_json_add_text(json, "operator",
						  rvd_query_view_operator(q, nodes[i]));
		if (relation)
			rvd_json_add_text(json, "relation", relation);
		rvd_json_add_float(json, "criticality",
						   frontier->criticality[nodes[i]]);
		rvd_json_add_float(json, "impact",
						   rvd_query_view_share(q, nodes[i]));
		rvd_json_add_bool(json, "in_frontier",
						  frontier->in_cut[nodes[i]] != 0);
		rvd_json_end_object(json);
	}
	rvd_json_end_array(json);
}

/* Members of the minimum cut, in EXPLAIN's order. */
static void
add_cut(RvdJson *json, const RvdQueryView *q, const RvdFlowResult *cut)
{
	rvd_json_begin_array(json, "cut");
	for (int i = 0; i < q->dag.n_nodes; i++)
		if (cut->in_cut[q->dag.preorder[i]])
			rvd_json_add_int(json, NULL, i);
	rvd_json_end_array(json);
}

static Jsonb *
analyze(const RvdQueryView *q, int64 queryid)
{
	RvdFlowResult cut;
	RvdFlowResult frontier;
	RvdJson		json;

	rvd_query_view_flow(q, RVD_FLOW_ROWS, &cut);
	rvd_query_view_flow(q, RVD_FLOW_TIME, &frontier);
	rvd_json_begin(&json);
	rvd_json_add_int(&json, "queryid", queryid);
	rvd_json_add_text(&json, "unit", "rows per unit of planner cost");
	rvd_json_add_float(&json, "global_mincut", cut.value);
	add_cut(&json, q, &cut);
	rvd_json_add_float(&json, "frontier_cost", frontier.value);
	rvd_json_add_float(&json, "frontier_share", q->total_load > 0 ?
					   frontier.value / q->total_load : 0);
	rvd_json_add_float(&json, "threshold", rvd_dag_mincut_threshold);
	add_bottlenecks(&json, q, &frontier, rvd_dag_mincut_threshold);
	return rvd_json_end(&json);
}

/*
 * No statement is one word of letters, but for SELECT; and a statement has
 * blanks or parentheses where a name has none but within quotes.
 */
static bool
is_name(const char *text)
{
	bool		quoted = false;

	if (text[0] == '\0' || pg_strcasecmp(text, "select") == 0)
		return false;
	for (const char *c = text; *c; c++)
	{
		if (*c == '"')
			quoted = !quoted;
		else if (!quoted && strchr(" \t\r\n\f\v();'", *c) != NULL)
			return false;
	}
	return true;
}

Datum
ruvector_dag_mincut_analysis(PG_FUNCTION_ARGS)
{
	char	   *query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	RvdQueryView q;

	rvd_require_preload();
	/* a quoted literal is text first, and may be meant as a table's name */
	if (is_name(query))
		return DirectFunctionCall1(ruvector_dag_mincut_analysis_table,
								   DirectFunctionCall1(regclassin,
													   CStringGetDatum(query)));
	rvd_query_view(&q, query);
	PG_RETURN_JSONB_P(analyze(&q, (int64) q.stmt->queryId));
}

Datum
ruvector_dag_mincut_analysis_table(PG_FUNCTION_ARGS)
{
	RvdQueryView q;
	int64		queryid;

	rvd_require_preload();
	queryid = rvd_query_view_of_table(&q, arg_table(fcinfo));
	PG_RETURN_JSONB_P(analyze(&q, queryid));
}

Datum
ruvector_dag_mincut_criticality(PG_FUNCTION_ARGS)
{
	RvdQueryView q;
	RvdFlowResult frontier;
	bool	   *is_bottleneck;
	int		   *nodes;
	int			n;

	rvd_require_preload();
	(void) rvd_query_view_of_table(&q, arg_table(fcinfo));
	rvd_query_view_flow(&q, RVD_FLOW_TIME, &frontier);
	nodes = palloc(sizeof(int) * q.dag.n_nodes);
	n = rvd_query_view_bottlenecks(&q, &frontier, rvd_dag_mincut_threshold,
								   nodes);
	is_bottleneck = palloc0(sizeof(bool) * q.dag.n_nodes);
	for (int i = 0; i < n; i++)
		is_bottleneck[nodes[i]] = true;
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < q.dag.n_nodes; i++)
	{
		int			node = q.dag.preorder[i];
		RvdRow		row = {0};

		rvd_row_add(&row, Int64GetDatum(i));
		rvd_row_add(&row, Float4GetDatum((float) frontier.criticality[node]));
		rvd_row_add(&row, BoolGetDatum(is_bottleneck[node]));
		rvd_row_put(&row, fcinfo);
	}
	return (Datum) 0;
}
