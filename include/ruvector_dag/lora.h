/*-------------------------------------------------------------------------
 *
 * lora.h
 *	  Low-rank adapters.  Layer 1, pure.
 *
 * Delta W = (alpha / r) B A with A r x d, B p x r, row-major (Hu et al.
 * 2021): B starts at zero, A at N(0, 1/d), seeded; so the start changes
 * nothing.  Both factors are trained, by a normalised step (NLMS for a
 * bilinear model) with Huber-clipped errors: a plain step diverges on heavy
 * tails (algorithms 3.2).
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_LORA_H
#define RVD_LORA_H

#include <stdint.h>

#include "ruvector_dag/status.h"

#define RVD_LORA_MAX_RANK	16

/* A view: the numbers are the caller's. */
typedef struct RvdLora
{
	int			in;				/* d */
	int			out;			/* p */
	int			rank;			/* r <= RVD_LORA_MAX_RANK */
	float		scale;			/* alpha / r */
	float	   *a;				/* [r * d] */
	float	   *b;				/* [p * r] */
} RvdLora;

extern void rvd_lora_init(RvdLora *l, uint64_t seed);

/* out[p] += scale * B (A x).  O(r (d + p)). */
extern void rvd_lora_forward(const RvdLora *l, const float *x, float *out);

/*
 * Gradient of 1/2 |o - y|^2 for an output error g[p] = o - y (masked outputs
 * have g = 0): grad_a[r * d], grad_b[p * r], overwritten.
 */
extern void rvd_lora_gradient(const RvdLora *l, const float *x,
							  const float *g, float *grad_a, float *grad_b);

/*
 * One step on one sample: errors clipped to +-1, rate min(rate, mu / den)
 * with mu = 0.5 and den = 1e-6 + scale^2 (|Ax|^2 + |B|_F^2 |x|^2), leak 1e-4
 * on B, factors rebalanced when their norms differ by more than 10 (and one
 * has grown beyond the length A starts with).
 * A sample that is not finite changes nothing (RVD_ERR_ARGUMENT).
 */
extern RvdStatus rvd_lora_step(RvdLora *l, const float *x, const float *error,
							   double rate);

/* w[p * d] += scale * B A * factor */
extern void rvd_lora_merge(const RvdLora *l, float factor, float *w);

/*
 * Best rank-r approximation of l + factor * m (same d and p, any ranks), by
 * QR of the stacked factors and an SVD of their core (Eckart and Young).
 * The result replaces l, its rows of A orthonormal times singular values put
 * into B: a fixed gauge.  *lost: share of energy dropped.
 */
extern RvdStatus rvd_lora_absorb(RvdLora *l, const RvdLora *m, float factor,
								 double *lost);

#endif							/* RVD_LORA_H */
