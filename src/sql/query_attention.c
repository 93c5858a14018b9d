/*-------------------------------------------------------------------------
 *
 * query_attention.c
 *	  ruvector_dag_attention, ruvector_dag_critical_path,
 *	  ruvector_dag_bottlenecks: a statement's operators, weighed.
 *
 * Weights and times are what is expected from estimates, before execution.
 * Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "ruvector_dag/errors.h"
#include "query_view.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_attention);
PG_FUNCTION_INFO_V1(ruvector_dag_critical_path);
PG_FUNCTION_INFO_V1(ruvector_dag_bottlenecks);

Datum
ruvector_dag_attention(PG_FUNCTION_ARGS)
{
	RvdQueryView q;
	double	   *p;
	int			attention;

	rvd_require_preload();
	attention =
		rvd_query_view_attention(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	rvd_query_view(&q, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	p = palloc(sizeof(double) * q.dag.n_nodes);
	rvd_plan_weigh(&q.view, rvd_query_view_kernel(&q, attention), p);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < q.dag.n_nodes; i++)
	{
		int			node = q.dag.preorder[i];
		RvdRow		row = {0};

		rvd_row_add(&row, Int32GetDatum(i));
		rvd_row_add_text(&row, rvd_query_view_operator(&q, node));
		rvd_row_add(&row, Float4GetDatum((float) p[node]));
		rvd_row_put(&row, fcinfo);
	}
	return (Datum) 0;
}

Datum
ruvector_dag_critical_path(PG_FUNCTION_ARGS)
{
	RvdQueryView q;
	RvdCriticalPath path;
	double	   *p;
	double		accumulated = 0;

	rvd_require_preload();
	rvd_query_view(&q, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	path.slack = palloc(sizeof(double) * q.dag.n_nodes);
	path.path = palloc(sizeof(int32) * q.dag.n_nodes);
	if (rvd_critical_path(&q.dag, q.load, &path,
						  palloc(rvd_flow_workspace(&q.dag))) != RVD_OK)
		ereport(ERROR,
				(errcode(RVD_ERRCODE_INVALID_DAG),
				 errmsg("the plan's critical path could not be computed"),
				 errdetail("Its costs are not finite numbers.")));
	p = palloc(sizeof(double) * q.dag.n_nodes);
	rvd_plan_weigh(&q.view, RVD_ATTENTION_CRITICAL_PATH, p);
	InitMaterializedSRF(fcinfo, 0);
	/* from the leaf where time begins to the root */
	for (int i = path.n_path - 1; i >= 0; i--)
	{
		int			node = path.path[i];
		RvdRow		row = {0};

		accumulated += q.load[node];
		rvd_row_add(&row, Int32GetDatum(path.n_path - i));
		rvd_row_add(&row, Int32GetDatum(rvd_query_view_number(&q, node)));
		rvd_row_add_text(&row, rvd_query_view_operator(&q, node));
		rvd_row_add_float(&row, accumulated);
		rvd_row_add(&row, Float4GetDatum((float) p[node]));
		rvd_row_put(&row, fcinfo);
	}
	return (Datum) 0;
}

Datum
ruvector_dag_bottlenecks(PG_FUNCTION_ARGS)
{
	RvdQueryView q;
	RvdFlowResult frontier;
	double		threshold;
	int		   *nodes;
	int			n;

	rvd_require_preload();
	threshold = rvd_query_view_threshold(PG_GETARG_FLOAT4(1));
	rvd_query_view(&q, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	rvd_query_view_flow(&q, RVD_FLOW_TIME, &frontier);
	nodes = palloc(sizeof(int) * q.dag.n_nodes);
	n = rvd_query_view_bottlenecks(&q, &frontier, threshold, nodes);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n; i++)
	{
		int			node = nodes[i];
		RvdRow		row = {0};

		rvd_row_add(&row, Int32GetDatum(rvd_query_view_number(&q, node)));
		rvd_row_add_text(&row, rvd_query_view_operator(&q, node));
		rvd_row_add_text(&row, rvd_query_view_relation(&q, node));
		rvd_row_add(&row, Float4GetDatum((float) frontier.criticality[node]));
		rvd_row_add(&row,
					Float4GetDatum((float) rvd_query_view_share(&q, node)));
		rvd_row_add_text(&row, rvd_query_view_action(&q, node));
		rvd_row_put(&row, fcinfo);
	}
	return (Datum) 0;
}
