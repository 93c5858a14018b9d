/*-------------------------------------------------------------------------
 *
 * test_dag.c
 *	  Plan graph: orders and depths against naive definitions on random
 *	  graphs, refusals, and what the fingerprint does and does not see.
 *
 * Every graph lives in a heap block of exactly the size asked for, so that
 * the address sanitizer sees a write past it.
 *
 *-------------------------------------------------------------------------
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ruvector_dag/dag.h"
#include "ruvector_dag/hash.h"

#define RANDOM_GRAPHS	2000
#define RANDOM_NODES	40

typedef struct Edge
{
	int32_t		child;
	int32_t		parent;
	RvdEdgeKind kind;
} Edge;

static uint64_t random_state;

/* Uniform enough below n. */
static int32_t
random_below(int32_t n)
{
	random_state += UINT64_C(0x9e3779b97f4a7c15);
	return (int32_t) (rvd_hash_mix(random_state) % (uint64_t) n);
}

static void
open_dag(RvdDag *dag, int32_t max_nodes, int32_t max_edges)
{
	size_t		size = rvd_dag_size(max_nodes, max_edges);
	void	   *mem = malloc(size);

	assert_int_not_equal(size, 0);
	memset(mem, 0xa5, size);
	assert_int_equal(rvd_dag_init(dag, mem, size, max_nodes, max_edges),
					 RVD_OK);
}

/* The block starts with the nodes. */
static void
close_dag(RvdDag *dag)
{
	free(dag->nodes);
}

static RvdDagNode
make_node(uint16_t op)
{
	RvdDagNode	node = {0};

	node.op = op;
	return node;
}

static void
build(RvdDag *dag, const uint16_t *ops, int32_t n_nodes,
	  const Edge *edges, int32_t n_edges)
{
	open_dag(dag, n_nodes, n_edges);
	for (int32_t i = 0; i < n_nodes; i++)
	{
		RvdDagNode	node = make_node(ops[i]);

		assert_int_equal(rvd_dag_add_node(dag, &node, NULL), RVD_OK);
	}
	for (int32_t i = 0; i < n_edges; i++)
		assert_int_equal(rvd_dag_add_edge(dag, edges[i].child, edges[i].parent,
										  edges[i].kind), RVD_OK);
}

/* Fingerprint of a graph that must be sound. */
static uint64_t
fingerprint_of(const uint16_t *ops, int32_t n_nodes,
			   const Edge *edges, int32_t n_edges)
{
	RvdDag		dag;
	uint64_t	fingerprint;

	build(&dag, ops, n_nodes, edges, n_edges);
	assert_int_equal(rvd_dag_finish(&dag), RVD_OK);
	fingerprint = rvd_dag_fingerprint(&dag);
	close_dag(&dag);
	return fingerprint;
}

/*
 * A random graph whose only root is node 0: every other node has a parent of
 * lower number, and some edges more.
 */
static int32_t
random_graph(uint16_t *ops, int32_t n_nodes, Edge *edges)
{
	int32_t		n_edges = 0;

	for (int32_t i = 0; i < n_nodes; i++)
		ops[i] = (uint16_t) (1 + random_below(5));
	for (int32_t i = 1; i < n_nodes; i++)
	{
		do
		{
			edges[n_edges].child = i;
			edges[n_edges].parent = random_below(i);
			edges[n_edges].kind = (RvdEdgeKind) random_below(7);
			n_edges++;
		} while (random_below(4) == 0);
	}
	return n_edges;
}

/* Longest path from the root by definition, over all ways up. */
static int
naive_depth(const Edge *edges, int32_t n_edges, int32_t node)
{
	int			depth = 0;

	for (int32_t e = 0; e < n_edges; e++)
	{
		if (edges[e].child == node)
		{
			int			above = 1 + naive_depth(edges, n_edges,
												edges[e].parent);

			depth = above > depth ? above : depth;
		}
	}
	return depth;
}

static void
check_children(const RvdDag *dag, const Edge *edges, int32_t n_edges)
{
	assert_int_equal(dag->child_start[dag->n_nodes], n_edges);
	for (int32_t node = 0; node < dag->n_nodes; node++)
	{
		int32_t		at = dag->child_start[node];

		for (int32_t e = 0; e < n_edges; e++)
		{
			if (edges[e].parent != node)
				continue;
			assert_int_equal(dag->child[at], edges[e].child);
			assert_int_equal(dag->child_kind[at], edges[e].kind);
			at++;
		}
		assert_int_equal(at, dag->child_start[node + 1]);
	}
}

static void
check_parents(const RvdDag *dag, const Edge *edges, int32_t n_edges)
{
	for (int32_t node = 0; node < dag->n_nodes; node++)
	{
		int32_t		at = dag->parent_start[node];

		for (int32_t e = 0; e < n_edges; e++)
		{
			if (edges[e].child == node)
				assert_int_equal(dag->parent[at++], edges[e].parent);
		}
		assert_int_equal(at, dag->parent_start[node + 1]);
	}
}

static void
check_orders(const RvdDag *dag, const Edge *edges, int32_t n_edges)
{
	int32_t		place[RANDOM_NODES];

	memset(place, 0xff, sizeof(place));
	for (int32_t i = 0; i < dag->n_nodes; i++)
	{
		assert_int_equal(place[dag->topo[i]], -1);
		place[dag->topo[i]] = i;
		assert_int_equal(dag->rank[dag->preorder[i]], i);
	}
	assert_int_equal(dag->preorder[0], dag->root);
	for (int32_t e = 0; e < n_edges; e++)
		assert_true(place[edges[e].child] < place[edges[e].parent]);
	for (int32_t i = 0; i < dag->n_nodes; i++)
		assert_int_equal(dag->nodes[i].depth, naive_depth(edges, n_edges, i));
}

static void
random_graphs_agree_with_definitions(void **state)
{
	random_state = 1;
	for (int round = 0; round < RANDOM_GRAPHS; round++)
	{
		uint16_t	ops[RANDOM_NODES];
		Edge		edges[RANDOM_NODES * 40];
		int32_t		n_nodes = 1 + random_below(12);
		int32_t		n_edges = random_graph(ops, n_nodes, edges);
		RvdDag		dag;

		build(&dag, ops, n_nodes, edges, n_edges);
		assert_int_equal(rvd_dag_finish(&dag), RVD_OK);
		assert_int_equal(dag.root, 0);
		check_children(&dag, edges, n_edges);
		check_parents(&dag, edges, n_edges);
		check_orders(&dag, edges, n_edges);
		close_dag(&dag);
	}
}

static void
visit_follows_the_order_of_inputs(void **state)
{
	/* 0 has inputs 3, 1; 3 has inputs 2, 4; 1 has input 4 too */
	const uint16_t ops[] = {1, 2, 3, 4, 5};
	const Edge	edges[] = {{3, 0, 0}, {2, 3, 0}, {1, 0, 1},
	{4, 3, 1}, {4, 1, 6}};
	const int32_t expected[] = {0, 3, 2, 4, 1};
	RvdDag		dag;

	build(&dag, ops, 5, edges, 5);
	assert_int_equal(rvd_dag_finish(&dag), RVD_OK);
	assert_memory_equal(dag.preorder, expected, sizeof(expected));
	close_dag(&dag);
}

/* Shuffle the numbers of nodes and the edges between, not within, parents. */
static void
fingerprint_ignores_order_of_insertion(void **state)
{
	random_state = 2;
	for (int round = 0; round < RANDOM_GRAPHS; round++)
	{
		uint16_t	ops[RANDOM_NODES];
		uint16_t	new_ops[RANDOM_NODES];
		int32_t		number[RANDOM_NODES];
		Edge		edges[RANDOM_NODES * 40];
		Edge		new_edges[RANDOM_NODES * 40];
		int32_t		n_nodes = 1 + random_below(RANDOM_NODES);
		int32_t		n_edges = random_graph(ops, n_nodes, edges);
		int32_t		n = 0;

		for (int32_t i = 0; i < n_nodes; i++)
		{
			int32_t		j = random_below(i + 1);

			number[i] = number[j];
			number[j] = i;
		}
		for (int32_t i = 0; i < n_nodes; i++)
			new_ops[number[i]] = ops[i];
		for (int32_t i = n_nodes - 1; i >= 0; i--)
		{
			for (int32_t e = 0; e < n_edges; e++)
			{
				if (edges[e].parent != i)
					continue;
				new_edges[n] = edges[e];
				new_edges[n].child = number[edges[e].child];
				new_edges[n++].parent = number[i];
			}
		}
		assert_int_equal(fingerprint_of(ops, n_nodes, edges, n_edges),
						 fingerprint_of(new_ops, n_nodes, new_edges, n));
	}
}

/* Change one thing in a random graph: the fingerprint has to change. */
static void
fingerprint_sees_every_change_of_shape(void **state)
{
	random_state = 3;
	for (int round = 0; round < RANDOM_GRAPHS; round++)
	{
		uint16_t	ops[RANDOM_NODES];
		Edge		edges[RANDOM_NODES * 40];
		int32_t		n_nodes = 3 + random_below(RANDOM_NODES - 3);
		int32_t		n_edges = random_graph(ops, n_nodes, edges);
		uint64_t	before = fingerprint_of(ops, n_nodes, edges, n_edges);
		int32_t		e = random_below(n_edges);
		int32_t		node = random_below(n_nodes);

		ops[node] = (uint16_t) (ops[node] + 1);
		assert_int_not_equal(fingerprint_of(ops, n_nodes, edges, n_edges),
							 before);
		ops[node] = (uint16_t) (ops[node] - 1);

		edges[e].kind = (RvdEdgeKind) ((edges[e].kind + 1) % 7);
		assert_int_not_equal(fingerprint_of(ops, n_nodes, edges, n_edges),
							 before);
		edges[e].kind = (RvdEdgeKind) ((edges[e].kind + 6) % 7);

		edges[n_edges] = edges[e];
		assert_int_not_equal(fingerprint_of(ops, n_nodes, edges, n_edges + 1),
							 before);
		assert_int_equal(fingerprint_of(ops, n_nodes, edges, n_edges), before);
	}
}

static void
fingerprint_sees_the_order_of_inputs(void **state)
{
	const uint16_t ops[] = {1, 2, 3};
	const Edge	one[] = {{1, 0, RVD_EDGE_MEMBER}, {2, 0, RVD_EDGE_MEMBER}};
	const Edge	other[] = {{2, 0, RVD_EDGE_MEMBER}, {1, 0, RVD_EDGE_MEMBER}};

	assert_int_not_equal(fingerprint_of(ops, 3, one, 2),
						 fingerprint_of(ops, 3, other, 2));
}

/* A CTE read twice is not two equal subplans, although all subtrees agree. */
static void
fingerprint_sees_sharing(void **state)
{
	const uint16_t ops[] = {1, 2, 2, 3, 3};
	const Edge	shared[] = {{1, 0, 0}, {2, 0, 1}, {3, 1, 6}, {3, 2, 6}};
	const Edge	separate[] = {{1, 0, 0}, {2, 0, 1}, {3, 1, 6}, {4, 2, 6}};

	assert_int_not_equal(fingerprint_of(ops, 4, shared, 4),
						 fingerprint_of(ops, 5, separate, 4));
}

/* Three readers of two producers that look alike: whose is the third? */
static void
fingerprint_sees_which_producer_is_read(void **state)
{
	const uint16_t ops[] = {1, 2, 2, 2, 3, 3};
	Edge		edges[] = {{1, 0, 2}, {2, 0, 2}, {3, 0, 2},
	{4, 1, 6}, {5, 2, 6}, {4, 3, 6}};
	uint64_t	first = fingerprint_of(ops, 6, edges, 6);

	edges[5].child = 5;
	assert_int_not_equal(fingerprint_of(ops, 6, edges, 6), first);
}

static uint64_t
fingerprint_of_node(const RvdDagNode *node)
{
	RvdDag		dag;
	uint64_t	fingerprint;

	open_dag(&dag, 1, 0);
	assert_int_equal(rvd_dag_add_node(&dag, node, NULL), RVD_OK);
	assert_int_equal(rvd_dag_finish(&dag), RVD_OK);
	fingerprint = rvd_dag_fingerprint(&dag);
	close_dag(&dag);
	return fingerprint;
}

#define ASSERT_SEEN(field, value) \
	do { \
		RvdDagNode	changed = make_node(1); \
		changed.field = (value); \
		assert_int_not_equal(fingerprint_of_node(&changed), before); \
	} while (0)

#define ASSERT_IGNORED(field, value) \
	do { \
		RvdDagNode	changed = make_node(1); \
		changed.field = (value); \
		assert_int_equal(fingerprint_of_node(&changed), before); \
	} while (0)

static void
fingerprint_sees_identity_but_not_estimates(void **state)
{
	RvdDagNode	plain = make_node(1);
	uint64_t	before = fingerprint_of_node(&plain);

	assert_int_not_equal(before, 0);
	ASSERT_SEEN(op, 2);
	ASSERT_SEEN(flags, RVD_NODE_PARALLEL_AWARE);
	ASSERT_SEEN(flags, RVD_NODE_HASHED);
	ASSERT_SEEN(variant, 1);
	ASSERT_SEEN(relation, 16384);
	ASSERT_SEEN(index, 16384);
	ASSERT_SEEN(scan_ordinal, 1);
	ASSERT_SEEN(label, 1);
	ASSERT_IGNORED(plan_node_id, 17);
	ASSERT_IGNORED(depth, 3);
	ASSERT_IGNORED(width, 8);
	ASSERT_IGNORED(est_rows, 1e6);
	ASSERT_IGNORED(startup_cost, 2.5);
	ASSERT_IGNORED(total_cost, 1e9);
}

static void
cycles_are_refused(void **state)
{
	const uint16_t ops[] = {1, 2, 3, 4};
	const Edge	below_root[] = {{1, 0, 0}, {2, 1, 0}, {3, 2, 0}, {1, 3, 0}};
	const Edge	no_root[] = {{1, 0, 0}, {0, 1, 0}};
	RvdDag		dag;

	build(&dag, ops, 4, below_root, 4);
	assert_int_equal(rvd_dag_finish(&dag), RVD_ERR_CYCLE);
	assert_int_equal(rvd_dag_fingerprint(&dag), 0);
	close_dag(&dag);

	build(&dag, ops, 2, no_root, 2);
	assert_int_equal(rvd_dag_finish(&dag), RVD_ERR_CYCLE);
	close_dag(&dag);
}

static void
several_roots_or_none_are_refused(void **state)
{
	const uint16_t ops[] = {1, 2, 3};
	const Edge	edges[] = {{2, 0, 0}, {2, 1, 0}};
	RvdDag		dag;

	build(&dag, ops, 3, edges, 2);
	assert_int_equal(rvd_dag_finish(&dag), RVD_ERR_ARGUMENT);
	close_dag(&dag);

	open_dag(&dag, 1, 0);
	assert_int_equal(rvd_dag_finish(&dag), RVD_ERR_ARGUMENT);
	close_dag(&dag);
}

static void
overfull_graphs_are_refused(void **state)
{
	RvdDagNode	node = make_node(1);
	int32_t		index = -1;
	RvdDag		dag;

	open_dag(&dag, 2, 1);
	assert_int_equal(rvd_dag_add_node(&dag, &node, &index), RVD_OK);
	assert_int_equal(index, 0);
	assert_int_equal(rvd_dag_add_node(&dag, &node, &index), RVD_OK);
	assert_int_equal(index, 1);
	assert_int_equal(rvd_dag_add_node(&dag, &node, &index), RVD_ERR_FULL);
	assert_int_equal(rvd_dag_add_edge(&dag, 1, 0, RVD_EDGE_OUTER), RVD_OK);
	assert_int_equal(rvd_dag_add_edge(&dag, 1, 0, RVD_EDGE_INNER),
					 RVD_ERR_FULL);
	assert_int_equal(dag.n_nodes, 2);
	assert_int_equal(dag.n_edges, 1);
	close_dag(&dag);
}

static void
arguments_out_of_range_are_refused(void **state)
{
	RvdDagNode	node = make_node(1);
	RvdDagNode	invalid = make_node(0);
	uint64_t	small[4];
	RvdDag		dag;

	assert_int_equal(rvd_dag_size(0, 0), 0);
	assert_int_equal(rvd_dag_size(1, -1), 0);
	assert_int_equal(rvd_dag_size(RVD_DAG_MAX_NODES + 1, 0), 0);
	assert_int_equal(rvd_dag_size(1, RVD_DAG_MAX_EDGES + 1), 0);
	assert_int_equal(rvd_dag_init(&dag, NULL, 1 << 20, 1, 1),
					 RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_dag_init(&dag, small, sizeof(small), 1, 1),
					 RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_dag_init(&dag, (char *) small + 4, 1 << 20, 1, 1),
					 RVD_ERR_ARGUMENT);

	open_dag(&dag, 2, 4);
	assert_int_equal(rvd_dag_add_node(&dag, &invalid, NULL), RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_dag_add_node(&dag, &node, NULL), RVD_OK);
	assert_int_equal(rvd_dag_add_node(&dag, &node, NULL), RVD_OK);
	assert_int_equal(rvd_dag_add_edge(&dag, 0, 0, 0), RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_dag_add_edge(&dag, -1, 0, 0), RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_dag_add_edge(&dag, 0, 2, 0), RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_dag_add_edge(&dag, 1, 0, 7), RVD_ERR_ARGUMENT);
	close_dag(&dag);
}

static void
finished_graphs_do_not_change(void **state)
{
	const uint16_t ops[] = {1};
	RvdDagNode	node = make_node(1);
	RvdDag		dag;

	build(&dag, ops, 1, NULL, 0);
	assert_int_equal(rvd_dag_fingerprint(&dag), 0);
	assert_int_equal(rvd_dag_finish(&dag), RVD_OK);
	assert_int_equal(rvd_dag_finish(&dag), RVD_ERR_STATE);
	assert_int_equal(rvd_dag_add_node(&dag, &node, NULL), RVD_ERR_STATE);
	assert_int_equal(rvd_dag_add_edge(&dag, 0, 0, 0), RVD_ERR_STATE);
	close_dag(&dag);
}

/* As deep as a plan may be: no recursion, depth fits its type. */
static void
longest_chain_is_handled(void **state)
{
	RvdDagNode	node = make_node(1);
	RvdDag		dag;

	open_dag(&dag, RVD_DAG_MAX_NODES, RVD_DAG_MAX_NODES - 1);
	for (int32_t i = 0; i < RVD_DAG_MAX_NODES; i++)
		assert_int_equal(rvd_dag_add_node(&dag, &node, NULL), RVD_OK);
	for (int32_t i = 1; i < RVD_DAG_MAX_NODES; i++)
		assert_int_equal(rvd_dag_add_edge(&dag, i, i - 1, RVD_EDGE_OUTER),
						 RVD_OK);
	assert_int_equal(rvd_dag_finish(&dag), RVD_OK);
	assert_int_equal(dag.nodes[RVD_DAG_MAX_NODES - 1].depth,
					 RVD_DAG_MAX_NODES - 1);
	assert_int_equal(dag.topo[0], RVD_DAG_MAX_NODES - 1);
	close_dag(&dag);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_graphs_agree_with_definitions),
		cmocka_unit_test(visit_follows_the_order_of_inputs),
		cmocka_unit_test(fingerprint_ignores_order_of_insertion),
		cmocka_unit_test(fingerprint_sees_every_change_of_shape),
		cmocka_unit_test(fingerprint_sees_the_order_of_inputs),
		cmocka_unit_test(fingerprint_sees_sharing),
		cmocka_unit_test(fingerprint_sees_which_producer_is_read),
		cmocka_unit_test(fingerprint_sees_identity_but_not_estimates),
		cmocka_unit_test(cycles_are_refused),
		cmocka_unit_test(several_roots_or_none_are_refused),
		cmocka_unit_test(overfull_graphs_are_refused),
		cmocka_unit_test(arguments_out_of_range_are_refused),
		cmocka_unit_test(finished_graphs_do_not_change),
		cmocka_unit_test(longest_chain_is_handled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
