/*-------------------------------------------------------------------------
 *
 * clusters_join.c
 *	  Clusters that are one after all.  See pattern_extract.h.
 *
 * Kept by cluster: the sum of its members and that sum scaled to norm 1.
 * Sums add up, so a joined cluster is exactly what it would have been.
 *
 * Memory: the caller's workspace.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/pattern_extract.h"

#include <string.h>

#include "ruvector_dag/vec.h"

#define DIM		RVD_EMBEDDING_DIM

typedef struct Joining
{
	int			k;
	float	   *sum;			/* [k * DIM] */
	float	   *direction;		/* [k * DIM]; zero: it has none */
	int32_t    *into;			/* [k], itself: not taken in */
} Joining;

size_t
rvd_clusters_workspace(int k)
{
	return (size_t) k * (2 * DIM * sizeof(float) + sizeof(int32_t));
}

static void
set_direction(Joining *j, int cluster)
{
	float	   *direction = j->direction + (size_t) cluster * DIM;

	memcpy(direction, j->sum + (size_t) cluster * DIM, DIM * sizeof(float));
	if (!rvd_vec_normalize(direction, DIM))
		memset(direction, 0, DIM * sizeof(float));
}

static void
begin(Joining *j, const float *points, int n, const int32_t *assignment)
{
	memset(j->sum, 0, (size_t) j->k * DIM * sizeof(float));
	for (int i = 0; i < n; i++)
		rvd_vec_axpy(1, points + (size_t) i * DIM,
					 j->sum + (size_t) assignment[i] * DIM, DIM);
	for (int c = 0; c < j->k; c++)
	{
		j->into[c] = c;
		set_direction(j, c);
	}
}

/* The cluster most like this one beyond threshold, -1: none. */
static int
most_alike(const Joining *j, int cluster, double threshold)
{
	double		best = threshold;
	int			found = -1;

	for (int c = 0; c < j->k; c++)
	{
		double		cosine;

		if (c == cluster || j->into[c] != c)
			continue;
		cosine = rvd_vec_dot(j->direction + (size_t) cluster * DIM,
							 j->direction + (size_t) c * DIM, DIM);
		if (cosine > best)
		{
			best = cosine;
			found = c;
		}
	}
	return found;
}

/*
 * A direction that has moved is compared with all others again, those before
 * it as well: afterwards no two are alike.
 */
static void
join(Joining *j, double threshold)
{
	int			c = 0;

	while (c < j->k)
	{
		int			other = j->into[c] == c ? most_alike(j, c, threshold) : -1;

		if (other < 0)
		{
			c++;
			continue;
		}
		if (other < c)
		{
			int			swap = c;

			c = other;
			other = swap;
		}
		rvd_vec_axpy(1, j->sum + (size_t) other * DIM,
					 j->sum + (size_t) c * DIM, DIM);
		j->into[other] = c;
		set_direction(j, c);
	}
}

/* Number the clusters that are left; those taken in have higher numbers. */
static int
renumber(Joining *j, int n, int32_t *assignment)
{
	int			left = 0;

	for (int c = 0; c < j->k; c++)
		j->into[c] = j->into[c] == c ? left++ : j->into[j->into[c]];
	for (int i = 0; i < n; i++)
		assignment[i] = j->into[assignment[i]];
	return left;
}

int
rvd_clusters_join(const float *points, int n, int32_t *assignment, int k,
				  double threshold, void *work)
{
	Joining		j = {.k = k, .sum = work};

	j.direction = j.sum + (size_t) k * DIM;
	j.into = (int32_t *) (j.direction + (size_t) k * DIM);
	begin(&j, points, n, assignment);
	join(&j, threshold);
	return renumber(&j, n, assignment);
}
