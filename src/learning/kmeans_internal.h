/*-------------------------------------------------------------------------
 *
 * kmeans_internal.h
 *	  What the parts of k-means share.  Layer 1, pure.
 *
 * Everything that decides is compared by rvd_vec_distance(), in double; the
 * fast products in float only rule out what is farther beyond their rounding
 * error.  So the built-in loops, bounds and any matrix product give the same
 * clusters.  Whatever is summed over points is summed in order of their
 * content, so the order in which they came does not show either.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_KMEANS_INTERNAL_H
#define RVD_KMEANS_INTERNAL_H

#include <stdbool.h>

#include "ruvector_dag/kmeans.h"
#include "ruvector_dag/rng.h"

/* Points per product of matrices; points that fit the nearest cache. */
#define RVD_KMEANS_BLOCK	64
#define RVD_KMEANS_TILE		16

typedef struct RvdKmeans
{
	const float *points;		/* [n * dim], the caller's */
	int			n;
	int			dim;
	int			k;				/* centres there are */
	int			capacity;		/* centres wanted, at most n */
	int			candidates;		/* drawn for each centre but the first */
	RvdGemm		gemm;

	float	   *centroid;		/* [capacity * dim], the result's */
	int32_t    *assignment;		/* [n], the result's */
	int32_t    *size;			/* [capacity], the result's */

	/* workspace */
	double	   *square;			/* [n] squared norm */
	double	   *distance;		/* [n] squared, to the own centre */
	double	   *lower;			/* [n] bound of the distance to any other */
	double	   *prefix;			/* [n] of seeding */
	double	   *trial;			/* [candidates * n] of seeding */
	double	   *sum;			/* [capacity * dim] of members */
	double	   *centre_square;	/* [capacity] squared norm */
	double	   *separation;		/* [capacity] half way to the nearest other */
	double	   *moved;			/* [capacity] by the last update */
	float	   *product;		/* [RVD_KMEANS_BLOCK * capacity] */
	float	   *before;			/* [dim] */
	int32_t    *order;			/* [n] points by content */
	int32_t    *spare;			/* [n] */
} RvdKmeans;

/* kmeans_seed.c */
extern void rvd_kmeans_sort(RvdKmeans *km);
extern int	rvd_kmeans_draw(const double *prefix, int n, double u);
extern void rvd_kmeans_seed(RvdKmeans *km, RvdRng *rng);

/* kmeans_assign.c */
extern int	rvd_kmeans_assign(RvdKmeans *km, bool bounded);
extern bool rvd_kmeans_fill_empty(RvdKmeans *km);
extern void rvd_kmeans_update(RvdKmeans *km);

/*
 * Squared distance from squared norms and a product in float, and how far
 * it may be from the true one.  Any order of n additions is off by at most
 * n half units in the last place of |x| |y|.
 */
static inline double
rvd_kmeans_error(double square_x, double square_y, int dim)
{
	return 0x1p-22 * (dim + 8) * (square_x + square_y) + 1e-30;
}

#endif							/* RVD_KMEANS_INTERNAL_H */
