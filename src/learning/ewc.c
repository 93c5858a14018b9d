/*-------------------------------------------------------------------------
 *
 * ewc.c
 *	  Elastic weight consolidation with an online Fisher.
 *
 * The Fisher information is the true one of a Gaussian output, squared
 * Jacobian over variance: no residual enters, so it neither vanishes where
 * the fit is good nor explodes on outliers.  The penalty is centred at the
 * latest parameters with the sum of the tasks' Fishers (Huszar 2018), older
 * ones fading.  J. Kirkpatrick et al., PNAS 114 (2017); J. Schwarz et al.,
 * "Progress & Compress" (2018); A. Chaudhry et al., "Riemannian walk" (2018).
 *
 * An explicit step needs rate * lambda * F < 2, which no rate of use keeps
 * at lambda = 15,000; the proximal one is a weighted mean of where the
 * gradient leads and the anchor, for any lambda.
 *
 * The arrays are the caller's, who provides the locking.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/ewc.h"

#include <math.h>
#include <string.h>

#include "ruvector_dag/vec.h"

/* Share of the former tasks' Fisher that a boundary keeps. */
#define KEEP			0.9

/* Keeps sums of squares of absurd Jacobians representable. */
#define MAX_FISHER		1e30

void
rvd_ewc_observe(RvdEwc *e, const float *jacobian, double decay)
{
	if (!rvd_vec_all_finite(jacobian, e->n))
		return;
	for (int i = 0; i < e->n; i++)
	{
		double		square = fmin((double) jacobian[i] * jacobian[i],
								  MAX_FISHER);

		e->fisher[i] = (float) (decay * e->fisher[i] + (1 - decay) * square);
	}
	e->samples++;
}

double
rvd_ewc_fisher(const RvdEwc *e, int i, double decay)
{
	double		weight = 1 - pow(decay, (double) e->samples);

	return weight > 0 ? e->fisher[i] / weight : 0;
}

/*
 * A moving average holds no more evidence than (1 + decay) / (1 - decay)
 * samples, however many went into it.
 */
static uint64_t
evidence(const RvdEwc *e, double decay)
{
	double		most = (1 + decay) / fmax(1 - decay, 1e-9);

	return (double) e->samples < most ? e->samples : (uint64_t) most;
}

void
rvd_ewc_consolidate(RvdEwc *e, const float *theta, double decay)
{
	for (int i = 0; i < e->n; i++)
	{
		double		sum = KEEP * e->consolidated[i] +
			rvd_ewc_fisher(e, i, decay);

		e->consolidated[i] = (float) fmin(sum, MAX_FISHER);
		e->anchor[i] = theta[i];
		e->fisher[i] = 0;
	}
	e->consolidated_samples += evidence(e, decay);
	e->samples = 0;
	e->tasks++;
}

double
rvd_ewc_lambda(const RvdEwc *e, uint64_t batch, double lambda_min,
			   double lambda_max)
{
	double		ratio = (double) e->consolidated_samples /
		(double) (batch > 0 ? batch : 1);

	return fmax(lambda_min, fmin(lambda_max, ratio));
}

void
rvd_ewc_step(const RvdEwc *e, float *theta, const float *gradient,
			 double rate, double lambda)
{
	double		pull = e->tasks > 0 ? rate * lambda : 0;

	for (int i = 0; i < e->n; i++)
	{
		double		stiffness = pull * e->consolidated[i];

		if (!isfinite(gradient[i]))
			continue;
		theta[i] = (float) ((theta[i] - rate * gradient[i] +
							 stiffness * e->anchor[i]) / (1 + stiffness));
	}
}

double
rvd_ewc_divergence(const RvdEwc *e, const float *theta)
{
	double		sum = 0;

	for (int i = 0; i < e->n; i++)
	{
		double		d = (double) theta[i] - e->anchor[i];

		sum += e->consolidated[i] * d * d;
	}
	return sum / 2;
}

bool
rvd_ewc_constrain(const RvdEwc *e, float *theta, double budget)
{
	double		divergence = rvd_ewc_divergence(e, theta);
	double		keep;

	if (e->tasks == 0 || divergence <= budget)
		return false;
	if (!isfinite(divergence))
	{
		memcpy(theta, e->anchor, sizeof(float) * (size_t) e->n);
		return true;
	}
	keep = sqrt(fmax(budget, 0) / divergence);
	for (int i = 0; i < e->n; i++)
		theta[i] = (float) (e->anchor[i] +
							keep * ((double) theta[i] - e->anchor[i]));
	return true;
}
