/*-------------------------------------------------------------------------
 *
 * attention_cases.h
 *	  Random plans for the tests of the attention kernels, and a run of a
 *	  kernel on one.
 *
 * Everything a kernel writes lives in a heap block of exactly the size that
 * was asked for, so that the address sanitizer sees a write past it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_TEST_ATTENTION_CASES_H
#define RVD_TEST_ATTENTION_CASES_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ruvector_dag/attention.h"
#include "ruvector_dag/rng.h"

typedef struct PlanEdge
{
	int32_t		child;
	int32_t		parent;
	RvdEdgeKind kind;
} PlanEdge;

typedef enum PlanShape
{
	SHAPE_TREE = 0,				/* random recursive tree */
	SHAPE_CHAIN,
	SHAPE_STAR,
	SHAPE_LEFT_DEEP,
	SHAPE_SHARED,				/* tree and producers read again */
	N_SHAPES
} PlanShape;

typedef struct Plan
{
	int32_t		n;
	int32_t		n_edges;
	RvdDagNode *nodes;			/* as added */
	PlanEdge   *edges;
	RvdDag		dag;
	void	   *mem;
	double	   *load;
	float	   *phi;
	float	   *vectors;
	RvdTrace   *traces;
	RvdAttentionParams params;
	RvdAttentionWeights weights;
	RvdAttentionInput in;
} Plan;

typedef struct Run
{
	double	   *p;
	RvdAttentionRows rows;
	RvdAttentionOutput out;
	void	   *work;
} Run;

static RvdRng test_rng;

static inline int32_t
below(int32_t n)
{
	return (int32_t) rvd_rng_below(&test_rng, (uint64_t) n);
}

static inline double
uniform(void)
{
	return rvd_rng_uniform(&test_rng);
}

/* Parent of node i > 0 among those before it. */
static inline int32_t
choose_parent(PlanShape shape, int32_t i)
{
	switch (shape)
	{
		case SHAPE_CHAIN:
			return i - 1;
		case SHAPE_STAR:
			return 0;
		case SHAPE_LEFT_DEEP:
			return i % 2 == 1 ? i - 1 : (i >= 2 ? i - 2 : 0);
		default:
			return below(i);
	}
}

/* The graph from nodes[] and edges[]. */
static inline void
plan_build(Plan *plan)
{
	size_t		size = rvd_dag_size(plan->n, plan->n_edges);

	plan->mem = malloc(size);
	assert_int_equal(rvd_dag_init(&plan->dag, plan->mem, size, plan->n,
								  plan->n_edges), RVD_OK);
	for (int32_t i = 0; i < plan->n; i++)
		assert_int_equal(rvd_dag_add_node(&plan->dag, &plan->nodes[i], NULL),
						 RVD_OK);
	for (int32_t i = 0; i < plan->n_edges; i++)
		assert_int_equal(rvd_dag_add_edge(&plan->dag, plan->edges[i].child,
										  plan->edges[i].parent,
										  plan->edges[i].kind), RVD_OK);
	assert_int_equal(rvd_dag_finish(&plan->dag), RVD_OK);
}

static inline void
plan_allocate(Plan *plan, int32_t n, int32_t max_edges)
{
	memset(plan, 0, sizeof(*plan));
	plan->n = n;
	plan->nodes = calloc((size_t) n, sizeof(RvdDagNode));
	plan->edges = calloc((size_t) max_edges + 1, sizeof(PlanEdge));
	plan->load = malloc((size_t) n * sizeof(double));
	plan->phi = malloc((size_t) n * RVD_NODE_FEATURES * sizeof(float));
	plan->vectors = malloc((size_t) n * RVD_EMBEDDING_DIM * sizeof(float));
	plan->traces = calloc((size_t) n, sizeof(RvdTrace));
	rvd_attention_defaults(&plan->params);
}

static inline void
plan_connect(Plan *plan)
{
	plan->in.dag = &plan->dag;
	plan->in.load = plan->load;
	plan->in.phi = plan->phi;
	plan->in.vectors = plan->vectors;
	plan->in.traces = plan->traces;
	plan->in.params = &plan->params;
	plan->in.weights = &plan->weights;
}

/* Numbers of the size real ones have; loads spread over six decades. */
static inline void
plan_fill(Plan *plan)
{
	for (int32_t v = 0; v < plan->n; v++)
	{
		float	   *h = plan->vectors + v * RVD_EMBEDDING_DIM;

		plan->load[v] = exp(14 * uniform() - 7);
		for (int j = 0; j < RVD_NODE_FEATURES; j++)
			plan->phi[v * RVD_NODE_FEATURES + j] =
				(float) (4 * uniform() - 2);
		for (int j = 0; j < RVD_EMBEDDING_DIM; j++)
			h[j] = (float) (uniform() - 0.5) / 2;
		if (below(3) > 0)
		{
			plan->traces[v].time_s = 1000 + 100 * uniform();
			plan->traces[v].eligibility = (float) (3 * uniform());
			plan->traces[v].plateau = (float) below(4);
		}
	}
	plan->in.now_s = 1110;
	for (int j = 0; j < RVD_NODE_FEATURES; j++)
		plan->weights.score[j] = (float) (uniform() - 0.5) / 2;
	for (int m = 0; m < RVD_HEADS; m++)
		plan->weights.gain[m] = (float) (2 * uniform() - 1);
}

/* Loads, features, vectors, traces and weights too: nothing is zero. */
static inline void
plan_create(Plan *plan, PlanShape shape, int32_t n)
{
	int32_t		shared = shape == SHAPE_SHARED && n > 2 ? 1 + n / 6 : 0;

	plan_allocate(plan, n, n + shared);
	for (int32_t i = 0; i < n; i++)
	{
		plan->nodes[i].op = (uint16_t) (1 + below(30));
		plan->nodes[i].relation = below(2) ? (uint32_t) (100 + below(9)) : 0;
		if (i > 0)
			plan->edges[plan->n_edges++] = (PlanEdge)
		{
			i, choose_parent(shape, i), (RvdEdgeKind) below(6)
		};
	}
	for (int32_t i = 0; i < shared; i++)
	{
		/* some producer is read by an operator that came before it */
		int32_t		child = 2 + below(n - 2);

		plan->edges[plan->n_edges++] = (PlanEdge)
		{
			child, below(child), RVD_EDGE_SHARED
		};
	}
	plan_build(plan);
	plan_fill(plan);
	plan_connect(plan);
}

static inline void
plan_free(Plan *plan)
{
	free(plan->nodes);
	free(plan->edges);
	free(plan->mem);
	free(plan->load);
	free(plan->phi);
	free(plan->vectors);
	free(plan->traces);
}

static inline void
run_open(Run *run, const RvdAttentionInput *in, bool rows)
{
	size_t		n = (size_t) in->dag->n_nodes;
	size_t		capacity;

	memset(run, 0, sizeof(*run));
	run->p = malloc(n * sizeof(double));
	run->work = malloc(rvd_attention_workspace(in->dag));
	memset(run->work, 0xa5, rvd_attention_workspace(in->dag));
	run->out.p = run->p;
	if (!rows)
		return;
	capacity = (size_t) rvd_attention_row_capacity(in->dag, in->params);
	run->rows.capacity = (int32_t) capacity;
	run->rows.row_start = malloc((n + 1) * sizeof(int32_t));
	run->rows.column = malloc(capacity * sizeof(int32_t));
	run->rows.weight = malloc(capacity * sizeof(double));
	run->out.rows = &run->rows;
}

static inline void
run_kernel(Run *run, int kind, const RvdAttentionInput *in)
{
	run_open(run, in, true);
	assert_int_equal(rvd_attention_compute(kind, in, &run->out, run->work),
					 RVD_OK);
}

static inline void
run_close(Run *run)
{
	free(run->p);
	free(run->work);
	free(run->rows.row_start);
	free(run->rows.column);
	free(run->rows.weight);
}

/* In double: cmocka's own compares floats. */
#define assert_close(a, b, tolerance) \
	assert_true(fabs((a) - (b)) <= (tolerance))

/* A distribution, to 1e-9. */
static inline void
assert_distribution(const double *p, int32_t n)
{
	double		sum = 0;

	for (int32_t v = 0; v < n; v++)
	{
		assert_true(p[v] >= 0);
		sum += p[v];
	}
	assert_true(fabs(sum - 1) <= 1e-9);
}

static inline void
assert_rows(const RvdAttentionRows *rows, int32_t n)
{
	assert_int_equal(rows->row_start[0], 0);
	for (int32_t v = 0; v < n; v++)
	{
		int32_t		first = rows->row_start[v];
		int32_t		count = rows->row_start[v + 1] - first;
		bool		own = false;

		assert_true(count >= 1);
		assert_distribution(rows->weight + first, count);
		for (int32_t i = first; i < first + count; i++)
		{
			assert_in_range(rows->column[i], 0, n - 1);
			own = own || rows->column[i] == v;
			for (int32_t j = first; j < i; j++)
				assert_int_not_equal(rows->column[i], rows->column[j]);
		}
		assert_true(own);
	}
	assert_true(rows->row_start[n] <= rows->capacity);
}

/* A[v, u], 0 if u is not in the row. */
static inline double
row_weight(const RvdAttentionRows *rows, int32_t v, int32_t u)
{
	for (int32_t i = rows->row_start[v]; i < rows->row_start[v + 1]; i++)
		if (rows->column[i] == u)
			return rows->weight[i];
	return 0;
}

/* Random shares of time that sum to 1, some of them zero. */
static inline void
random_share(double *share, int32_t n)
{
	double		sum = 0;

	for (int32_t v = 0; v < n; v++)
	{
		share[v] = below(4) > 0 ? exp(6 * uniform()) : 0;
		sum += share[v];
	}
	if (!(sum > 0))
	{
		share[0] = 1;
		sum = 1;
	}
	for (int32_t v = 0; v < n; v++)
		share[v] /= sum;
}

#endif							/* RVD_TEST_ATTENTION_CASES_H */
