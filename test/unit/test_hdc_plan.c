/*-------------------------------------------------------------------------
 *
 * test_hdc_plan.c
 *	  Codes of plans against their definition, spelled out, and against the
 *	  law of distances between plans.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hdc_naive.h"

static RvdHdcBundle bundle;

#define MAX_NODES	60

typedef struct Plan
{
	RvdDag		dag;
	int64_t		memory[4096];
} Plan;

/* Empty, with room. */
static void
start_plan(Plan *p)
{
	assert_int_equal(rvd_dag_init(&p->dag, p->memory, sizeof(p->memory),
								  MAX_NODES, 2 * MAX_NODES), RVD_OK);
}

static RvdDagNode
random_node(void)
{
	RvdDagNode	node = {0};

	node.op = (uint16_t) (1 + below(9));
	node.variant = (uint16_t) below(2);
	if (below(2))
		node.relation = (uint32_t) (16384 + below(20));
	if (node.relation && below(2))
		node.index = (uint32_t) (17000 + below(3));
	node.est_rows = floor(exp(22 * rvd_rng_uniform(&rng))) - 1;
	return node;
}

/* A random tree, and at times a shared producer. */
static void
random_plan(Plan *p, int n)
{
	start_plan(p);
	for (int i = 0; i < n; i++)
	{
		RvdDagNode	node = random_node();

		rvd_dag_add_node(&p->dag, &node, NULL);
		if (i > 0)
			rvd_dag_add_edge(&p->dag, i, below(i), below(RVD_EDGE_SHARED));
	}
	if (n > 5 && below(3) == 0)
		rvd_dag_add_edge(&p->dag, n - 1, below(n - 1), RVD_EDGE_SHARED);
}

/* The same graph, nodes and edges added in another order. */
static void
shuffled_plan(const Plan *from, Plan *to)
{
	int			place[MAX_NODES];
	int			order[2 * MAX_NODES];
	int			n = from->dag.n_nodes;

	start_plan(to);
	for (int i = 0; i < n; i++)
	{
		int			j = below(i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	for (int i = 0; i < n; i++)
	{
		place[order[i]] = i;
		rvd_dag_add_node(&to->dag, &from->dag.nodes[order[i]], NULL);
	}
	for (int i = from->dag.n_edges - 1; i >= 0; i--)
		rvd_dag_add_edge(&to->dag, place[from->dag.edge_child[i]],
						 place[from->dag.edge_parent[i]],
						 from->dag.edge_kind[i]);
}

/* Bucket of a row count by its bounds 2^(2k - 1) <= rows + 1 < 2^(2k + 1). */
static int
naive_level(double rows)
{
	int			level = 0;

	while (level < 15 && rows + 1 >= ldexp(1, 2 * level + 1))
		level++;
	return level;
}

static uint64_t
naive_operator(const RvdDagNode *node)
{
	return node->op * UINT64_C(65536) + node->variant;
}

static uint64_t
tuple3(uint64_t tag, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t	t = rvd_hash_combine(tag, a);

	return rvd_hash_combine(rvd_hash_combine(t, b), c);
}

static uint64_t
node_tuple(const RvdDagNode *node)
{
	return tuple3(1, naive_operator(node), node->relation, node->index);
}

static uint64_t
edge_tuple(const RvdDag *dag, int e)
{
	return tuple3(2, naive_operator(&dag->nodes[dag->edge_parent[e]]),
				  naive_operator(&dag->nodes[dag->edge_child[e]]),
				  dag->edge_kind[e]);
}

/* By the definition: every feature made from its atoms, every bit counted. */
static void
naive_encode(const RvdDag *dag, const uint64_t *parameters, int n_parameters,
			 RvdHdc *out)
{
	static int	count[D];
	RvdHdc		v;
	RvdHdc		t;

	memset(count, 0, sizeof(count));
	for (int i = 0; i < dag->n_nodes; i++)
	{
		const RvdDagNode *node = &dag->nodes[i];

		rvd_hdc_atom(RVD_HDC_FEATURE, node_tuple(node), &v);
		count_bits(&v, count);
		rvd_hdc_atom(RVD_HDC_OPERATOR, naive_operator(node), &v);
		rvd_hdc_level(naive_level(node->est_rows), &t);
		rvd_hdc_bind(&v, &t, &v);
		rvd_hdc_atom(RVD_HDC_ROLE, 1, &t);
		rvd_hdc_bind(&v, &t, &v);
		count_bits(&v, count);
	}
	for (int i = 0; i < dag->n_edges; i++)
	{
		rvd_hdc_atom(RVD_HDC_FEATURE, edge_tuple(dag, i), &v);
		count_bits(&v, count);
	}
	for (int i = 0; i < n_parameters; i++)
	{
		rvd_hdc_atom(RVD_HDC_PARAMETER, parameters[i], &v);
		count_bits(&v, count);
	}
	naive_majority(count, 2 * dag->n_nodes + dag->n_edges + n_parameters,
				   out);
}

static void
encode(const Plan *p, RvdHdc *out)
{
	assert_int_equal(rvd_hdc_encode_plan(&p->dag, NULL, 0, &bundle, out),
					 RVD_OK);
}

/* T8.2 */
static void
plans_are_encoded_as_defined(void **state)
{
	static Plan p;

	for (int i = 0; i < N_CASES; i++)
	{
		uint64_t	parameters[5];
		int			n_parameters = below(6);
		RvdHdc		code;
		RvdHdc		naive;

		random_plan(&p, 1 + below(i % 50 == 0 ? MAX_NODES : 8));
		for (int k = 0; k < n_parameters; k++)
			parameters[k] = rvd_rng_next(&rng);
		memset(&bundle, 0xa5, sizeof(bundle));
		assert_int_equal(rvd_hdc_encode_plan(&p.dag, parameters, n_parameters,
											 &bundle, &code), RVD_OK);
		naive_encode(&p.dag, parameters, n_parameters, &naive);
		assert_same(&code, &naive);
	}
}

static void
order_of_building_does_not_matter(void **state)
{
	static Plan p;
	static Plan q;

	for (int i = 0; i < N_CASES; i++)
	{
		RvdHdc		a;
		RvdHdc		b;

		random_plan(&p, 1 + below(25));
		shuffled_plan(&p, &q);
		encode(&p, &a);
		encode(&q, &b);
		assert_same(&a, &b);
	}
}

/* What the code must tell apart, and what it must not. */
static void
every_feature_counts(void **state)
{
	static Plan p;
	RvdHdc		a;
	RvdHdc		b;

	for (int i = 0; i < 100; i++)
	{
		RvdDagNode *node;
		RvdDagNode	saved;

		random_plan(&p, 5 + below(20));
		encode(&p, &a);
		node = &p.dag.nodes[below(p.dag.n_nodes)];
		saved = *node;
#define CHANGES(field) \
		node->field += 100; \
		encode(&p, &b); \
		assert_true(rvd_hdc_distance(&a, &b) > 0.03); \
		*node = saved
		CHANGES(op);
		CHANGES(variant);
		CHANGES(relation);
		CHANGES(index);
#undef CHANGES
		node->width += 100;
		node->total_cost += 100;
		node->plan_node_id += 100;
		encode(&p, &b);
		assert_same(&a, &b);
		p.dag.edge_kind[0] ^= 1;
		encode(&p, &b);
		assert_true(rvd_hdc_distance(&a, &b) > 0.03);
	}
}

static void
near_row_counts_give_near_codes(void **state)
{
	static Plan p;
	RvdHdc		code[4];

	random_plan(&p, 12);
	for (int i = 0; i < 4; i++)
	{
		static const double rows[] = {100, 120, 3e3, 1e8};

		for (int k = 0; k < 12; k++)
			p.dag.nodes[k].est_rows = rows[i];
		encode(&p, &code[i]);
	}
	assert_same(&code[0], &code[1]);
	assert_true(rvd_hdc_distance(&code[0], &code[2]) > 0.01);
	assert_true(rvd_hdc_distance(&code[0], &code[3]) >
				2 * rvd_hdc_distance(&code[0], &code[2]));
}

/* Bounds of the buckets, exactly, and what is no row count. */
static void
row_counts_fall_into_buckets(void **state)
{
	static Plan p;
	static Plan q;
	RvdHdc		a;
	RvdHdc		b;
	const double nothing[] = {0, -1, -INFINITY, NAN};

	random_plan(&p, 1);
	random_plan(&q, 1);
	q.dag.nodes[0] = p.dag.nodes[0];
	for (int level = 0; level < 15; level++)
	{
		double		bound = ldexp(1, 2 * level + 1) - 1;

		p.dag.nodes[0].est_rows = bound;
		q.dag.nodes[0].est_rows = bound * (1 - 1e-9);
		encode(&p, &a);
		naive_encode(&p.dag, NULL, 0, &b);
		assert_same(&a, &b);
		encode(&q, &b);
		assert_true(naive_distance(&a, &b) > 0);
	}
	p.dag.nodes[0].est_rows = 0.5;
	encode(&p, &a);
	for (int i = 0; i < 4; i++)
	{
		p.dag.nodes[0].est_rows = nothing[i];
		encode(&p, &b);
		assert_same(&a, &b);
	}
	p.dag.nodes[0].est_rows = INFINITY;
	q.dag.nodes[0].est_rows = 1e10;
	encode(&p, &a);
	encode(&q, &b);
	assert_same(&a, &b);
}

/*
 * Product of two plans' multiplicity vectors in the bits that are flipped in
 * levels above s (s = 15: in none).  There a node's second feature is its
 * operator's atom, taken plainly or inverted.
 */
static double
inner_product(const RvdDag *a, const RvdDag *b, int s)
{
	double		sum = 0;

	for (int i = 0; i < a->n_nodes; i++)
		for (int j = 0; j < b->n_nodes; j++)
		{
			const RvdDagNode *x = &a->nodes[i];
			const RvdDagNode *y = &b->nodes[j];

			sum += node_tuple(x) == node_tuple(y);
			if (naive_operator(x) == naive_operator(y))
				sum += (naive_level(x->est_rows) > s) ==
					(naive_level(y->est_rows) > s) ? 1 : -1;
		}
	for (int i = 0; i < a->n_edges; i++)
		for (int j = 0; j < b->n_edges; j++)
			sum += edge_tuple(a, i) == edge_tuple(b, j);
	return sum;
}

/* arccos of the cosine, over the parts of the code that levels cut it in */
static double
arccos_law(const RvdDag *a, const RvdDag *b)
{
	double		d = 0;

	for (int s = 0; s <= 15; s++)
	{
		int			bits = (s < 15 ? (s + 1) * D / 30 : D) - s * D / 30;
		double		cosine = inner_product(a, b, s) /
			sqrt(inner_product(a, a, s) * inner_product(b, b, s));

		d += acos(fmin(cosine, 1)) / M_PI * bits / D;
	}
	return d;
}

/* T8.4, plans: some nodes replaced; mean over 60 plans against the law. */
static void
edited_plans_follow_the_arccos_law(void **state)
{
	static const int edits[] = {1, 3, 10, 30, 50};
	static Plan p;

	for (int c = 0; c < 5; c++)
	{
		double		difference = 0;

		for (int i = 0; i < 60; i++)
		{
			static Plan q;
			RvdHdc		a;
			RvdHdc		b;

			random_plan(&p, 50);
			start_plan(&q);
			for (int k = 0; k < 50; k++)
				rvd_dag_add_node(&q.dag, &p.dag.nodes[k], NULL);
			for (int k = 0; k < p.dag.n_edges; k++)
				rvd_dag_add_edge(&q.dag, p.dag.edge_child[k],
								 p.dag.edge_parent[k], p.dag.edge_kind[k]);
			for (int k = 0; k < edits[c]; k++)
				q.dag.nodes[k == 0 ? below(50) : k] = random_node();
			encode(&p, &a);
			encode(&q, &b);
			difference += rvd_hdc_distance(&a, &b) -
				arccos_law(&p.dag, &q.dag);
		}
		assert_true(fabs(difference / 60) < 0.005);
	}
}

static void
parameters_are_features_of_their_own(void **state)
{
	static Plan p;
	uint64_t	one = 1;
	uint64_t	two = 2;
	RvdHdc		a;
	RvdHdc		b;

	random_plan(&p, 4);
	rvd_hdc_encode_plan(&p.dag, &one, 1, &bundle, &a);
	rvd_hdc_encode_plan(&p.dag, &two, 1, &bundle, &b);
	assert_true(rvd_hdc_distance(&a, &b) > 0.05);
	assert_true(rvd_hdc_distance(&a, &b) < 0.33);
}

static void
impossible_plans_are_refused(void **state)
{
	static Plan p;
	uint64_t	none = 0;
	RvdHdc		v;

	start_plan(&p);
	assert_int_equal(rvd_hdc_encode_plan(&p.dag, NULL, 0, &bundle, &v),
					 RVD_ERR_ARGUMENT);
	random_plan(&p, 2);
	assert_int_equal(rvd_hdc_encode_plan(&p.dag, NULL, -1, &bundle, &v),
					 RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_hdc_encode_plan(&p.dag, &none, 65531, &bundle, &v),
					 RVD_ERR_FULL);
	assert_int_equal(rvd_hdc_encode_plan(&p.dag, &none, INT32_MAX, &bundle,
										 &v), RVD_ERR_FULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(plans_are_encoded_as_defined),
		TEST(order_of_building_does_not_matter),
		TEST(every_feature_counts),
		TEST(near_row_counts_give_near_codes),
		TEST(row_counts_fall_into_buckets),
		TEST(edited_plans_follow_the_arccos_law),
		TEST(parameters_are_features_of_their_own),
		TEST(impossible_plans_are_refused),
	};

	return cmocka_run_group_tests_name("hdc_plan", tests, NULL, NULL);
}
