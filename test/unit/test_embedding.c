/*-------------------------------------------------------------------------
 *
 * test_embedding.c
 *	  Slots of node vectors, and pooling against its definition.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ruvector_dag/embedding.h"
#include "ruvector_dag/features.h"
#include "ruvector_dag/hash.h"

#define N_CASES		1000
#define MAX_NODES	24
#define DIM			RVD_EMBEDDING_DIM

static const uint8_t zeroes[64];
static const RvdOpRoles roles = {64, zeroes, zeroes};

static uint64_t seed = 5;

static int
below(int n)
{
	return (int) (rvd_hash_mix(++seed) % (uint64_t) n);
}

static double
uniform(void)
{
	return (double) (rvd_hash_mix(++seed) >> 11) * 0x1p-53;
}

typedef struct Plan
{
	RvdDag		dag;
	void	   *mem;
	float		phi[MAX_NODES * RVD_NODE_FEATURES];
	float		vectors[MAX_NODES * DIM];
	float		e[DIM];
} Plan;

static void
plan_embed(Plan *p)
{
	double		loops[MAX_NODES];
	double		self[MAX_NODES];
	double		weight[MAX_NODES];

	rvd_features_loops(&p->dag, &roles, loops);
	rvd_features_self_cost(&p->dag, &roles, loops, self);
	rvd_features_nodes(&p->dag, &roles, loops, self, p->phi);
	assert_int_equal(rvd_embedding_nodes(&p->dag, p->phi, p->vectors), RVD_OK);
	for (int v = 0; v < p->dag.n_nodes; v++)
		weight[v] = 1.0 / p->dag.n_nodes;
	assert_int_equal(rvd_embedding_pool(p->dag.n_nodes, p->vectors, weight,
										NULL, NULL, NULL, p->e), RVD_OK);
}

/*
 * A plan of n operators decided by the seed.  place: where node i goes;
 * factor: of all rows; shift: of all relations.
 */
static void
random_plan(Plan *p, int n, const int *place, double factor, uint32_t shift)
{
	size_t		size = rvd_dag_size(n, 2 * n);
	RvdDagNode	node[MAX_NODES];

	p->mem = malloc(size);
	assert_int_equal(rvd_dag_init(&p->dag, p->mem, size, n, 2 * n), RVD_OK);
	for (int i = 0; i < n; i++)
	{
		uint32_t	relation = below(3) == 0 ? 0 :
			16384 + (uint32_t) below(50);

		memset(&node[i], 0, sizeof(node[i]));
		node[i].op = (uint16_t) (1 + below(45));
		node[i].variant = (uint16_t) below(3);
		node[i].label = (uint64_t) below(100);
		node[i].relation = relation != 0 ? relation + shift : 0;
		node[i].est_rows = exp(14 * uniform()) * factor;
		node[i].total_cost = exp(14 * uniform());
		node[i].startup_cost = node[i].total_cost * uniform();
		node[i].width = 1 + below(200);
	}
	for (int k = 0; k < n; k++)
		for (int i = 0; i < n; i++)
			if ((place ? place[i] : i) == k)
				assert_int_equal(rvd_dag_add_node(&p->dag, &node[i], NULL),
								 RVD_OK);
	for (int i = 1; i < n; i++)
	{
		int			parent = below(i);
		RvdEdgeKind kind = (RvdEdgeKind) below(6);

		assert_int_equal(rvd_dag_add_edge(&p->dag, place ? place[i] : i,
										  place ? place[parent] : parent,
										  kind), RVD_OK);
		if (below(5) == 0)
		{
			parent = below(i);
			assert_int_equal(rvd_dag_add_edge(&p->dag, place ? place[i] : i,
											  place ? place[parent] : parent,
											  RVD_EDGE_SHARED), RVD_OK);
		}
	}
	assert_int_equal(rvd_dag_finish(&p->dag), RVD_OK);
	plan_embed(p);
}

static double
dot(const float *a, const float *b, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += (double) a[i] * b[i];
	return sum;
}

/* ---- vectors of nodes -------------------------------------------------- */

static void
blocks_have_norm_one_or_nothing(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		Plan		p;
		int			n = 1 + below(MAX_NODES);

		random_plan(&p, n, NULL, 1, 0);
		for (int v = 0; v < n; v++)
		{
			const float *h = &p.vectors[v * DIM];
			const RvdDagNode *node = &p.dag.nodes[v];

			for (int k = 0; k < RVD_NODE_FEATURES; k++)
				assert_true(h[k] == 0.25f * p.phi[v * RVD_NODE_FEATURES + k]);
			for (int k = 0; k < 48; k++)
				assert_true(h[16 + k] == (k == node->op ? 1 : 0));
			assert_true(fabs(dot(h + 64, h + 64, 64) -
							 (node->relation != 0)) < 1e-6);
			assert_true(fabs(dot(h + 128, h + 128, 64) - 1) < 1e-6);
			assert_true(fabs(dot(h + 192, h + 192, 64) - 1) < 1e-6);
		}
		free(p.mem);
	}
}

/* One operator; what is asked is which slots depend on what. */
static void
one_node(RvdDagNode node, const float *phi, float *vector)
{
	uint64_t	mem[1024];
	RvdDag		dag;
	float		zero[RVD_NODE_FEATURES] = {0};

	assert_true(rvd_dag_size(1, 0) <= sizeof(mem));
	assert_int_equal(rvd_dag_init(&dag, mem, sizeof(mem), 1, 0), RVD_OK);
	assert_int_equal(rvd_dag_add_node(&dag, &node, NULL), RVD_OK);
	assert_int_equal(rvd_embedding_nodes(&dag, zero, vector), RVD_ERR_STATE);
	assert_int_equal(rvd_dag_finish(&dag), RVD_OK);
	assert_int_equal(rvd_embedding_nodes(&dag, phi ? phi : zero, vector),
					 RVD_OK);
}

/* Do a and b differ only in slots from .. to - 1, and there? */
static void
differ_only(const float *a, const float *b, int from, int to)
{
	int			inside = 0;

	for (int k = 0; k < DIM; k++)
	{
		if (k >= from && k < to)
			inside += a[k] != b[k];
		else
			assert_true(a[k] == b[k]);
	}
	assert_true(inside > 0);
}

static void
numeric_and_hashed_slots_never_meet(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		RvdDagNode	node = {0};
		RvdDagNode	other;
		float		phi[RVD_NODE_FEATURES];
		float		a[DIM];
		float		b[DIM];

		node.op = (uint16_t) (1 + below(42));
		node.relation = (uint32_t) (1 + below(100000));
		node.label = rvd_hash_mix(++seed);
		one_node(node, NULL, a);

		for (int k = 0; k < RVD_NODE_FEATURES; k++)
			phi[k] = (float) (1 + uniform());
		one_node(node, phi, b);
		differ_only(a, b, 0, 16);
		other = node;
		other.relation += 200000;
		one_node(other, NULL, b);
		differ_only(a, b, 64, 128);
		other = node;
		other.label++;
		one_node(other, NULL, b);
		differ_only(a, b, 128, 192);
		other = node;
		other.variant++;
		one_node(other, NULL, b);
		differ_only(a, b, 128, 192);
		other = node;
		other.op = (uint16_t) (1 + node.op % 42);
		one_node(other, NULL, b);
		assert_true(dot(a, b, 64) == 0);
	}
}

/* Signed hashing: inner products of unequal values have mean 0. */
static void
unequal_relations_are_orthogonal_on_average(void **state)
{
	double		sum = 0;
	double		squares = 0;
	int			equal = 0;
	float		first[DIM];

	for (int i = 0; i < 4000; i++)
	{
		RvdDagNode	node = {0};
		float		h[DIM];
		double		d;

		node.op = 1;
		node.relation = (uint32_t) (16384 + i);
		one_node(node, NULL, i == 0 ? first : h);
		if (i == 0)
			continue;
		d = dot(first + 64, h + 64, 64);
		sum += d;
		squares += d * d;
		equal += d > 0.99;
	}
	/* variance 4 * 4 / 64 / 16 */
	assert_true(fabs(sum / 4000) < 0.01);
	assert_true(fabs(squares / 4000 - 0.0156) < 0.003);
	assert_int_equal(equal, 0);
}

static void
wrong_features_are_refused(void **state)
{
	static const float bad[] = {NAN, INFINITY, -INFINITY};

	for (int i = 0; i < 3; i++)
	{
		Plan		p;

		random_plan(&p, 5, NULL, 1, 0);
		p.phi[17 + i] = bad[i];
		assert_int_equal(rvd_embedding_nodes(&p.dag, p.phi, p.vectors),
						 RVD_ERR_ARGUMENT);
		free(p.mem);
	}
}

/* ---- plans ------------------------------------------------------------- */

static void
relabelling_changes_nothing(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		int			n = 1 + below(MAX_NODES);
		int			place[MAX_NODES];
		uint64_t	start;
		Plan		a;
		Plan		b;

		for (int k = 0; k < n; k++)
			place[k] = k;
		for (int k = n - 1; k > 0; k--)
		{
			int			j = below(k + 1);
			int			swap = place[k];

			place[k] = place[j];
			place[j] = swap;
		}
		start = seed;
		random_plan(&a, n, NULL, 1, 0);
		seed = start;
		random_plan(&b, n, place, 1, 0);
		for (int k = 0; k < DIM; k++)
			assert_true(fabsf(a.e[k] - b.e[k]) < 1e-6);
		for (int v = 0; v < n; v++)
			for (int k = 16; k < DIM; k++)
				assert_true(a.vectors[v * DIM + k] ==
							b.vectors[place[v] * DIM + k]);
		free(a.mem);
		free(b.mem);
	}
}

static void
like_plans_are_near_and_unlike_ones_further(void **state)
{
	double		nearest = 1;
	double		further = 0;

	for (int i = 0; i < N_CASES; i++)
	{
		int			n = 2 + below(MAX_NODES - 1);
		uint64_t	start = seed;
		Plan		same;
		Plan		rows;
		Plan		tables;
		Plan		other;
		double		by_rows;
		double		by_tables;
		int			scans = 0;

		random_plan(&same, n, NULL, 1, 0);
		seed = start;
		random_plan(&rows, n, NULL, 1.5, 0);
		seed = start;
		random_plan(&tables, n, NULL, 1, 1000);
		random_plan(&other, n, NULL, 1, 0);
		by_rows = dot(same.e, rows.e, DIM);
		by_tables = dot(same.e, tables.e, DIM);
		nearest = fmin(nearest, by_rows);
		assert_true(by_rows > 0.97);
		for (int v = 0; v < n; v++)
			scans += same.dag.nodes[v].relation != 0;
		if (scans > 0)
			assert_true(by_tables < by_rows);
		further += by_tables - dot(same.e, other.e, DIM);
		free(same.mem);
		free(rows.mem);
		free(tables.mem);
		free(other.mem);
	}
	/* the shape counts for more than the tables' names */
	assert_true(further / N_CASES > 0.1);
	print_message("# cosine at 1.5 times the rows: at least %.4f\n", nearest);
}

/* ---- pooling ----------------------------------------------------------- */

/* The sum as it is written, over a dense matrix. */
static void
pool_by_definition(int n, const float *h, const double *p, const double *a,
				   double *e)
{
	double		norm = 0;

	for (int k = 0; k < DIM; k++)
	{
		e[k] = 0;
		for (int v = 0; v < n; v++)
		{
			double		context = 0;

			for (int u = 0; u < n && a != NULL; u++)
				context += a[v * n + u] * h[u * DIM + k];
			e[k] += a == NULL ? p[v] * h[v * DIM + k] :
				p[v] * (0.5 * h[v * DIM + k] + 0.5 * context);
		}
		norm += e[k] * e[k];
	}
	for (int k = 0; k < DIM; k++)
		e[k] /= sqrt(norm);
}

static void
check_pool(int n, int sparse)
{
	float	   *h = malloc(sizeof(float) * DIM * n);
	double	   *p = malloc(sizeof(double) * n);
	double	   *a = calloc((size_t) n * n, sizeof(double));
	int32_t    *row_start = malloc(sizeof(int32_t) * (n + 1));
	int32_t    *column = malloc(sizeof(int32_t) * n * n);
	double	   *weight = malloc(sizeof(double) * n * n);
	double		expected[DIM];
	float		e[DIM];
	int			used = 0;

	for (int k = 0; k < n * DIM; k++)
		h[k] = (float) (uniform() - 0.4);
	for (int v = 0; v < n; v++)
	{
		p[v] = uniform() / n;
		row_start[v] = used;
		for (int u = 0; u < n; u++)
			if (u == v || below(sparse) == 0)
			{
				column[used] = u;
				a[v * n + u] = weight[used++] = uniform();
			}
	}
	row_start[n] = used;
	pool_by_definition(n, h, p, a, expected);
	assert_int_equal(rvd_embedding_pool(n, h, p, row_start, column, weight, e),
					 RVD_OK);
	for (int k = 0; k < DIM; k++)
		assert_true(fabs(e[k] - expected[k]) < 1e-6);
	assert_true(fabs(dot(e, e, DIM) - 1) < 1e-6);
	pool_by_definition(n, h, p, NULL, expected);
	assert_int_equal(rvd_embedding_pool(n, h, p, NULL, NULL, NULL, e), RVD_OK);
	for (int k = 0; k < DIM; k++)
		assert_true(fabs(e[k] - expected[k]) < 1e-6);
	free(h);
	free(p);
	free(a);
	free(row_start);
	free(column);
	free(weight);
}

static void
pooling_is_its_definition(void **state)
{
	for (int i = 0; i < N_CASES; i++)
		check_pool(1 + below(12), 1 + below(4));
	/* beyond one chunk of coefficients */
	check_pool(1100, 200);
}

static void
pooling_refuses_what_is_no_weight(void **state)
{
	float		h[2 * DIM];
	float		e[DIM];
	int32_t		row_start[] = {0, 1, 2};
	int32_t		column[] = {0, 1};
	double		weight[] = {1, 1};
	double		p[] = {0.5, 0.5};
	static const double bad[] = {-0.1, NAN, INFINITY};

	for (int k = 0; k < 2 * DIM; k++)
		h[k] = 1;
	for (int i = 0; i < 3; i++)
	{
		double		p_bad[] = {0.5, bad[i]};
		double		weight_bad[] = {1, bad[i]};

		assert_int_equal(rvd_embedding_pool(2, h, p_bad, NULL, NULL, NULL, e),
						 RVD_ERR_ARGUMENT);
		assert_int_equal(rvd_embedding_pool(2, h, p, row_start, column,
											weight_bad, e), RVD_ERR_ARGUMENT);
	}
	column[1] = 2;
	assert_int_equal(rvd_embedding_pool(2, h, p, row_start, column, weight, e),
					 RVD_ERR_ARGUMENT);
	column[1] = -1;
	assert_int_equal(rvd_embedding_pool(2, h, p, row_start, column, weight, e),
					 RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_embedding_pool(0, h, p, NULL, NULL, NULL, e),
					 RVD_ERR_ARGUMENT);
	h[3] = NAN;
	assert_int_equal(rvd_embedding_pool(2, h, p, NULL, NULL, NULL, e),
					 RVD_ERR_ARGUMENT);
	/* opposite vectors leave nothing to scale */
	for (int k = 0; k < DIM; k++)
	{
		h[k] = (float) k;
		h[DIM + k] = (float) -k;
	}
	assert_int_equal(rvd_embedding_pool(2, h, p, NULL, NULL, NULL, e),
					 RVD_ERR_STATE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_have_norm_one_or_nothing),
		cmocka_unit_test(numeric_and_hashed_slots_never_meet),
		cmocka_unit_test(unequal_relations_are_orthogonal_on_average),
		cmocka_unit_test(wrong_features_are_refused),
		cmocka_unit_test(relabelling_changes_nothing),
		cmocka_unit_test(like_plans_are_near_and_unlike_ones_further),
		cmocka_unit_test(pooling_is_its_definition),
		cmocka_unit_test(pooling_refuses_what_is_no_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
