/*-------------------------------------------------------------------------
 *
 * kmeans.c
 *	  K-means++: checks, memory and the loop.  See kmeans.h.
 *
 * Seeding is in kmeans_seed.c, an iteration in kmeans_assign.c.  The
 * iteration ends with an update of the means, so that the centroids returned
 * are the means of the members returned, whatever ended it.  All memory is
 * the caller's.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "kmeans_internal.h"

#include <math.h>

#include "ruvector_dag/vec.h"

static void *
carve(char *base, size_t *used, size_t count, size_t width)
{
	size_t		at = *used;

	*used += (count * width + 63) / 64 * 64;
	return base ? base + at : NULL;
}

/* Lay the workspace out at base, which may be NULL; returns its size. */
static size_t
lay_out(RvdKmeans *km, char *base)
{
	size_t		n = (size_t) km->n;
	size_t		dim = (size_t) km->dim;
	size_t		k = (size_t) km->capacity;
	size_t		used = 0;

	km->square = carve(base, &used, n, sizeof(double));
	km->distance = carve(base, &used, n, sizeof(double));
	km->lower = carve(base, &used, n, sizeof(double));
	km->prefix = carve(base, &used, n, sizeof(double));
	km->trial = carve(base, &used, n * (size_t) km->candidates, sizeof(double));
	km->sum = carve(base, &used, k * dim, sizeof(double));
	km->centre_square = carve(base, &used, k, sizeof(double));
	km->separation = carve(base, &used, k, sizeof(double));
	km->moved = carve(base, &used, k, sizeof(double));
	km->product = carve(base, &used, RVD_KMEANS_BLOCK * k, sizeof(float));
	km->before = carve(base, &used, dim, sizeof(float));
	km->order = carve(base, &used, n, sizeof(int32_t));
	km->spare = carve(base, &used, n, sizeof(int32_t));
	return used;
}

static void
set_sizes(RvdKmeans *km, int n, int dim, int k)
{
	km->n = n;
	km->dim = dim;
	km->k = 0;
	km->capacity = k < n ? k : n;
	km->candidates = 2 + (int) log((double) km->capacity);
}

size_t
rvd_kmeans_workspace(int n, int dim, int k)
{
	RvdKmeans	km;

	if (n < 1 || dim < 1 || k < 1)
		return 0;
	set_sizes(&km, n, dim, k);
	return lay_out(&km, NULL);
}

/* Beyond this products of vectors leave the range of floats. */
#define MAX_SQUARE	1e30

/* Squared norms; false if one is not a number or too large. */
static bool
square_points(RvdKmeans *km)
{
	for (int i = 0; i < km->n; i++)
	{
		const float *x = km->points + (size_t) i * (size_t) km->dim;

		km->square[i] = rvd_vec_dot_exact(x, x, km->dim);
		if (!(km->square[i] <= MAX_SQUARE))
			return false;
	}
	return true;
}

/* In order of content, as every sum. */
static double
total_distance(const RvdKmeans *km)
{
	double		cost = 0;

	for (int s = 0; s < km->n; s++)
		cost += km->distance[km->order[s]];
	return cost;
}

/* Returns the number of iterations. */
static int
iterate(RvdKmeans *km, const RvdKmeansOptions *options)
{
	double		last = INFINITY;
	for (int iteration = 0;; iteration++)
	{
		int			changed = rvd_kmeans_assign(km, iteration > 0);
		bool		filled = rvd_kmeans_fill_empty(km);
		double		cost = total_distance(km);

		if (options->progress)
			options->progress(options->progress_arg, iteration, cost);
		rvd_kmeans_update(km);
		if ((changed == 0 && !filled) ||
			last - cost < options->tolerance * last ||
			iteration + 1 >= options->max_iterations)
			return iteration + 1;
		last = cost;
	}
}

RvdStatus
rvd_kmeans_fit(const float *points, int n, int dim,
			   const RvdKmeansOptions *options, RvdKmeansResult *result,
			   void *work)
{
	RvdKmeans	km;
	RvdRng		rng;

	if (n < 1 || dim < 1 || options->k < 1)
		return RVD_ERR_ARGUMENT;

	set_sizes(&km, n, dim, options->k);
	lay_out(&km, work);
	km.points = points;
	km.gemm = options->gemm;
	km.centroid = result->centroid;
	km.assignment = result->assignment;
	km.size = result->size;
	if (!square_points(&km))
		return RVD_ERR_ARGUMENT;
	for (int i = 0; i < n; i++)
		km.assignment[i] = -1;

	rvd_rng_init(&rng, RVD_RNG_KMEANS, options->seed);
	rvd_kmeans_sort(&km);
	rvd_kmeans_seed(&km, &rng);
	result->iterations = iterate(&km, options);

	for (int i = 0; i < n; i++)
		km.distance[i] =
			rvd_vec_distance(points + (size_t) i * (size_t) dim,
							 km.centroid + (size_t) km.assignment[i] *
							 (size_t) dim, dim);
	result->cost = total_distance(&km);
	result->k = km.k;
	return RVD_OK;
}
