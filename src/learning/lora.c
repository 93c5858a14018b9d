/*-------------------------------------------------------------------------
 *
 * lora.c
 *	  Low-rank adapters: forward, gradients, the instant step, merging.
 *
 * The step is a normalised one for a bilinear model.  Its denominator bounds
 * the squared norm of the Jacobian, so one step never overshoots the sample
 * it learns from by more than the second-order term, and that is bounded by
 * the clip of the errors; a plain step of the same rate diverges within a
 * hundred samples when the inputs' lengths are log-normal.  E. J. Hu et al.,
 * "LoRA" (2021); A. H. Sayed, "Adaptive Filters" (2008) for NLMS; P. J.
 * Huber (1964) for the clip.
 *
 * The numbers are the caller's, who provides the locking.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/lora.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "ruvector_dag/rng.h"
#include "ruvector_dag/vec.h"

#define STEP_SHARE		0.5		/* mu: of the error that one step takes away */
#define STEP_EPSILON	1e-6
#define LEAK			1e-4
#define MAX_IMBALANCE	10.0

/* Lengths beyond this would overflow when squared as floats. */
#define MAX_LENGTH		1e15

void
rvd_lora_init(RvdLora *l, uint64_t seed)
{
	RvdRng		rng;
	double		sd = l->in > 0 ? 1 / sqrt(l->in) : 0;

	rvd_rng_init(&rng, RVD_RNG_LORA, seed);
	for (int i = 0; i < l->rank * l->in; i++)
		l->a[i] = (float) (sd * rvd_rng_normal(&rng));
	memset(l->b, 0, sizeof(float) * (size_t) (l->out * l->rank));
}

static void
project(const RvdLora *l, const float *x, float *q)
{
	for (int k = 0; k < l->rank; k++)
		q[k] = rvd_vec_dot(l->a + k * l->in, x, l->in);
}

void
rvd_lora_forward(const RvdLora *l, const float *x, float *out)
{
	float		q[RVD_LORA_MAX_RANK];

	project(l, x, q);
	for (int j = 0; j < l->out; j++)
		out[j] += l->scale * rvd_vec_dot(l->b + j * l->rank, q, l->rank);
}

/* back[rank] = B^T g */
static void
project_back(const RvdLora *l, const float *g, float *back)
{
	memset(back, 0, sizeof(float) * (size_t) l->rank);
	for (int j = 0; j < l->out; j++)
		rvd_vec_axpy(g[j], l->b + j * l->rank, back, l->rank);
}

void
rvd_lora_gradient(const RvdLora *l, const float *x, const float *g,
				  float *grad_a, float *grad_b)
{
	float		q[RVD_LORA_MAX_RANK];
	float		back[RVD_LORA_MAX_RANK];

	project(l, x, q);
	project_back(l, g, back);
	for (int k = 0; k < l->rank; k++)
		for (int i = 0; i < l->in; i++)
			grad_a[k * l->in + i] = l->scale * back[k] * x[i];
	for (int j = 0; j < l->out; j++)
		for (int k = 0; k < l->rank; k++)
			grad_b[j * l->rank + k] = l->scale * g[j] * q[k];
}

/*
 * A k and B / k are the same adapter; keep both of a size.  B starts at
 * zero, so a small B is no imbalance as long as A has not grown from where
 * it started (rows of length 1): shrinking A then would only slow B down.
 */
static void
rebalance(RvdLora *l)
{
	int			n_a = l->rank * l->in;
	int			n_b = l->out * l->rank;
	double		a = rvd_vec_norm(l->a, n_a);
	double		b = rvd_vec_norm(l->b, n_b);
	double		start = 2 * sqrt(l->rank);
	double		k;

	if (!(a > 0 && b > 0) || (a <= start && b <= start) ||
		(a <= MAX_IMBALANCE * b && b <= MAX_IMBALANCE * a))
		return;
	k = sqrt(b / a);
	rvd_vec_scale((float) k, l->a, n_a);
	rvd_vec_scale((float) (1 / k), l->b, n_b);
}

RvdStatus
rvd_lora_step(RvdLora *l, const float *x, const float *error, double rate)
{
	float		q[RVD_LORA_MAX_RANK];
	float		back[RVD_LORA_MAX_RANK] = {0};
	double		length = rvd_vec_norm(x, l->in);
	double		q_square;
	double		den;
	double		eta;
	double		scale = l->scale;

	if (!(length < MAX_LENGTH) || !rvd_vec_all_finite(error, l->out) ||
		!(rate >= 0))
		return RVD_ERR_ARGUMENT;
	project(l, x, q);
	q_square = rvd_vec_dot_exact(q, q, l->rank);
	den = STEP_EPSILON + scale * scale *
		(q_square + rvd_vec_dot_exact(l->b, l->b, l->out * l->rank) *
		 length * length);
	if (!isfinite(den))
		return RVD_ERR_ARGUMENT;
	eta = fmin(rate, STEP_SHARE / den);

	for (int j = 0; j < l->out; j++)
	{
		float		g = fmaxf(-1.0f, fminf(1.0f, error[j]));
		float	   *row = l->b + j * l->rank;

		/* A learns from B as it was before this step */
		rvd_vec_axpy(g, row, back, l->rank);
		rvd_vec_scale((float) (1 - eta * LEAK), row, l->rank);
		rvd_vec_axpy((float) (-eta * scale * g), q, row, l->rank);
	}
	for (int k = 0; k < l->rank; k++)
		rvd_vec_axpy((float) (-eta * scale * back[k]), x, l->a + k * l->in,
					 l->in);
	rebalance(l);
	return RVD_OK;
}

void
rvd_lora_merge(const RvdLora *l, float factor, float *w)
{
	for (int j = 0; j < l->out; j++)
		for (int k = 0; k < l->rank; k++)
			rvd_vec_axpy(factor * l->scale * l->b[j * l->rank + k],
						 l->a + k * l->in, w + j * l->in, l->in);
}
