/*-------------------------------------------------------------------------
 *
 * kmeans.h
 *	  K-means++ of unit vectors.  Layer 1, pure.
 *
 * Greedy D^2 seeding (Arthur and Vassilvitskii 2007) and Lloyd's iteration
 * with Hamerly's bounds (2010) or blocked matrix products.  Deterministic
 * for a seed, whatever the order of the points: they are visited in order of
 * their content.  Centroids are means, not renormalised; the norm R of a
 * mean of unit vectors says how tight the cluster is.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_KMEANS_H
#define RVD_KMEANS_H

#include <stddef.h>
#include <stdint.h>

#include "ruvector_dag/status.h"

/*
 * c[m * n] = a[m * k] times b[n * k] transposed, row-major, or NULL for the
 * built-in loops.  The learner passes OpenBLAS here.
 */
typedef void (*RvdGemm) (int m, int n, int k, const float *a, const float *b,
						 float *c);

typedef struct RvdKmeansOptions
{
	int			k;				/* clusters wanted, >= 1 */
	int			max_iterations; /* 100 */
	double		tolerance;		/* relative change of the cost: 1e-6 */
	uint64_t	seed;
	RvdGemm		gemm;
	/* told after each assignment step; may be NULL */
	void		(*progress) (void *arg, int iteration, double cost);
	void	   *progress_arg;
} RvdKmeansOptions;

typedef struct RvdKmeansResult
{
	int			k;				/* <= wanted: no more than distinct points */
	int			iterations;
	double		cost;			/* sum of squared distances */
	float	   *centroid;		/* [wanted k * dim], the caller's */
	int32_t    *assignment;		/* [n] */
	int32_t    *size;			/* [wanted k] */
} RvdKmeansResult;

/* Bytes of work; 0 if an argument is < 1. */
extern size_t rvd_kmeans_workspace(int n, int dim, int k);

/*
 * points[n * dim].  RVD_ERR_ARGUMENT for n < 1, k < 1, a value that is not
 * finite or a vector longer than 1e15.  At least one iteration is made, and
 * the last ends with an update: centroids are the means of the members
 * returned, and cost is the cost of just that.  Empty clusters are moved to
 * the point farthest from its centre; ties go to the lowest index.
 * O(n k dim) per iteration.
 */
extern RvdStatus rvd_kmeans_fit(const float *points, int n, int dim,
								const RvdKmeansOptions *options,
								RvdKmeansResult *result, void *work);

#endif							/* RVD_KMEANS_H */
