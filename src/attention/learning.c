/*-------------------------------------------------------------------------
 *
 * learning.c
 *	  What the attention kernels learn from: measured shares of self time.
 *
 * The loss is the cross entropy of p, mixed with a little of the uniform
 * distribution so that no operator is ever impossible.  A kernel knows the
 * way back from it to the scores of operators; from there to the weights is
 * the product with the features, the same for all kernels.
 *
 * Steps are normalised: a plan of 2,000 operators or a gross surprise moves
 * the weights by at most rate.  The leak bounds them: |w| <= 1 / LEAK.
 *
 * Memory: the caller's.  No state.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "attention_internal.h"

/* Share of a weight that is forgotten per unit of rate. */
#define LEAK	0.01

double
rvd_attention_loss(const double *p, const double *share, int n)
{
	double		loss = 0;

	for (int v = 0; v < n; v++)
	{
		if (share[v] > 0)
			loss -= share[v] * log((1 - RVD_ATTENTION_FLOOR) * p[v] +
								   RVD_ATTENTION_FLOOR / n);
	}
	return loss;
}

double
rvd_attention_overlap(const double *p, const double *share, int n)
{
	double		overlap = 0;

	for (int v = 0; v < n; v++)
		overlap += p[v] < share[v] ? p[v] : share[v];
	return overlap < 1 ? overlap : 1;
}

/* A double too large for a float is the largest float. */
static float
to_float(double x)
{
	if (x > FLT_MAX)
		return FLT_MAX;
	return x < -FLT_MAX ? -FLT_MAX : (float) x;
}

static bool
is_measured(const double *share, int32_t n)
{
	for (int32_t v = 0; v < n; v++)
	{
		if (!(share[v] >= 0) || isinf(share[v]))
			return false;
	}
	return true;
}

RvdStatus
rvd_attention_gradient(int kind, const RvdAttentionInput *in,
					   const RvdAttentionOutput *out, const double *share,
					   RvdAttentionWeights *grad, void *work)
{
	const RvdAttentionKernel *kernel = rvd_attention_kernel(kind);
	RvdAttentionWork w;
	double		sum[RVD_NODE_FEATURES] = {0};
	double		gain[RVD_HEADS] = {0};
	RvdStatus	status;

	memset(grad, 0, sizeof(*grad));
	if (kernel == NULL || in->phi == NULL ||
		!is_measured(share, in->dag->n_nodes))
		return RVD_ERR_ARGUMENT;

	(void) rvd_attention_lay_out(&w, in->dag, work);
	memset(w.gradient, 0, (size_t) in->dag->n_nodes * sizeof(double));
	status = kernel->backward(in, out, share, w.gradient, gain, work);
	if (status != RVD_OK || out->fell_back)
		return status;

	for (int32_t v = 0; v < in->dag->n_nodes; v++)
	{
		for (int j = 0; j < RVD_NODE_FEATURES; j++)
			sum[j] += w.gradient[v] * in->phi[v * RVD_NODE_FEATURES + j];
	}
	for (int j = 0; j < RVD_NODE_FEATURES; j++)
		grad->score[j] = to_float(sum[j]);
	for (int m = 0; m < RVD_HEADS; m++)
		grad->gain[m] = to_float(gain[m]);
	return RVD_OK;
}

/* n weights: a step against g, shortened by scale, and the leak. */
static void
step(float *w, const float *g, int n, double scale, double keep)
{
	for (int j = 0; j < n; j++)
		w[j] = to_float(keep * w[j] - scale * g[j]);
}

void
rvd_attention_learn(RvdAttentionWeights *w, const RvdAttentionWeights *grad,
					double rate)
{
	double		square = 0;
	double		scale;
	double		keep;

	for (int j = 0; j < RVD_NODE_FEATURES; j++)
		square += (double) grad->score[j] * grad->score[j];
	for (int m = 0; m < RVD_HEADS; m++)
		square += (double) grad->gain[m] * grad->gain[m];
	if (!isfinite(square) || !(rate > 0) || isinf(rate))
		return;
	scale = rate / (1 + sqrt(square));
	keep = rate * LEAK < 1 ? 1 - rate * LEAK : 0;
	step(w->score, grad->score, RVD_NODE_FEATURES, scale, keep);
	step(w->gain, grad->gain, RVD_HEADS, scale, keep);
}
