/*-------------------------------------------------------------------------
 *
 * plan_view.c
 *	  What a plan's operators are to the attention kernels: features, node
 *	  vectors, expected load, recent traces; and a kernel's weights on them.
 *
 * Before execution the load of an operator is its own share of the plan's
 * cost, corrected by what the latency model has learned of its kind of
 * operator.  That prediction needs an embedding, which needs weights: here
 * the plain mean of the node vectors stands in.
 *
 * Everything lives in the caller's memory context.  Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "portability/instr_time.h"
#include "utils/timestamp.h"

#include "ruvector_dag/look.h"
#include "ruvector_dag/plan_dag.h"
#include "ruvector_dag/settings.h"

#include "plan_view.h"

/* A factor learned from fewer plans than this is not used. */
#define MIN_FACTOR_PLANS	10

/* How far the planner's costs are off by kind of operator, ln, usually. */
#define COST_VARIANCE		1.0
#define MAX_FACTOR			2.3 /* ln 10 */

/* Edges beyond those of a tree up to which minimum cuts are computed. */
#define MAX_SHARED_EDGES	64

static double
now_seconds(void)
{
	return GetCurrentTimestamp() / (double) USECS_PER_SEC;
}

/*
 * It is believed as far as it has shown to be right: the mean of what the
 * model says and of "as the cost has it", weighted by their variances.  The
 * model's own grows with how unlike the plan is to those that the output was
 * learned from; it knows that for its first output alone, which sees every
 * run, while only timed runs teach these.
 */
double
rvd_cost_factor(const RvdLatencyModel *m, const RvdPrediction *p, int class)
{
	int			out = RVD_OUT_COST + class;
	double		seen = (double) m->seen[out];
	double		unlike = 0;
	double		variance;
	double		factor;

	if (!p->known || seen < MIN_FACTOR_PLANS)
		return 0;
	if (m->variance[RVD_OUT_LATENCY] > 0)
		unlike = p->sd * p->sd / m->variance[RVD_OUT_LATENCY] - 1;
	variance = m->variance[out] * (1 + Max(unlike, 0) * m->samples / seen);
	factor = p->out[out] * COST_VARIANCE / (COST_VARIANCE + variance);
	return Max(-MAX_FACTOR, Min(factor, MAX_FACTOR));
}

/* Learned factors of this plan by kind of operator, 0 where unknown. */
static void
cost_factors(const RvdPlanView *v, const float *mean, float *factor)
{
	RvdNeural  *neural = rvd_part_on(RVD_PART_MODEL) ? rvd_my_neural() : NULL;
	const RvdSnapshot *s;
	RvdModelInput *in;
	RvdPrediction p;

	memset(factor, 0, sizeof(float) * RVD_COST_CLASSES);
	if (neural == NULL)
		return;
	in = palloc(sizeof(RvdModelInput));
	rvd_model_input(in, mean, v->plan, v->dag->nodes[v->dag->root].total_cost);
	s = rvd_snapshot_lock(neural, false, false);
	if (s == NULL)
		return;
	rvd_model_predict(&s->model, NULL, in, &p);
	for (int i = 0; i < RVD_COST_CLASSES; i++)
		factor[i] = (float) rvd_cost_factor(&s->model, &p, i);
	rvd_snapshot_release(neural);
	pfree(in);
}

static void
expect_load(RvdPlanView *v)
{
	const RvdOpRoles *roles = rvd_plan_op_roles();
	double	   *uniform = palloc(sizeof(double) * v->n);
	float	   *mean = palloc(sizeof(float) * RVD_EMBEDDING_DIM);
	float		factor[RVD_COST_CLASSES] = {0};

	for (int i = 0; i < v->n; i++)
		uniform[i] = 1.0 / v->n;
	if (rvd_embedding_pool(v->n, v->vectors, uniform, NULL, NULL, NULL,
						   mean) == RVD_OK)
		cost_factors(v, mean, factor);
	for (int i = 0; i < v->n; i++)
	{
		int			op = v->dag->nodes[i].op;
		int			class = op < roles->n_ops ? roles->cost_class[op] :
			RVD_COST_OTHER;

		v->load[i] = v->self_cost[i] * exp(factor[class]);
	}
	pfree(uniform);
	pfree(mean);
}

uint64
rvd_plan_view_slot(const RvdDag *dag, int node)
{
	const RvdDagNode *n = &dag->nodes[node];
	uint16		parent_op = 0;

	if (dag->parent_start[node + 1] > dag->parent_start[node])
		parent_op = dag->nodes[dag->parent[dag->parent_start[node]]].op;
	return rvd_trace_slot(n->op, n->relation, parent_op);
}

static void
read_traces(RvdPlanView *v)
{
	RvdNeural  *neural = rvd_my_neural();
	RvdAttentionState *s;

	memset(v->traces, 0, sizeof(RvdTrace) * v->n);
	if (neural == NULL ||
		(s = rvd_attention_state_lock(neural, false, false)) == NULL)
		return;
	for (int i = 0; i < v->n; i++)
	{
		RvdTraceSlot *slot = rvd_attention_state_trace(s,
													   rvd_plan_view_slot(v->dag, i), false);

		if (slot)
			v->traces[i] = slot->trace;
	}
	rvd_attention_state_release(neural);
}

static void
allocate(RvdPlanView *v)
{
	RvdAttentionParams params;
	int			n = v->n;

	rvd_attention_defaults(&params);
	v->loops = palloc(sizeof(double) * n);
	v->self_cost = palloc(sizeof(double) * n);
	v->load = palloc(sizeof(double) * n);
	v->rows = palloc(sizeof(double) * n);
	v->phi = palloc(sizeof(float) * n * RVD_NODE_FEATURES);
	v->vectors = palloc(sizeof(float) * n * RVD_EMBEDDING_DIM);
	v->traces = palloc(sizeof(RvdTrace) * n);
	v->work = palloc(rvd_attention_workspace(v->dag));
	v->rows_out.capacity = rvd_attention_row_capacity(v->dag, &params);
	v->rows_out.row_start = palloc(sizeof(int32) * (n + 1));
	v->rows_out.column = palloc(sizeof(int32) * v->rows_out.capacity);
	v->rows_out.weight = palloc(sizeof(double) * v->rows_out.capacity);
	v->rows_out.present = false;
}

void
rvd_plan_view(RvdPlanView *v, const RvdDag *dag)
{
	const RvdOpRoles *roles = rvd_plan_op_roles();

	v->dag = dag;
	v->n = dag->n_nodes;
	allocate(v);
	rvd_features_loops(dag, roles, v->loops);
	rvd_features_self_cost(dag, roles, v->loops, v->self_cost);
	rvd_features_nodes(dag, roles, v->loops, v->self_cost, v->phi);
	rvd_features_plan(dag, roles, v->loops, v->plan);
	(void) rvd_embedding_nodes(dag, v->phi, v->vectors);
	for (int i = 0; i < v->n; i++)
		v->rows[i] = dag->nodes[i].est_rows * v->loops[i];
	expect_load(v);
	read_traces(v);
}

/* ---- weights -------------------------------------------------------------- */

/* Learned weights and mixture, cold if they are not to be had. */
static void
read_weights(RvdAttentionWeights *weights, RvdMixture *mixture)
{
	RvdNeural  *neural = rvd_my_neural();
	RvdAttentionState *s = NULL;

	if (neural)
		s = rvd_attention_state_lock(neural, false, false);
	if (s == NULL)
	{
		memset(weights, 0, sizeof(RvdAttentionWeights) * RVD_NUM_KERNELS);
		rvd_mixture_init(mixture);
		return;
	}
	memcpy(weights, s->weights, sizeof(s->weights));
	*mixture = s->mixture;
	rvd_attention_state_release(neural);
}

/* One kernel; rows of context are left in the view if it has them. */
RvdStatus
rvd_plan_view_kernel(RvdPlanView *v, int kind,
					 const RvdAttentionWeights *weights, bool want_rows,
					 RvdAttentionOutput *out, double *p)
{
	RvdAttentionParams params;
	RvdAttentionInput in;
	instr_time	start;
	instr_time	end;
	RvdStatus	status;

	rvd_attention_defaults(&params);
	params.cut_threshold = rvd_dag_mincut_threshold;
	memset(&in, 0, sizeof(in));
	in.dag = v->dag;
	in.load = v->load;
	in.phi = v->phi;
	in.vectors = v->vectors;
	in.traces = v->traces;
	in.now_s = now_seconds();
	in.params = &params;
	in.weights = weights;
	memset(out, 0, sizeof(*out));
	out->p = p;
	out->rows = want_rows ? &v->rows_out : NULL;
	v->rows_out.present = false;
	INSTR_TIME_SET_CURRENT(start);
	status = rvd_attention_compute(kind, &in, out, v->work);
	INSTR_TIME_SET_CURRENT(end);
	INSTR_TIME_SUBTRACT(end, start);
	rvd_operation_add(RVD_TIME_ATTENTION, INSTR_TIME_GET_MILLISEC(end) * 1000);
	return status;
}

/*
 * Does the kernel take part?  A minimum cut of a plan is quick while it is
 * nearly a tree; where hundreds of inputs are shared it is not.
 */
bool
rvd_plan_view_uses(const RvdDag *dag, int kind)
{
	return kind != RVD_ATTENTION_MINCUT_GATED ||
		(rvd_dag_mincut_enabled && rvd_part_on(RVD_PART_MINCUT) &&
		 dag->n_edges - dag->n_nodes < MAX_SHARED_EDGES);
}

static void
weigh_ensemble(RvdPlanView *v, const RvdAttentionWeights *weights,
			   const RvdMixture *mixture, double *p)
{
	double	   *all = palloc(sizeof(double) * v->n * RVD_NUM_KERNELS);
	const double *each[RVD_NUM_KERNELS];
	RvdAttentionOutput out;

	for (int k = 0; k < RVD_NUM_KERNELS; k++)
	{
		double	   *mine = all + (Size) k * v->n;
		int			kind = rvd_plan_view_uses(v->dag, k) ? k :
			RVD_ATTENTION_TOPOLOGICAL;

		(void) rvd_plan_view_kernel(v, kind, &weights[kind], false, &out,
									mine);
		each[k] = mine;
	}
	rvd_mixture_combine(mixture, each, v->n, p);
	v->rows_out.present = false;
	pfree(all);
}

void
rvd_plan_weigh(RvdPlanView *v, int attention, double *p)
{
	RvdAttentionWeights weights[RVD_NUM_KERNELS];
	RvdMixture	mixture;
	RvdAttentionOutput out;

	if (!rvd_part_on(RVD_PART_ATTENTION))
	{
		for (int i = 0; i < v->n; i++)
			p[i] = 1.0 / v->n;
		v->rows_out.present = false;
		return;
	}
	if (!rvd_plan_view_uses(v->dag, attention))
		attention = RVD_ATTENTION_TOPOLOGICAL;
	read_weights(weights, &mixture);
	if (attention == RVD_ATTENTION_ENSEMBLE)
		weigh_ensemble(v, weights, &mixture, p);
	else
		(void) rvd_plan_view_kernel(v, attention, &weights[attention], true,
									&out, p);
}
