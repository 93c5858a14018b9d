/*-------------------------------------------------------------------------
 *
 * on_vectors_lorentz.c
 *	  Hierarchical Lorentz attention on vectors of the caller's.
 *
 * A vector v is taken as tangent at the origin of the hyperboloid and reaches
 * the point at hyperbolic distance |v| in its direction.
 *
 * Memory: the caller's.  Concurrency: none.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/on_vectors.h"

#include <math.h>

#include "ruvector_dag/vec.h"

#include "on_vectors_internal.h"

/* ln sinh x for x >= 0 */
static double
log_sinh(double x)
{
	if (x < 1)
		return log(sinh(x));	/* 0: -inf */
	return x + log1p(-exp(-2 * x)) - log(2);
}

static double
norm_of(const float *x, int d)
{
	return sqrt(rvd_on_inner_product(x, x, d));
}

/*
 * In polar coordinates (radius, direction), without cancellation and in
 * logarithms, so that no radius is too large:
 *	 sinh^2(dist / 2) = sinh^2((r1 - r2) / 2) + sinh r1 sinh r2 |u1 - u2|^2 / 4
 */
double
rvd_on_distance(const float *x, const float *y, double sy, int d,
				double curvature)
{
	double		root = sqrt(-curvature);
	double		norm_x = norm_of(x, d);
	double		norm_y = norm_of(y, d);
	double		r1 = root * norm_x;
	double		r2 = root * norm_y * sy;
	double		apart = 0;
	double		log_square;

	for (int i = 0; i < d && norm_x > 0 && norm_y > 0; i++)
	{
		double		difference = x[i] / norm_x - y[i] / norm_y;

		apart += difference * difference;
	}
	log_square = 2 * log_sinh(fabs(r1 - r2) / 2);
	if (apart > 0)
		log_square = rvd_logaddexp(log_square,
								   log_sinh(r1) + log_sinh(r2) +
								   log(apart / 4));
	/* asinh y = ln 2y for what is large */
	if (log_square > 80)
		return (log_square + 2 * log(2)) / root;
	return 2 * asinh(exp(log_square / 2)) / root;
}

RvdStatus
rvd_on_lorentz(const RvdOnVectors *in, const int32_t *depth, double curvature,
			   double temperature, double *weight)
{
	double		nearest = INFINITY;

	if (!rvd_on_sound(in) || !(curvature < 0) || !isfinite(curvature) ||
		!rvd_on_positive(temperature))
		return RVD_ERR_ARGUMENT;
	for (int i = 0; i < in->n; i++)
	{
		int			level = depth ? depth[i] : i;

		if (level < 0)
			return RVD_ERR_ARGUMENT;
		weight[i] = rvd_on_distance(in->query, rvd_on_ancestor(in, i),
									1.0 + level, in->d, curvature);
		nearest = fmin(nearest, weight[i]);
	}
	for (int i = 0; i < in->n; i++)
		weight[i] = -(weight[i] - nearest) / temperature;
	return rvd_on_weigh(weight, in->n);
}
