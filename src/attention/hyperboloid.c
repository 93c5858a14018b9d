/*-------------------------------------------------------------------------
 *
 * hyperboloid.c
 *	  A plan in hyperbolic space: placing its operators, distances, centroid.
 *
 * Placing.  The radius of an operator is rho * depth.  Its direction is that
 * of its parent, turned a little towards a direction of its own; the turn
 * shrinks with exp(-rho * depth), as Sarkar's construction (Graph Drawing
 * 2011) needs for distances to follow distances in the tree.  At rho * depth
 * = 15 turns are 3e-7, still plain in a double; deeper plans get a smaller
 * rho.  The direction of its own is one of signs, drawn from the path of
 * operators and relations from the root, so it does not depend on how nodes
 * are numbered.
 *
 * Numerics.  arcosh of the Lorentz product loses everything near zero: the
 * product is 1 + d^2 / 2.  The polar form has no such difference,
 *	   sinh^2(d / 2) = sinh^2((r1 - r2) / 2) + sinh r1 sinh r2 |u1 - u2|^2 / 4
 * The centroid's radius is half the logarithm of (S0 + |S|) / (S0 - |S|);
 * the difference below is summed as its own terms,
 *	   x0 - x . mu = exp(-r) + sinh r |u - mu|^2 / 2
 * and all points are scaled by exp(-largest r), so nothing overflows.
 *
 * Memory: the caller's.  No state.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "attention_internal.h"
#include "hyperboloid.h"
#include "ruvector_dag/hash.h"
#include "ruvector_dag/rng.h"

#define LARGEST_RADIUS	15.0
#define PATH_SEED		UINT64_C(0x7276642e68797062)

/* Independent sums, so that they need not wait for each other. */
#define LANES			4

double
rvd_hyperboloid_chord2(const double *a, const double *b, int dim)
{
	double		lane[LANES] = {0};
	int			i = 0;

	for (; i + LANES <= dim; i += LANES)
		for (int j = 0; j < LANES; j++)
			lane[j] += (a[i + j] - b[i + j]) * (a[i + j] - b[i + j]);
	for (; i < dim; i++)
		lane[0] += (a[i] - b[i]) * (a[i] - b[i]);
	return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

double
rvd_hyperboloid_distance(double r1, double r2, double chord2)
{
	double		radial = sinh((r1 - r2) / 2);

	return 2 * asinh(sqrt(radial * radial +
						  sinh(r1) * sinh(r2) * chord2 / 4));
}

/* Scales u to norm 1; its norm. */
static double
normalize(double *u, int dim)
{
	double		lane[LANES] = {0};
	double		norm;
	double		factor;
	int			i = 0;

	for (; i + LANES <= dim; i += LANES)
		for (int j = 0; j < LANES; j++)
			lane[j] += u[i + j] * u[i + j];
	for (; i < dim; i++)
		lane[0] += u[i] * u[i];
	norm = sqrt((lane[0] + lane[1]) + (lane[2] + lane[3]));
	if (!(norm > 0))
		return 0;
	factor = 1 / norm;
	for (i = 0; i < dim; i++)
		u[i] *= factor;
	return norm;
}

double
rvd_hyperboloid_centroid(int32_t n, int dim, const double *r, const double *u,
						 const double *weight, double *u_mu)
{
	double		largest = 0;
	double		behind = 0;		/* S0 - |S| */
	double		length;			/* |S| */

	for (int32_t v = 0; v < n; v++)
		if (weight[v] > 0 && r[v] > largest)
			largest = r[v];

	memset(u_mu, 0, (size_t) dim * sizeof(double));
	for (int32_t v = 0; v < n; v++)
	{
		double		at = weight[v] * exp(r[v] - largest) *
			-expm1(-2 * r[v]) / 2;

		for (int j = 0; at > 0 && j < dim; j++)
			u_mu[j] += at * u[(size_t) v * dim + j];
	}
	length = normalize(u_mu, dim);
	if (!(length > 0))
	{
		/* all at the centre, or balanced around it */
		u_mu[0] = 1;
		return 0;
	}
	for (int32_t v = 0; v < n; v++)
	{
		double		chord2;

		if (!(weight[v] > 0))
			continue;
		chord2 = rvd_hyperboloid_chord2(u + (size_t) v * dim, u_mu, dim);
		behind += weight[v] *
			(exp(-r[v] - largest) +
			 exp(r[v] - largest) * -expm1(-2 * r[v]) / 4 * chord2);
	}
	return 0.5 * log1p(2 * length / behind);
}

/* Identity of a node among the inputs of its parent. */
static uint64_t
extend_path(uint64_t path, const RvdDagNode *node, int kind, int32_t position)
{
	path = rvd_hash_combine(path, (uint64_t) node->op |
							(uint64_t) kind << 16 |
							(uint64_t) node->relation << 32);
	return rvd_hash_combine(path, (uint64_t) position);
}

/*
 * For each node the edge (index into child) by which it hangs below the
 * first parent, in preorder, that is one level above it; -1 at the root.
 */
static void
find_edges_above(const RvdDag *dag, int32_t *above)
{
	for (int32_t v = 0; v < dag->n_nodes; v++)
		above[v] = -1;
	for (int32_t i = 0; i < dag->n_nodes; i++)
	{
		int32_t		parent = dag->preorder[i];

		for (int32_t e = dag->child_start[parent];
			 e < dag->child_start[parent + 1]; e++)
		{
			int32_t		v = dag->child[e];

			if (above[v] < 0 &&
				dag->nodes[v].depth == dag->nodes[parent].depth + 1)
				above[v] = e;
		}
	}
}

/* u_parent + turn * (signs of path), normalised; u_parent NULL: the signs. */
static void
place_below(const double *u_parent, double turn, uint64_t path, double *u)
{
	const double unit = 1 / sqrt(RVD_LORENTZ_DIM);
	uint64_t	bits;
	RvdRng		rng;

	rvd_rng_init(&rng, RVD_RNG_LORENTZ, path);
	bits = rvd_rng_next(&rng);
	for (int j = 0; j < RVD_LORENTZ_DIM; j++)
	{
		/* no branch: half of them would be mispredicted */
		double		own = unit * (2 * (int) (bits >> (63 - j) & 1) - 1);

		u[j] = u_parent != NULL ? u_parent[j] + turn * own : own;
	}
	/* opposite to its parent and as long: stay on the parent's ray */
	if (!(normalize(u, RVD_LORENTZ_DIM) > 0))
		memcpy(u, u_parent, RVD_LORENTZ_DIM * sizeof(double));
}

void
rvd_hyperboloid_place(const RvdDag *dag, double *r, double *u,
					  int32_t *above, uint64_t *path)
{
	int			deepest = 0;
	double		rho;

	for (int32_t v = 0; v < dag->n_nodes; v++)
		if (dag->nodes[v].depth > deepest)
			deepest = dag->nodes[v].depth;
	rho = deepest > LARGEST_RADIUS ? LARGEST_RADIUS / deepest : 1.0;

	find_edges_above(dag, above);
	/* of each edge its parent, where it is needed: in parents' order */
	for (int32_t i = dag->n_nodes - 1; i >= 0; i--)
	{
		int32_t		parent = dag->topo[i];
		int			depth = dag->nodes[parent].depth;
		int32_t		first = dag->child_start[parent];

		r[parent] = rho * depth;
		if (parent == dag->root)
		{
			path[parent] = extend_path(PATH_SEED, &dag->nodes[parent], 0, 0);
			place_below(NULL, 0, path[parent],
						u + (size_t) parent * RVD_LORENTZ_DIM);
		}
		for (int32_t e = first; e < dag->child_start[parent + 1]; e++)
		{
			int32_t		v = dag->child[e];

			if (above[v] != e)
				continue;
			path[v] = extend_path(path[parent], &dag->nodes[v],
								  dag->child_kind[e], e - first);
			place_below(depth > 0 ? u + (size_t) parent * RVD_LORENTZ_DIM
						: NULL, 2 * exp(-rho * depth), path[v],
						u + (size_t) v * RVD_LORENTZ_DIM);
		}
	}
}
