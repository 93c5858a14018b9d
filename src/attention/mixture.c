/*-------------------------------------------------------------------------
 *
 * mixture.c
 *	  The ensemble: a Bayes mixture over the kernels.
 *
 * After each observation a kernel's weight is multiplied by exp(-loss), the
 * probability it gave to what happened.  The loss is 1-exp-concave, so the
 * mixture's total loss exceeds that of the best kernel by ln 7 at most, on
 * any data.  Fixed share moves a little weight to all, so that a kernel that
 * was long the worst can come back when the workload changes.
 *
 * Weights are kept as logarithms: products of a million likelihoods fit.
 *
 * Source: Cesa-Bianchi and Lugosi, "Prediction, Learning, and Games", 2006,
 * chapters 3 and 5.  Memory: the caller's.  No state.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>

#include "attention_internal.h"
#include "ruvector_dag/vec.h"

void
rvd_mixture_init(RvdMixture *m)
{
	for (int k = 0; k < RVD_NUM_KERNELS; k++)
		m->log_weight[k] = -log(RVD_NUM_KERNELS);
}

void
rvd_mixture_weights(const RvdMixture *m, double *pi)
{
	(void) rvd_softmax(m->log_weight, pi, RVD_NUM_KERNELS);
}

/* A loss that is not finite says nothing about any kernel: no update. */
void
rvd_mixture_update(RvdMixture *m, const double *loss, double share)
{
	const double moved = share > 1 ? 1 : share;
	double		updated[RVD_NUM_KERNELS];
	double		sum;

	for (int k = 0; k < RVD_NUM_KERNELS; k++)
		updated[k] = m->log_weight[k] - loss[k];
	sum = rvd_logsumexp(updated, RVD_NUM_KERNELS);
	if (!isfinite(sum))
		return;
	for (int k = 0; k < RVD_NUM_KERNELS; k++)
	{
		m->log_weight[k] = updated[k] - sum;
		if (moved > 0)
			m->log_weight[k] = rvd_logaddexp(log1p(-moved) + m->log_weight[k],
											 log(moved / RVD_NUM_KERNELS));
	}
}

void
rvd_mixture_combine(const RvdMixture *m, const double *const *kernel_p,
					int n, double *p)
{
	double		pi[RVD_NUM_KERNELS];

	rvd_mixture_weights(m, pi);
	for (int v = 0; v < n; v++)
	{
		double		sum = 0;

		for (int k = 0; k < RVD_NUM_KERNELS; k++)
			sum += pi[k] * kernel_p[k][v];
		p[v] = (1 - RVD_ATTENTION_FLOOR) * sum + RVD_ATTENTION_FLOOR / n;
	}
}
