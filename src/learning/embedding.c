/*-------------------------------------------------------------------------
 *
 * embedding.c
 *	  Plan -> unit vector.
 *
 * What is categorical is hashed into signs on four slots of a block: two
 * values collide fully once in 10 million pairs, and in expectation unequal
 * values are orthogonal.  What is numeric has slots of its own, so that no
 * relation can look like a number of rows.
 *
 * Memory: 6 KB of stack.  Concurrency: none.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/embedding.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "ruvector_dag/features.h"
#include "ruvector_dag/hash.h"

#define NUMERIC_SCALE	0.25f

#define OPERATOR_SLOT	16
#define OPERATOR_SLOTS	48
#define RELATION_BLOCK	64
#define VARIANT_BLOCK	128
#define EDGE_BLOCK		192
#define BLOCK_SLOTS		64
#define SLOTS_PER_VALUE 4

/* Kind of the edge above the root: there is none. */
#define NO_EDGE			255

/* Part of the meaning of stored embeddings: never change. */
#define RELATION_SEED	UINT64_C(0x72656c6174696f6e)
#define VARIANT_SEED	UINT64_C(0x76617269616e7431)
#define EDGE_SEED		UINT64_C(0x6564676570617265)

/* How much of a node's vector comes from its context. */
#define CONTEXT_SHARE	0.5

/* Nodes whose coefficients are summed up at a time. */
#define POOL_CHUNK		512

/* Add a value: +-0.5 on four different slots of the block. */
static void
add_hashed(float *block, uint64_t hash)
{
	uint64_t	taken = 0;

	hash = rvd_hash_mix(hash);
	for (int i = 0; i < SLOTS_PER_VALUE; i++)
	{
		unsigned	slot = (unsigned) (hash & (BLOCK_SLOTS - 1));

		while (taken >> slot & 1)
			slot = (slot + 1) & (BLOCK_SLOTS - 1);
		taken |= UINT64_C(1) << slot;
		block[slot] += hash & BLOCK_SLOTS ? 0.5f : -0.5f;
		hash >>= 7;
	}
}

/* Scale a block to norm 1; a sum that cancelled out stays zero. */
static void
normalize_block(float *block)
{
	double		norm = 0;

	for (int i = 0; i < BLOCK_SLOTS; i++)
		norm += (double) block[i] * block[i];
	if (norm == 0)
		return;
	norm = 1 / sqrt(norm);
	for (int i = 0; i < BLOCK_SLOTS; i++)
		block[i] = (float) (block[i] * norm);
}

static void
add_edge(float *vector, uint16_t op, uint16_t parent_op, unsigned kind)
{
	add_hashed(vector + EDGE_BLOCK,
			   rvd_hash_combine(EDGE_SEED, (uint64_t) op |
								(uint64_t) parent_op << 16 |
								(uint64_t) kind << 32));
}

static void
fill_own_slots(const RvdDagNode *node, const float *phi, float *vector)
{
	uint64_t	variant;

	for (int i = 0; i < RVD_NODE_FEATURES; i++)
		vector[i] = phi[i] * NUMERIC_SCALE;
	if (node->op < OPERATOR_SLOTS)
		vector[OPERATOR_SLOT + node->op] = 1;
	if (node->relation != 0)
		add_hashed(vector + RELATION_BLOCK,
				   rvd_hash_combine(RELATION_SEED, node->relation));
	variant = rvd_hash_combine(VARIANT_SEED, (uint64_t) node->op |
							   (uint64_t) node->variant << 16);
	add_hashed(vector + VARIANT_BLOCK, rvd_hash_combine(variant, node->label));
}

RvdStatus
rvd_embedding_nodes(const RvdDag *dag, const float *phi, float *vectors)
{
	if (!dag->finished)
		return RVD_ERR_STATE;
	for (int32_t i = 0; i < dag->n_nodes * RVD_NODE_FEATURES; i++)
		if (!isfinite(phi[i]))
			return RVD_ERR_ARGUMENT;

	memset(vectors, 0,
		   sizeof(float) * RVD_EMBEDDING_DIM * (size_t) dag->n_nodes);
	for (int32_t v = 0; v < dag->n_nodes; v++)
		fill_own_slots(&dag->nodes[v], &phi[v * RVD_NODE_FEATURES],
					   &vectors[v * RVD_EMBEDDING_DIM]);

	/* halves add up exactly, whatever the order of a node's parents */
	add_edge(&vectors[dag->root * RVD_EMBEDDING_DIM],
			 dag->nodes[dag->root].op, 0, NO_EDGE);
	for (int32_t v = 0; v < dag->n_nodes; v++)
		for (int32_t e = dag->child_start[v]; e < dag->child_start[v + 1]; e++)
			add_edge(&vectors[dag->child[e] * RVD_EMBEDDING_DIM],
					 dag->nodes[dag->child[e]].op, dag->nodes[v].op,
					 dag->child_kind[e]);
	/* a single value has norm 1 as it is */
	for (int32_t v = 0; v < dag->n_nodes; v++)
		if (dag->parent_start[v + 1] - dag->parent_start[v] > 1)
			normalize_block(&vectors[v * RVD_EMBEDDING_DIM + EDGE_BLOCK]);
	return RVD_OK;
}

/* ---- pooling ----------------------------------------------------------- */

/*
 * How much each of the nodes first .. first + count - 1 counts in the sum:
 * directly, and as context of others.  False: a weight is not a weight, or a
 * column is none.
 */
static bool
collect_coefficients(int n, const double *p, const int32_t *row_start,
					 const int32_t *column, const double *weight,
					 int first, int count, double *coefficient)
{
	double		own = row_start ? 1 - CONTEXT_SHARE : 1;

	for (int i = 0; i < count; i++)
	{
		coefficient[i] = own * p[first + i];
		if (!(p[first + i] >= 0) || !isfinite(p[first + i]))
			return false;
	}
	for (int v = 0; row_start != NULL && v < n; v++)
	{
		double		share = CONTEXT_SHARE * p[v];

		for (int32_t k = row_start[v]; k < row_start[v + 1]; k++)
		{
			if (column[k] < 0 || column[k] >= n || !(weight[k] >= 0) ||
				!isfinite(weight[k]))
				return false;
			if (column[k] >= first && column[k] < first + count)
				coefficient[column[k] - first] += share * weight[k];
		}
	}
	return true;
}

RvdStatus
rvd_embedding_pool(int n, const float *vectors, const double *p,
				   const int32_t *row_start, const int32_t *column,
				   const double *weight, float *e)
{
	double		sum[RVD_EMBEDDING_DIM] = {0};
	double		coefficient[POOL_CHUNK];
	double		norm = 0;

	if (n < 1)
		return RVD_ERR_ARGUMENT;
	for (int first = 0; first < n; first += POOL_CHUNK)
	{
		int			count = n - first < POOL_CHUNK ? n - first : POOL_CHUNK;

		if (!collect_coefficients(n, p, row_start, column, weight,
								  first, count, coefficient))
			return RVD_ERR_ARGUMENT;
		for (int i = 0; i < count; i++)
		{
			const float *h = vectors +
				(size_t) (first + i) * RVD_EMBEDDING_DIM;

			for (int k = 0; k < RVD_EMBEDDING_DIM; k++)
				sum[k] += coefficient[i] * h[k];
		}
	}

	for (int k = 0; k < RVD_EMBEDDING_DIM; k++)
		norm += sum[k] * sum[k];
	if (!isfinite(norm))
		return RVD_ERR_ARGUMENT;
	if (norm == 0)
		return RVD_ERR_STATE;
	norm = 1 / sqrt(norm);
	for (int k = 0; k < RVD_EMBEDDING_DIM; k++)
		e[k] = (float) (sum[k] * norm);
	return RVD_OK;
}
