/*-------------------------------------------------------------------------
 *
 * on_vectors_internal.h
 *	  What the kernels on plain vectors share.  Layer 1, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_ON_VECTORS_INTERNAL_H
#define RVD_ON_VECTORS_INTERNAL_H

#include <math.h>

#include "ruvector_dag/on_vectors.h"

static inline bool
rvd_on_positive(double x)
{
	return x > 0 && isfinite(x);
}

static inline bool
rvd_on_not_negative(double x)
{
	return x >= 0 && isfinite(x);
}

static inline const float *
rvd_on_ancestor(const RvdOnVectors *in, int i)
{
	return in->ancestors + (int64_t) i * in->d;
}

/* In double: finite for any finite floats. */
extern double rvd_on_inner_product(const float *a, const float *b, int d);

/* Are there numbers, and all of them finite? */
extern bool rvd_on_sound(const RvdOnVectors *in);

/* Scores to weights, in place; -inf leaves out. */
extern RvdStatus rvd_on_weigh(double *score, int n);

#endif							/* RVD_ON_VECTORS_INTERNAL_H */
