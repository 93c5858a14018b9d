/*-------------------------------------------------------------------------
 *
 * embedding.h
 *	  A plan as a unit vector of 256 floats.  Layer 1, pure.
 *
 * Slots of a node's vector; numeric and hashed slots never share one:
 *	   0 ..  15	the node's features, RvdNodeFeature in order, times 0.25
 *	  16 ..  63	operator, one slot each (op < 48)
 *	  64 .. 127	relation: 4 of 64 slots with signs, by hash; zero if none
 *	 128 .. 191	operator, variant and label: the same
 *	 192 .. 255	operator, operator of the parent, edge kind: the same
 * Each hashed block has norm 1 (signed feature hashing, Weinberger et al.,
 * ICML 2009).  The four blocks of 64 are also the heads of the attention
 * kernels.
 *
 * The plan's vector is the attention-weighted sum of its nodes' vectors,
 * mixed with their context, scaled to norm 1.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_EMBEDDING_H
#define RVD_EMBEDDING_H

#include "ruvector_dag/dag.h"

#define RVD_EMBEDDING_DIM	256
#define RVD_HEADS			4
#define RVD_HEAD_DIM		64

/* vectors[n * 256] from phi[n * RVD_NODE_FEATURES].  O(n). */
extern RvdStatus rvd_embedding_nodes(const RvdDag *dag, const float *phi,
									 float *vectors);

/*
 * e[256] = sum p_v ((1 - g) h_v + g sum_u A[v,u] h_u), g = 0.5, normalised.
 * row_start NULL: without context.  RVD_ERR_STATE if the sum is zero.
 * O((n + |A|) * 256).
 */
extern RvdStatus rvd_embedding_pool(int n, const float *vectors,
									const double *p,
									const int32_t *row_start,
									const int32_t *column,
									const double *weight,
									float *e);

#endif							/* RVD_EMBEDDING_H */
