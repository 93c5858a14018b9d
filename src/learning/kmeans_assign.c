/*-------------------------------------------------------------------------
 *
 * kmeans_assign.c
 *	  One iteration of k-means.  See kmeans_internal.h.
 *
 * A point keeps its centre without a look at the others if it is nearer to
 * it than half the way to the nearest other centre, or nearer than a lower
 * bound of its distance to all others, which is kept from the last look and
 * shrinks by what the centres move (Hamerly 2010).  The distance to the own
 * centre is computed anyway, for the cost.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "kmeans_internal.h"

#include <math.h>
#include <string.h>

#include "ruvector_dag/vec.h"

/* Keeps bounds on the safe side of the rounding of distances in double. */
#define SLACK	1e-9

/* Centres per round of look(). */
#define FEW		8

static const float *
point(const RvdKmeans *km, int i)
{
	return km->points + (size_t) i * (size_t) km->dim;
}

static float *
centre(const RvdKmeans *km, int c)
{
	return km->centroid + (size_t) c * (size_t) km->dim;
}

/*
 * The nearest centre of point i, given its products with all of them.
 * Only those within the error of the products are measured.
 */
static int
nearest(RvdKmeans *km, int i, const float *product)
{
	double		square = km->square[i];
	double		least = INFINITY;
	double		other = INFINITY;
	double		best_distance = INFINITY;
	int			best = -1;

	for (int c = 0; c < km->k; c++)
	{
		double		d = square + km->centre_square[c] - 2.0 * product[c] +
			rvd_kmeans_error(square, km->centre_square[c], km->dim);

		if (d < least)
			least = d;
	}
	for (int c = 0; c < km->k; c++)
	{
		double		d = square + km->centre_square[c] - 2.0 * product[c] -
			rvd_kmeans_error(square, km->centre_square[c], km->dim);

		if (d <= least)
		{
			d = rvd_vec_distance(point(km, i), centre(km, c), km->dim);
			if (d < best_distance)
			{
				if (best_distance < other)
					other = best_distance;
				best_distance = d;
				best = c;
				continue;
			}
		}
		if (d < other)
			other = d;
	}
	km->distance[i] = best_distance;
	km->lower[i] = other > 0 ? sqrt(other) * (1 - SLACK) : 0;
	return best;
}

/* separation = half the distance to the nearest other centre, or less */
static void
separate(RvdKmeans *km)
{
	for (int c = 0; c < km->k; c++)
	{
		double		least = INFINITY;

		rvd_vec_dots(centre(km, c), km->centroid, (size_t) km->dim, km->k,
					 km->dim, km->product);
		for (int o = 0; o < km->k; o++)
		{
			double		d = km->centre_square[c] + km->centre_square[o] -
				2.0 * km->product[o] -
				rvd_kmeans_error(km->centre_square[c], km->centre_square[o],
								 km->dim);

			if (o != c && d < least)
				least = d;
		}
		km->separation[c] = least > 0 ? 0.5 * sqrt(least) : 0;
	}
}

static int
give(RvdKmeans *km, int i, int c)
{
	int			changed = km->assignment[i] != c;

	km->assignment[i] = c;
	return changed;
}

/* Is the own centre still the nearest, by the bounds? */
static bool
settled(RvdKmeans *km, int i)
{
	int			c = km->assignment[i];
	double		upper;

	km->distance[i] = rvd_vec_distance(point(km, i), centre(km, c), km->dim);
	upper = sqrt(km->distance[i]) * (1 + SLACK);
	return upper < km->lower[i] || upper < km->separation[c];
}

/*
 * Look at all centres for a few points at once, a few centres at a time, so
 * that both stay in the first-level cache.
 */
static int
look(RvdKmeans *km, const int *pending, int n)
{
	int			changed = 0;

	for (int c = 0; c < km->k; c += FEW)
	{
		int			few = km->k - c < FEW ? km->k - c : FEW;

		for (int i = 0; i < n; i++)
			rvd_vec_dots(point(km, pending[i]), centre(km, c),
						 (size_t) km->dim, few, km->dim,
						 km->product + (size_t) i * (size_t) km->k + c);
	}
	for (int i = 0; i < n; i++)
		changed += give(km, pending[i],
						nearest(km, pending[i],
								km->product + (size_t) i * (size_t) km->k));
	return changed;
}

static int
assign_by_bounds(RvdKmeans *km, bool bounded)
{
	int			pending[RVD_KMEANS_TILE];
	int			n = 0;
	int			changed = 0;

	if (bounded)
		separate(km);
	for (int i = 0; i < km->n; i++)
	{
		if (!bounded || !settled(km, i))
			pending[n++] = i;
		if (n == RVD_KMEANS_TILE || i == km->n - 1)
		{
			changed += look(km, pending, n);
			n = 0;
		}
	}
	return changed;
}

static int
assign_by_product(RvdKmeans *km)
{
	int			changed = 0;

	for (int first = 0; first < km->n; first += RVD_KMEANS_BLOCK)
	{
		int			left = km->n - first;

		if (left > RVD_KMEANS_BLOCK)
			left = RVD_KMEANS_BLOCK;
		km->gemm(left, km->k, km->dim, point(km, first), km->centroid,
				 km->product);
		for (int i = 0; i < left; i++)
			changed += give(km, first + i,
							nearest(km, first + i,
									km->product + (size_t) i * (size_t) km->k));
	}
	return changed;
}

/*
 * Give every point to its nearest centre; returns how many changed.
 * bounded: assignment, lower and moved are those of the iteration before.
 */
int
rvd_kmeans_assign(RvdKmeans *km, bool bounded)
{
	int			changed;

	for (int c = 0; c < km->k; c++)
		km->centre_square[c] = rvd_vec_dot_exact(centre(km, c), centre(km, c),
												 km->dim);
	changed = km->gemm ? assign_by_product(km) : assign_by_bounds(km, bounded);
	memset(km->size, 0, sizeof(int32_t) * (size_t) km->k);
	for (int i = 0; i < km->n; i++)
		km->size[km->assignment[i]]++;
	return changed;
}

/*
 * Move each centre without members to the point farthest from its own, the
 * first by content.  There is one at a distance and in company, since there
 * are no more centres than distinct points.  Bounds know nothing of such a
 * move, so they are dropped.  True if there was one.
 */
bool
rvd_kmeans_fill_empty(RvdKmeans *km)
{
	bool		any = false;

	for (int c = 0; c < km->k; c++)
	{
		int			far = -1;

		if (km->size[c] > 0)
			continue;
		for (int s = 0; s < km->n; s++)
		{
			int			i = km->order[s];

			if (km->size[km->assignment[i]] > 1 &&
				(far < 0 || km->distance[i] > km->distance[far]))
				far = i;
		}
		memcpy(centre(km, c), point(km, far), sizeof(float) * (size_t) km->dim);
		km->size[km->assignment[far]]--;
		km->size[c] = 1;
		km->assignment[far] = c;
		km->distance[far] = 0;
		any = true;
	}
	for (int i = 0; any && i < km->n; i++)
		km->lower[i] = 0;
	return any;
}

/* Every lower bound shrinks by the farthest that another centre moved. */
static void
loosen(RvdKmeans *km)
{
	int			most = 0;
	double		second = 0;

	for (int c = 1; c < km->k; c++)
		if (km->moved[c] > km->moved[most])
			most = c;
	for (int c = 0; c < km->k; c++)
		if (c != most && km->moved[c] > second)
			second = km->moved[c];
	for (int i = 0; i < km->n; i++)
		km->lower[i] -= km->assignment[i] == most ? second : km->moved[most];
}

/* Centres = means of their members. */
void
rvd_kmeans_update(RvdKmeans *km)
{
	memset(km->sum, 0, sizeof(double) * (size_t) km->k * (size_t) km->dim);
	for (int s = 0; s < km->n; s++)
	{
		int			i = km->order[s];

		rvd_vec_accumulate(point(km, i), km->sum + (size_t) km->assignment[i] *
						   (size_t) km->dim, km->dim);
	}
	for (int c = 0; c < km->k; c++)
	{
		const double *sum = km->sum + (size_t) c * (size_t) km->dim;
		float	   *mean = centre(km, c);

		memcpy(km->before, mean, sizeof(float) * (size_t) km->dim);
		for (int j = 0; j < km->dim; j++)
			mean[j] = (float) (sum[j] / km->size[c]);
		km->moved[c] = sqrt(rvd_vec_distance(km->before, mean, km->dim)) *
			(1 + SLACK);
	}
	loosen(km);
}
