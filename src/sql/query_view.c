/*-------------------------------------------------------------------------
 *
 * query_view.c
 *	  A statement given as text, seen as the kernels see its plan.
 *
 * The expected load of an operator is its own part of the plan's cost, made
 * larger or smaller by what was learned of its kind of operator in such
 * plans.  Learned factors say how kinds compare and not how long a plan
 * takes, so loads are scaled to add up to the cost that they were made from.
 *
 * Everything in CurrentMemoryContext.  Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "portability/instr_time.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/plan_dag.h"
#include "ruvector_dag/settings.h"
#include "plan_text.h"
#include "query_view.h"
#include "sql_common.h"

/*
 * Less than this part of the heaviest bottleneck's time is not worth a look:
 * every leaf dominates its inputs, of which it has none.
 */
#define WORTH_A_LOOK		0.05

/* ---- expected load ----------------------------------------------------------- */

/* What the latency model says of each kind of operator, ln; 0: nothing. */
static void
learned_factors(const RvdLook *look, double *factor)
{
	RvdNeural  *neural = look->prediction.known ? rvd_my_neural() : NULL;
	const RvdSnapshot *s;

	memset(factor, 0, sizeof(double) * RVD_COST_CLASSES);
	if (neural == NULL)
		return;
	s = rvd_snapshot_lock(neural, false, true);
	for (int k = 0; k < RVD_COST_CLASSES; k++)
		factor[k] = rvd_cost_factor(&s->model, &look->prediction, k);
	rvd_snapshot_release(neural);
}

/*
 * Factors turn shares of the cost into shares of the time, none of which is
 * more than the whole; together they are the cost again.
 */
static void
expect_load(RvdQueryView *q, const double *factor)
{
	const RvdOpRoles *roles = rvd_plan_op_roles();
	double		cost_of[RVD_COST_CLASSES] = {0};
	double		cost = 0;
	double		load = 0;

	for (int i = 0; i < q->dag.n_nodes; i++)
	{
		cost_of[roles->cost_class[q->dag.nodes[i].op]] += q->view.self_cost[i];
		cost += q->view.self_cost[i];
	}
	q->load = palloc(sizeof(double) * q->dag.n_nodes);
	for (int i = 0; i < q->dag.n_nodes; i++)
	{
		int			class = roles->cost_class[q->dag.nodes[i].op];
		double		most = cost_of[class] > 0 ? cost / cost_of[class] : 1;

		q->load[i] = q->view.self_cost[i] * Min(exp(factor[class]), most);
		load += q->load[i];
	}
	for (int i = 0; i < q->dag.n_nodes; i++)
		q->load[i] = load > 0 ? q->load[i] / load * cost : 0;
	q->total_load = cost;
}

/* ---- the view ------------------------------------------------------------------ */

void
rvd_query_view_plan(RvdQueryView *q, PlannedStmt *stmt)
{
	double		factor[RVD_COST_CLASSES];

	q->stmt = stmt;
	rvd_sql_plan_dag(stmt, &q->dag);
	rvd_plan_view(&q->view, &q->dag);
	rvd_look(&q->look, &q->dag, rvd_plan_fingerprint(q->stmt, &q->dag, 0),
			 rvd_query_view_kernel(q, RVD_ATTENTION_AUTO), false);
	learned_factors(&q->look, factor);
	expect_load(q, factor);
}

void
rvd_query_view(RvdQueryView *q, const char *query)
{
	rvd_query_view_plan(q, rvd_sql_plan_text(query));
}

int
rvd_query_view_attention(const char *name)
{
	if (pg_strcasecmp(name, "auto") == 0)
		return RVD_ATTENTION_AUTO;
	for (int kind = 0; kind < RVD_NUM_ATTENTIONS; kind++)
		if (pg_strcasecmp(name, rvd_attention_name(kind)) == 0)
			return kind;
	ereport(ERROR,
			(errcode(RVD_ERRCODE_INVALID_ATTENTION),
			 errmsg("there is no attention type \"%s\"", name),
			 errhint("Known are auto, topological, causal_cone, critical_path, mincut_gated, hierarchical_lorentz, parallel_branch, temporal_btsp and ensemble.")));
	return RVD_ATTENTION_AUTO;
}

/* Nothing is left to chance here: who looks twice shall see the same. */
int
rvd_query_view_kernel(const RvdQueryView *q, int attention)
{
	double		exploration = rvd_dag_attention_exploration;

	if (attention != RVD_ATTENTION_AUTO)
		return attention;
	rvd_dag_attention_exploration = 0;
	attention = rvd_look_choose_attention((int64) q->stmt->queryId);
	rvd_dag_attention_exploration = exploration;
	return attention;
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
	if (rvd_flow_analyse(&q->dag, mode, q->load, q->view.rows, result,
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

/* ---- bottlenecks ----------------------------------------------------------- */

/* Most expected time first; of equals the one that EXPLAIN shows first. */
static int
compare_load(const void *a, const void *b, void *arg)
{
	const RvdQueryView *q = arg;
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	if (q->load[x] != q->load[y])
		return q->load[x] > q->load[y] ? -1 : 1;
	return q->dag.rank[x] - q->dag.rank[y];
}

int
rvd_query_view_bottlenecks(const RvdQueryView *q,
						   const RvdFlowResult *frontier, double threshold,
						   int *nodes)
{
	int			n = 0;
	int			kept = 0;

	for (int i = 0; i < q->dag.n_nodes; i++)
		if (frontier->criticality[i] >= threshold && q->load[i] > 0)
			nodes[n++] = i;
	qsort_arg(nodes, n, sizeof(int), compare_load,
			  unconstify(RvdQueryView *, q));
	while (kept < n && q->load[nodes[kept]] >=
		   q->load[nodes[0]] * WORTH_A_LOOK)
		kept++;
	return kept;
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

/* ---- a node ---------------------------------------------------------------- */

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
rvd_query_view_share(const RvdQueryView *q, int node)
{
	return q->total_load > 0 ? q->load[node] / q->total_load : 0;
}
