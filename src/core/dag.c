/*-------------------------------------------------------------------------
 *
 * dag.c
 *	  The plan graph: building, orders, depths, fingerprint.
 *
 * Nodes and edges are collected first; rvd_dag_finish() then turns the edges
 * into two compressed sparse row arrays by counting sort, which keeps the
 * order of insertion within a node, and derives everything else from them:
 * A. B. Kahn's topological order (CACM 5, 1962) from the leaves up, the
 * longest path from the root, and a depth-first visit.
 *
 * The fingerprint hashes the graph as that visit meets it and names a node
 * by its position in the visit.  So it depends on the shape alone, not on
 * the order in which nodes were added, and it tells one producer read twice
 * from two producers that look alike, which hashing subtrees cannot.
 *
 * Memory: one block of the caller's, laid out by lay_out().  Concurrency: a
 * finished graph is read-only.  Layer 0.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "ruvector_dag/dag.h"
#include "ruvector_dag/hash.h"

/* Never changes: fingerprints are persisted. */
#define FINGERPRINT_SEED	UINT64_C(0x7276645f64616731)

/* Carves consecutive arrays out of the block; base NULL only adds up. */
typedef struct Carver
{
	char	   *base;
	size_t		used;
} Carver;

static void *
carve(Carver *carver, size_t bytes)
{
	void	   *p = carver->base ? carver->base + carver->used : NULL;

	carver->used += (bytes + 7) & ~(size_t) 7;
	return p;
}

/* The one description of the block; returns its size. */
static size_t
lay_out(RvdDag *dag, void *mem, int32_t max_nodes, int32_t max_edges)
{
	Carver		carver = {mem, 0};
	size_t		nodes = (size_t) max_nodes;
	size_t		edges = (size_t) max_edges;

	dag->nodes = carve(&carver, nodes * sizeof(RvdDagNode));
	dag->edge_child = carve(&carver, edges * sizeof(int32_t));
	dag->edge_parent = carve(&carver, edges * sizeof(int32_t));
	dag->child_start = carve(&carver, (nodes + 1) * sizeof(int32_t));
	dag->child = carve(&carver, edges * sizeof(int32_t));
	dag->parent_start = carve(&carver, (nodes + 1) * sizeof(int32_t));
	dag->parent = carve(&carver, edges * sizeof(int32_t));
	dag->topo = carve(&carver, nodes * sizeof(int32_t));
	dag->preorder = carve(&carver, nodes * sizeof(int32_t));
	dag->rank = carve(&carver, nodes * sizeof(int32_t));
	dag->scratch = carve(&carver, 2 * nodes * sizeof(int32_t));
	dag->edge_kind = carve(&carver, edges);
	dag->child_kind = carve(&carver, edges);
	return carver.used;
}

size_t
rvd_dag_size(int32_t max_nodes, int32_t max_edges)
{
	RvdDag		dag;

	if (max_nodes < 1 || max_nodes > RVD_DAG_MAX_NODES ||
		max_edges < 0 || max_edges > RVD_DAG_MAX_EDGES)
		return 0;
	return lay_out(&dag, NULL, max_nodes, max_edges);
}

RvdStatus
rvd_dag_init(RvdDag *dag, void *mem, size_t size,
			 int32_t max_nodes, int32_t max_edges)
{
	size_t		needed = rvd_dag_size(max_nodes, max_edges);

	if (needed == 0 || mem == NULL || (uintptr_t) mem % 8 != 0 ||
		size < needed)
		return RVD_ERR_ARGUMENT;

	memset(dag, 0, sizeof(*dag));
	lay_out(dag, mem, max_nodes, max_edges);
	dag->max_nodes = max_nodes;
	dag->max_edges = max_edges;
	dag->root = -1;
	return RVD_OK;
}

RvdStatus
rvd_dag_add_node(RvdDag *dag, const RvdDagNode *node, int32_t *index)
{
	if (dag->finished)
		return RVD_ERR_STATE;
	if (node->op == 0)
		return RVD_ERR_ARGUMENT;
	if (dag->n_nodes >= dag->max_nodes)
		return RVD_ERR_FULL;

	dag->nodes[dag->n_nodes] = *node;
	if (index != NULL)
		*index = dag->n_nodes;
	dag->n_nodes++;
	return RVD_OK;
}

RvdStatus
rvd_dag_add_edge(RvdDag *dag, int32_t child, int32_t parent, RvdEdgeKind kind)
{
	if (dag->finished)
		return RVD_ERR_STATE;
	if (child < 0 || child >= dag->n_nodes ||
		parent < 0 || parent >= dag->n_nodes || child == parent ||
		(int) kind < RVD_EDGE_OUTER || (int) kind > RVD_EDGE_SHARED)
		return RVD_ERR_ARGUMENT;
	if (dag->n_edges >= dag->max_edges)
		return RVD_ERR_FULL;

	dag->edge_child[dag->n_edges] = child;
	dag->edge_parent[dag->n_edges] = parent;
	dag->edge_kind[dag->n_edges] = (uint8_t) kind;
	dag->n_edges++;
	return RVD_OK;
}

/*
 * Stable counting sort of the edges by key: start[k] .. start[k + 1] of
 * value (and kind, if wanted) belong to key k.  cursor: [n_nodes] scratch.
 */
static void
build_csr(const RvdDag *dag, const int32_t *key, const int32_t *other,
		  int32_t *start, int32_t *value, uint8_t *kind, int32_t *cursor)
{
	memset(start, 0, ((size_t) dag->n_nodes + 1) * sizeof(int32_t));
	for (int32_t e = 0; e < dag->n_edges; e++)
		start[key[e] + 1]++;
	for (int32_t i = 0; i < dag->n_nodes; i++)
	{
		start[i + 1] += start[i];
		cursor[i] = start[i];
	}
	for (int32_t e = 0; e < dag->n_edges; e++)
	{
		int32_t		at = cursor[key[e]]++;

		value[at] = other[e];
		if (kind != NULL)
			kind[at] = dag->edge_kind[e];
	}
}

/* How many nodes have no parent; *root is the last of them. */
static int32_t
count_roots(const RvdDag *dag, int32_t *root)
{
	int32_t		n_roots = 0;

	for (int32_t i = 0; i < dag->n_nodes; i++)
	{
		if (dag->parent_start[i] == dag->parent_start[i + 1])
		{
			*root = i;
			n_roots++;
		}
	}
	return n_roots;
}

/*
 * Kahn's order; topo doubles as its queue, leaves enter it by index.
 * pending: [n_nodes] scratch, inputs not yet placed.
 */
static RvdStatus
sort_topologically(RvdDag *dag, int32_t *pending)
{
	int32_t		placed = 0;

	for (int32_t i = 0; i < dag->n_nodes; i++)
	{
		pending[i] = dag->child_start[i + 1] - dag->child_start[i];
		if (pending[i] == 0)
			dag->topo[placed++] = i;
	}
	for (int32_t next = 0; next < placed; next++)
	{
		int32_t		node = dag->topo[next];

		for (int32_t e = dag->parent_start[node];
			 e < dag->parent_start[node + 1]; e++)
		{
			if (--pending[dag->parent[e]] == 0)
				dag->topo[placed++] = dag->parent[e];
		}
	}
	return placed == dag->n_nodes ? RVD_OK : RVD_ERR_CYCLE;
}

/* Longest paths from the root, parents first. */
static void
set_depths(RvdDag *dag)
{
	for (int32_t i = 0; i < dag->n_nodes; i++)
		dag->nodes[i].depth = 0;
	for (int32_t i = dag->n_nodes - 1; i >= 0; i--)
	{
		int32_t		node = dag->topo[i];
		uint16_t	below = (uint16_t) (dag->nodes[node].depth + 1);

		for (int32_t e = dag->child_start[node];
			 e < dag->child_start[node + 1]; e++)
		{
			if (dag->nodes[dag->child[e]].depth < below)
				dag->nodes[dag->child[e]].depth = below;
		}
	}
}

/*
 * Depth-first visit from the root in the order of inputs; a node counts when
 * it is first met.  No recursion: a plan may be 4096 nodes deep.  cursor:
 * [n_nodes] scratch, the next input to look at; path: [n_nodes] scratch, the
 * way down from the root.
 */
static void
visit_depth_first(RvdDag *dag, int32_t *cursor, int32_t *path)
{
	int32_t		visited = 0;
	int32_t		length = 0;

	for (int32_t i = 0; i < dag->n_nodes; i++)
	{
		cursor[i] = dag->child_start[i];
		dag->rank[i] = -1;
	}
	path[length++] = dag->root;
	dag->rank[dag->root] = visited;
	dag->preorder[visited++] = dag->root;
	while (length > 0)
	{
		int32_t		node = path[length - 1];
		int32_t		child;

		if (cursor[node] == dag->child_start[node + 1])
		{
			length--;
			continue;
		}
		child = dag->child[cursor[node]++];
		if (dag->rank[child] < 0)
		{
			dag->rank[child] = visited;
			dag->preorder[visited++] = child;
			path[length++] = child;
		}
	}
}

RvdStatus
rvd_dag_finish(RvdDag *dag)
{
	RvdStatus	status;

	if (dag->finished)
		return RVD_ERR_STATE;
	if (dag->n_nodes == 0)
		return RVD_ERR_ARGUMENT;

	build_csr(dag, dag->edge_parent, dag->edge_child,
			  dag->child_start, dag->child, dag->child_kind, dag->scratch);
	build_csr(dag, dag->edge_child, dag->edge_parent,
			  dag->parent_start, dag->parent, NULL, dag->scratch);

	/* a cycle first: it may be the reason why there is no root */
	status = sort_topologically(dag, dag->scratch);
	if (status != RVD_OK)
		return status;
	if (count_roots(dag, &dag->root) != 1)
		return RVD_ERR_ARGUMENT;

	set_depths(dag);
	visit_depth_first(dag, dag->scratch, dag->scratch + dag->max_nodes);
	dag->finished = 1;
	return RVD_OK;
}

static uint64_t
hash_node(uint64_t hash, const RvdDagNode *node)
{
	hash = rvd_hash_combine(hash, (uint64_t) node->op |
							(uint64_t) node->variant << 16 |
							(uint64_t) node->flags << 32);
	hash = rvd_hash_combine(hash, (uint64_t) node->relation |
							(uint64_t) node->index << 32);
	hash = rvd_hash_combine(hash, (uint64_t) (uint32_t) node->scan_ordinal);
	return rvd_hash_combine(hash, node->label);
}

uint64_t
rvd_dag_fingerprint(const RvdDag *dag)
{
	uint64_t	hash = FINGERPRINT_SEED;

	if (!dag->finished)
		return 0;
	hash = rvd_hash_combine(hash, (uint64_t) (uint32_t) dag->n_nodes |
							(uint64_t) (uint32_t) dag->n_edges << 32);
	for (int32_t i = 0; i < dag->n_nodes; i++)
	{
		int32_t		node = dag->preorder[i];
		int32_t		first = dag->child_start[node];
		int32_t		end = dag->child_start[node + 1];

		hash = hash_node(hash, &dag->nodes[node]);
		hash = rvd_hash_combine(hash, (uint64_t) (end - first));
		for (int32_t e = first; e < end; e++)
			hash = rvd_hash_combine(hash, (uint64_t) dag->child_kind[e] |
									(uint64_t) dag->rank[dag->child[e]] << 8);
	}
	/* 0 means "none" wherever fingerprints are kept */
	return hash != 0 ? hash : 1;
}
