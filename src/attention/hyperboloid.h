/*-------------------------------------------------------------------------
 *
 * hyperboloid.h
 *	  A plan in hyperbolic space.  Layer 1, pure.
 *
 * A point of the hyperboloid <x, x> = -1 is kept in polar form: radius r and
 * unit direction u[dim], x = (cosh r, sinh r * u).
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_HYPERBOLOID_H
#define RVD_HYPERBOLOID_H

#include "ruvector_dag/dag.h"

/* Distance of two points; chord2 = |u1 - u2|^2. */
extern double rvd_hyperboloid_distance(double r1, double r2, double chord2);

/* |a - b|^2 */
extern double rvd_hyperboloid_chord2(const double *a, const double *b,
									 int dim);

/*
 * Centroid of n points with weights >= 0, not all zero: the point that
 * minimises the weighted sum of -2 - 2 <x, mu>.  Radius returned, direction
 * into u_mu[dim].  Three passes, O(n * dim).
 */
extern double rvd_hyperboloid_centroid(int32_t n, int dim, const double *r,
									   const double *u, const double *weight,
									   double *u_mu);

/*
 * r[n] and u[n * RVD_LORENTZ_DIM] of the nodes of a plan.  above: [n]
 * scratch; path: [n] scratch.  O(n * dim + m).
 */
extern void rvd_hyperboloid_place(const RvdDag *dag, double *r, double *u,
								  int32_t *above, uint64_t *path);

#endif							/* RVD_HYPERBOLOID_H */
