/*-------------------------------------------------------------------------
 *
 * query_view.c
 *	  A statement given as text, seen as the kernels see its plan.
 *
 * Everything in CurrentMemoryContext.  Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/plan_dag.h"
#include "plan_text.h"
#include "query_view.h"
#include "sql_common.h"

/* A scan that returns less than this share of its table is selective. */
#define SELECTIVE_SHARE		0.1

/* An inner side run more often than this is looked up, not read. */
#define MANY_LOOPS			1000

void
rvd_query_view(RvdQueryView *q, const char *query)
{
	q->stmt = rvd_sql_plan_text(query);
	rvd_sql_plan_dag(q->stmt, &q->dag);
	rvd_plan_view(&q->view, &q->dag);
	q->total_load = 0;
	for (int i = 0; i < q->dag.n_nodes; i++)
		q->total_load += q->view.load[i];
}

int
rvd_query_view_attention(const RvdQueryView *q, const char *name)
{
	int			kind;

	if (pg_strcasecmp(name, "auto") == 0)
		return rvd_look_choose_attention((int64) q->stmt->queryId);
	kind = rvd_attention_by_name(name);
	if (kind == RVD_NUM_ATTENTIONS)
		ereport(ERROR,
				(errcode(RVD_ERRCODE_INVALID_ATTENTION),
				 errmsg("there is no attention type \"%s\"", name),
				 errhint("Known are auto, topological, causal_cone, critical_path, mincut_gated, hierarchical_lorentz, parallel_branch, temporal_btsp and ensemble.")));
	return kind;
}

void
rvd_query_view_flow(const RvdQueryView *q, RvdFlowMode mode,
					RvdFlowResult *result)
{
	void	   *work = palloc(rvd_flow_workspace(&q->dag));
	instr_time	start;
	instr_time	end;

	memset(result, 0, sizeof(*result));
	result->criticality = palloc0(sizeof(double) * q->dag.n_nodes);
	result->in_cut = palloc0(q->dag.n_nodes);
	INSTR_TIME_SET_CURRENT(start);
	if (rvd_flow_analyse(&q->dag, mode, q->view.load, q->view.rows, result,
						 work) != RVD_OK)
		ereport(ERROR,
				(errcode(RVD_ERRCODE_INVALID_DAG),
				 errmsg("the plan's minimum cut could not be computed"),
				 errdetail("Its costs or row counts are not finite numbers.")));
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	rvd_operation_add(RVD_TIME_MINCUT, INSTR_TIME_GET_MILLISEC(end) * 1000);
	pfree(work);
}

int
rvd_query_view_number(const RvdQueryView *q, int node)
{
	return q->dag.rank[node];
}

const char *
rvd_query_view_operator(const RvdQueryView *q, int node)
{
	return rvd_op_name(q->dag.nodes[node].op);
}

char *
rvd_query_view_relation(const RvdQueryView *q, int node)
{
	Oid			relation = q->dag.nodes[node].relation;

	return OidIsValid(relation) ? rvd_sql_relation_name(relation) : NULL;
}

double
rvd_query_view_threshold(double threshold)
{
	if (isnan(threshold) || threshold < 0 || threshold > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"threshold\" must be between 0 and 1")));
	return threshold;
}

/* ---- what to do about it ------------------------------------------------------ */

static double
table_rows(Oid relation)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	double		rows = -1;

	if (HeapTupleIsValid(tuple))
	{
		rows = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
		ReleaseSysCache(tuple);
	}
	return rows;
}

static char *
scan_action(const RvdQueryView *q, int node)
{
	const RvdDagNode *n = &q->dag.nodes[node];
	double		rows = OidIsValid(n->relation) ? table_rows(n->relation) : -1;

	if (n->op != RVD_OP_SEQ_SCAN)
	{
		if (q->view.loops[node] >= MANY_LOOPS)
			return psprintf("looked up %.0f times: check the row estimate of the join's outer side, or join by hashing",
							q->view.loops[node]);
		return pstrdup("reads by an index already: fewer rows or a covering index would help");
	}
	if (rows > 0 && n->est_rows < rows * SELECTIVE_SHARE)
		return psprintf("reads all of %.0f rows for %.0f: an index on the columns of its filter",
						rows, n->est_rows);
	return pstrdup("reads most of the table: only fewer rows or columns would help");
}

/* Would it fit into memory? */
static char *
memory_action(const RvdQueryView *q, int node, double rows, const char *what,
			  const char *other)
{
	double		kb = rows * Max(q->dag.nodes[node].width, 1) / 1024.0;

	if (kb > work_mem)
		return psprintf("%s about %.0f MB, work_mem is %d MB: more of it, or %s",
						what, kb / 1024.0, work_mem / 1024, other);
	return psprintf("%s about %.1f MB in memory: %s", what, kb / 1024.0, other);
}

char *
rvd_query_view_action(const RvdQueryView *q, int node)
{
	const RvdOpRoles *roles = rvd_plan_op_roles();
	const RvdDagNode *n = &q->dag.nodes[node];
	double		input = 0;

	for (int e = q->dag.child_start[node]; e < q->dag.child_start[node + 1]; e++)
		input += q->dag.nodes[q->dag.child[e]].est_rows;
	switch (roles->cost_class[n->op])
	{
		case RVD_COST_SEQ_SCAN:
		case RVD_COST_INDEX_SCAN:
		case RVD_COST_BITMAP_SCAN:
			return scan_action(q, node);
		case RVD_COST_NESTED_LOOP:
			return psprintf("runs its inner side %.0f times: check the row estimate of the outer side",
							input > 0 && q->dag.child_start[node + 1] >
							q->dag.child_start[node] ?
							q->dag.nodes[q->dag.child[q->dag.child_start[node]]].est_rows : 1);
		case RVD_COST_HASH:
			return memory_action(q, node, n->est_rows, "hashes",
								 "filter the hashed side earlier");
		case RVD_COST_HASH_JOIN:
			return psprintf("joins %.0f rows: filter its inputs earlier",
							input);
		case RVD_COST_SORT:
			return memory_action(q, node, n->est_rows, "sorts",
								 "an index in that order");
		case RVD_COST_AGGREGATE:
			return psprintf("aggregates %.0f rows: filter or aggregate them earlier",
							input);
		default:
			return psprintf("takes in %.0f rows: fewer of them would help",
							input);
	}
}
