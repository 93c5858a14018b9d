/*-------------------------------------------------------------------------
 *
 * kernels_plans.c
 *	  Random plans for bench/kernels, with what a backend computes for them.
 *
 * Weights of the kernels are not zero: heads and scores are computed, as
 * after training, and every operator has a recent past.
 *
 *-------------------------------------------------------------------------
 */
#include "kernels_plan.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t cost_class[N_OPS] = {
	[OP_APPEND] = RVD_COST_OTHER,
	[OP_SEQ_SCAN] = RVD_COST_SEQ_SCAN,
	[OP_INDEX_SCAN] = RVD_COST_INDEX_SCAN,
	[OP_CTE_SCAN] = RVD_COST_OTHER_SCAN,
	[OP_NEST_LOOP] = RVD_COST_NESTED_LOOP,
	[OP_MERGE_JOIN] = RVD_COST_MERGE_JOIN,
	[OP_HASH_JOIN] = RVD_COST_HASH_JOIN,
	[OP_MATERIAL] = RVD_COST_MATERIAL,
	[OP_SORT] = RVD_COST_SORT,
	[OP_AGG] = RVD_COST_AGGREGATE,
	[OP_HASH] = RVD_COST_HASH,
	[OP_LIMIT] = RVD_COST_OTHER
};

static const uint8_t traits[N_OPS] = {
	[OP_SEQ_SCAN] = RVD_OP_IS_SCAN,
	[OP_INDEX_SCAN] = RVD_OP_IS_SCAN | RVD_OP_USES_INDEX,
	[OP_CTE_SCAN] = RVD_OP_IS_SCAN,
	[OP_NEST_LOOP] = RVD_OP_IS_JOIN | RVD_OP_IS_LOOP,
	[OP_MERGE_JOIN] = RVD_OP_IS_JOIN,
	[OP_HASH_JOIN] = RVD_OP_IS_JOIN,
	[OP_MATERIAL] = RVD_OP_IS_STORE,
	[OP_SORT] = RVD_OP_IS_SORT,
	[OP_AGG] = RVD_OP_IS_AGGREGATE
};

static const RvdOpRoles roles = {N_OPS, cost_class, traits};

void
plan_describe(Plan *plan)
{
	must(rvd_dag_init(&plan->dag, plan->dag_mem, plan->dag_size, plan->n,
					  plan->n_edges), "rvd_dag_init");
	for (int32_t v = 0; v < plan->n; v++)
		must(rvd_dag_add_node(&plan->dag, &plan->nodes[v], NULL),
			 "rvd_dag_add_node");
	for (int32_t e = 0; e < plan->n_edges; e++)
		must(rvd_dag_add_edge(&plan->dag, plan->edges[e].child,
							  plan->edges[e].parent, plan->edges[e].kind),
			 "rvd_dag_add_edge");
	must(rvd_dag_finish(&plan->dag), "rvd_dag_finish");
	rvd_features_loops(&plan->dag, &roles, plan->loops);
	rvd_features_self_cost(&plan->dag, &roles, plan->loops, plan->self_cost);
	rvd_features_nodes(&plan->dag, &roles, plan->loops, plan->self_cost,
					   plan->phi);
	rvd_features_plan(&plan->dag, &roles, plan->loops, plan->features);
	must(rvd_embedding_nodes(&plan->dag, plan->phi, plan->vectors),
		 "rvd_embedding_nodes");
	for (int32_t v = 0; v < plan->n; v++)
		plan->rows[v] = plan->dag.nodes[v].est_rows * plan->loops[v];
}

static void
fill(Plan *plan, RvdRng *rng)
{
	for (int32_t v = 0; v < plan->n; v++)
	{
		plan->traces[v].time_s = 1000 + 100 * rvd_rng_uniform(rng);
		plan->traces[v].eligibility = (float) (3 * rvd_rng_uniform(rng));
		plan->traces[v].plateau = (float) rvd_rng_below(rng, 4);
	}
	for (int j = 0; j < RVD_NODE_FEATURES; j++)
		plan->weights.score[j] = (float) (rvd_rng_uniform(rng) - 0.5) / 2;
	for (int m = 0; m < RVD_HEADS; m++)
		plan->weights.gain[m] = (float) (1 + rvd_rng_uniform(rng));
	rvd_attention_defaults(&plan->params);
	plan->in = (RvdAttentionInput)
	{
		.dag = &plan->dag, .load = plan->self_cost, .phi = plan->phi,
		.vectors = plan->vectors, .traces = plan->traces, .now_s = 1110,
		.params = &plan->params, .weights = &plan->weights
	};
	plan->out.p = plan->p;
}

static void
get_arrays(Plan *plan)
{
	size_t		n = (size_t) plan->n;

	plan->dag_size = rvd_dag_size(plan->n, plan->n_edges);
	plan->dag_mem = get_memory(plan->dag_size);
	plan->loops = get_memory(n * sizeof(double));
	plan->self_cost = get_memory(n * sizeof(double));
	plan->rows = get_memory(n * sizeof(double));
	plan->phi = get_memory(n * RVD_NODE_FEATURES * sizeof(float));
	plan->vectors = get_memory(n * RVD_EMBEDDING_DIM * sizeof(float));
	plan->traces = get_memory(n * sizeof(RvdTrace));
	plan->p = get_memory(n * sizeof(double));
	plan->kernel_p = get_memory(n * RVD_NUM_KERNELS * sizeof(double));
}

/* Sizes of these are known once the graph and the parameters are. */
static void
get_workspace(Plan *plan)
{
	size_t		capacity = (size_t) rvd_attention_row_capacity(&plan->dag,
															   &plan->params);
	size_t		attention = rvd_attention_workspace(&plan->dag);

	plan->context.capacity = (int32_t) capacity;
	plan->context.row_start = get_memory(((size_t) plan->n + 1) *
										 sizeof(int32_t));
	plan->context.column = get_memory(capacity * sizeof(int32_t));
	plan->context.weight = get_memory(capacity * sizeof(double));
	plan->work = get_memory(attention);
}

Plan *
plan_make(PlanFamily family, int32_t n, uint64_t seed)
{
	Plan	   *plan = get_memory(sizeof(Plan));
	RvdRng		rng;

	rvd_rng_init(&rng, RVD_RNG_TEST,
				 seed * PLAN_FAMILIES * (RVD_DAG_MAX_NODES + 1) +
				 (uint64_t) n * PLAN_FAMILIES + (uint64_t) family);
	memset(plan, 0, sizeof(*plan));
	plan->n = n;
	plan->nodes = get_memory((size_t) n * sizeof(RvdDagNode));
	memset(plan->nodes, 0, (size_t) n * sizeof(RvdDagNode));
	plan->edges = get_memory((size_t) n * 2 * sizeof(PlanEdge));
	plan_grow(plan, family, &rng);
	get_arrays(plan);
	plan_describe(plan);
	fill(plan, &rng);
	get_workspace(plan);
	return plan;
}

void
plan_free(Plan *plan)
{
	free(plan->nodes);
	free(plan->edges);
	free(plan->dag_mem);
	free(plan->loops);
	free(plan->self_cost);
	free(plan->rows);
	free(plan->phi);
	free(plan->vectors);
	free(plan->traces);
	free(plan->p);
	free(plan->kernel_p);
	free(plan->context.row_start);
	free(plan->context.column);
	free(plan->context.weight);
	free(plan->work);
	free(plan);
}

/* ---- what is run on a plan ---------------------------------------------- */

/* Uniform weights of input that is not finite would be quick to make. */
static void
attend(Plan *plan, int kind)
{
	must(rvd_attention_compute(kind, &plan->in, &plan->out, plan->work),
		 "rvd_attention_compute");
	must(plan->out.fell_back ? RVD_ERR_STATE : RVD_OK, "a kernel fell back");
}

void
plan_attend(Plan *plan, int kind)
{
	plan->context.present = false;
	plan->out.p = plan->p;
	plan->out.rows = &plan->context;
	attend(plan, kind);
}

void
plan_attend_ensemble(Plan *plan, const RvdMixture *mixture)
{
	const double *each[RVD_NUM_KERNELS];

	plan->context.present = false;
	plan->out.rows = NULL;
	for (int k = 0; k < RVD_NUM_KERNELS; k++)
	{
		each[k] = plan->out.p = plan->kernel_p + (size_t) k * plan->n;
		attend(plan, k);
	}
	rvd_mixture_combine(mixture, each, plan->n, plan->p);
}

void
plan_embed(Plan *plan)
{
	bool		rows = plan->context.present;

	must(rvd_embedding_pool(plan->n, plan->vectors, plan->p,
							rows ? plan->context.row_start : NULL,
							plan->context.column, plan->context.weight,
							plan->embedding), "rvd_embedding_pool");
}
