/*-------------------------------------------------------------------------
 *
 * kmeans_seed.c
 *	  Where k-means starts.  See kmeans_internal.h.
 *
 * Each centre after the first is a point drawn with a chance proportional to
 * its squared distance from the nearest centre so far: of 2 + ln k such
 * draws the one that leaves the least cost (Arthur and Vassilvitskii 2007,
 * section 5).  A point that is a centre already has no chance, so the
 * centres are distinct and there are fewer than wanted only if there are no
 * more distinct points.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "kmeans_internal.h"

#include <string.h>

#include "ruvector_dag/vec.h"

static const float *
point(const RvdKmeans *km, int i)
{
	return km->points + (size_t) i * (size_t) km->dim;
}

/* Any total order of contents will do; this one is of their bytes. */
static int
compare(const RvdKmeans *km, int a, int b)
{
	return memcmp(point(km, a), point(km, b),
				  sizeof(float) * (size_t) km->dim);
}

static void
merge(const RvdKmeans *km, const int32_t *from, int32_t *to,
	  int left, int middle, int right)
{
	int			a = left;
	int			b = middle;

	for (int i = left; i < right; i++)
	{
		if (b >= right || (a < middle && compare(km, from[a], from[b]) <= 0))
			to[i] = from[a++];
		else
			to[i] = from[b++];
	}
}

/* order = points by content; a merge sort, for qsort() takes no context. */
void
rvd_kmeans_sort(RvdKmeans *km)
{
	int32_t    *from = km->order;
	int32_t    *to = km->spare;

	for (int i = 0; i < km->n; i++)
		from[i] = i;
	for (int64_t width = 1; width < km->n; width *= 2)
	{
		int32_t    *swap = from;

		for (int64_t left = 0; left < km->n; left += 2 * width)
		{
			int64_t		middle = left + width < km->n ? left + width : km->n;
			int64_t		right = middle + width < km->n ? middle + width : km->n;

			merge(km, from, to, (int) left, (int) middle, (int) right);
		}
		from = to;
		to = swap;
	}
	km->order = from;
	km->spare = to;
}

/*
 * The first i with prefix[i] > u * prefix[n - 1], u in [0, 1): one whose
 * weight is not zero.  Rounding up to the total takes the last such.
 */
int
rvd_kmeans_draw(const double *prefix, int n, double u)
{
	double		target = u * prefix[n - 1];
	int			low = 0;
	int			high = n - 1;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (prefix[middle] > target && prefix[middle] > 0)
			high = middle;
		else
			low = middle + 1;
	}
	while (low > 0 && !(prefix[low] > prefix[low - 1]))
		low--;
	return low;
}

/*
 * Squared distances to one point.  Where the difference of norms and product
 * is lost in rounding, as for equal points, it is computed exactly.
 */
static void
distances_to(const RvdKmeans *km, int centre, int first, int n, double *out)
{
	const float *c = point(km, centre);
	double		square = km->square[centre];

	rvd_vec_dots(c, point(km, first), (size_t) km->dim, n, km->dim,
				 km->product);
	for (int i = 0; i < n; i++)
	{
		double		d = km->square[first + i] + square - 2.0 * km->product[i];

		if (d < 16 * rvd_kmeans_error(km->square[first + i], square, km->dim))
			d = rvd_vec_distance(point(km, first + i), c, km->dim);
		out[i] = d;
	}
}

/* Tile by tile, so that points are read once for all trials. */
static void
try_candidates(RvdKmeans *km, const int *candidate, int n_candidates)
{
	for (int first = 0; first < km->n; first += RVD_KMEANS_TILE)
	{
		int			left = km->n - first;

		if (left > RVD_KMEANS_TILE)
			left = RVD_KMEANS_TILE;
		for (int c = 0; c < n_candidates; c++)
			distances_to(km, candidate[c], first, left,
						 km->trial + (size_t) c * (size_t) km->n + first);
	}
}

/* What the cost would be with this trial's centre. */
static double
cost_with(const RvdKmeans *km, const double *trial)
{
	double		cost = 0;

	for (int s = 0; s < km->n; s++)
	{
		int			i = km->order[s];

		cost += trial[i] < km->distance[i] ? trial[i] : km->distance[i];
	}
	return cost;
}

static void
take_centre(RvdKmeans *km, int i, const double *trial)
{
	memcpy(km->centroid + (size_t) km->k * (size_t) km->dim, point(km, i),
		   sizeof(float) * (size_t) km->dim);
	km->k++;
	for (int j = 0; j < km->n; j++)
		if (trial[j] < km->distance[j])
			km->distance[j] = trial[j];
}

/* prefix = running cost in order of content; returns the total. */
static double
sum_up(RvdKmeans *km)
{
	double		total = 0;

	for (int s = 0; s < km->n; s++)
		km->prefix[s] = total += km->distance[km->order[s]];
	return total;
}

void
rvd_kmeans_seed(RvdKmeans *km, RvdRng *rng)
{
	int			candidate[64];

	candidate[0] = km->order[rvd_rng_below(rng, (uint64_t) km->n)];
	for (int i = 0; i < km->n; i++)
		km->distance[i] = 1e300;
	try_candidates(km, candidate, 1);
	take_centre(km, candidate[0], km->trial);

	while (km->k < km->capacity && sum_up(km) > 0)
	{
		int			best = 0;
		double		best_cost = 0;

		for (int c = 0; c < km->candidates; c++)
			candidate[c] = km->order[rvd_kmeans_draw(km->prefix, km->n,
													 rvd_rng_uniform(rng))];
		try_candidates(km, candidate, km->candidates);
		for (int c = 0; c < km->candidates; c++)
		{
			double		cost = cost_with(km, km->trial +
										 (size_t) c * (size_t) km->n);

			if (c == 0 || cost < best_cost)
			{
				best = c;
				best_cost = cost;
			}
		}
		take_centre(km, candidate[best],
					km->trial + (size_t) best * (size_t) km->n);
	}
}
