/*-------------------------------------------------------------------------
 *
 * train_moments.c
 *	  What a cycle learns about its own certainty: Fisher information,
 *	  residual variances, precision of the inputs seen.
 *
 * Memory: 1 KB of stack, and the trainer's scratch.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <string.h>

#include "model_parts.h"
#include "ruvector_dag/vec.h"
#include "train.h"

/* Below this a residual is luck: 5 % of noise. */
#define MIN_VARIANCE		0.0025

/* The variance so far counts like so many samples. */
#define PRIOR_SAMPLES		10.0

/* Errors beyond so many ln units are accidents, not noise. */
#define MAX_RESIDUAL		3.0f

/* Leverage a sample may have on its own residual. */
#define MAX_OWN_LEVERAGE	0.9

/* Samples until what was seen counts half. */
#define HALF_LIFE			10000.0

/*
 * Root of sum over outputs of w (d o / d theta)^2 / variance, which squares
 * to the Fisher information of one sample.
 */
static void
fisher_root(const RvdCycle *c, const RvdModelSample *s, float *root)
{
	RvdLora		base = rvd_model_base(c->m);
	float	   *root_b = root + RVD_MODEL_BASE_RANK * RVD_MODEL_IN;
	float		error[RVD_MODEL_OUT];
	float		weight[RVD_MODEL_OUT];
	float		q[RVD_MODEL_BASE_RANK];
	double		variance = fmax(c->m->variance[RVD_OUT_LATENCY],
								MIN_VARIANCE);

	rvd_cycle_errors(c, s, error, weight, q);
	memset(root, 0, sizeof(float) * RVD_MODEL_BASE_SIZE);
	for (int k = 0; k < base.rank; k++)
	{
		double		sum = 0;

		for (int j = 0; j < base.out; j++)
		{
			double		b = base.b[j * base.rank + k];

			sum += weight[j] * b * b;
			root_b[j * base.rank + k] =
				(float) (fabs(q[k]) * sqrt(weight[j] / variance));
		}
		rvd_vec_axpy((float) sqrt(sum / variance), s->input.x,
					 root + k * base.in, base.in);
	}
}

void
rvd_train_fisher(RvdCycle *c)
{
	RvdEwc		e = rvd_trainer_ewc(c->t, 0, RVD_MODEL_BASE_SIZE);

	for (int i = 0; i < c->n_new; i++)
	{
		if (!rvd_sample_usable(&c->samples[i]))
			continue;
		fisher_root(c, &c->samples[i], c->t->scratch);
		rvd_ewc_observe(&e, c->t->scratch, c->options->fisher_decay);
	}
	c->t->ewc_samples = e.samples;
}

/*
 * Residuals of samples that were trained on are too small, by the share of
 * itself that each explains: E r^2 = variance (1 - leverage).
 */
void
rvd_train_variances(RvdCycle *c)
{
	double		sum[RVD_MODEL_OUT] = {0};
	double		n[RVD_MODEL_OUT] = {0};
	float		pz[RVD_MODEL_MICRO_IN];

	for (int i = 0; i < c->n; i++)
	{
		const RvdModelSample *s = &c->samples[i];
		float		error[RVD_MODEL_OUT];
		float		weight[RVD_MODEL_OUT];
		float		q[RVD_MODEL_BASE_RANK];
		double		own;

		if (!rvd_sample_usable(s))
			continue;
		rvd_cycle_errors(c, s, error, weight, q);
		own = fmin(rvd_model_leverage(c->m, s->input.z, pz),
				   MAX_OWN_LEVERAGE);
		for (int j = 0; j < RVD_MODEL_OUT; j++)
		{
			double		e = fminf(fabsf(error[j]), MAX_RESIDUAL);

			if (!rvd_target_seen(s, j))
				continue;
			sum[j] += e * e / (1 - own);
			n[j]++;
			c->m->seen[j] += i < c->n_new;
		}
	}
	for (int j = 0; j < RVD_MODEL_OUT; j++)
		c->m->variance[j] = (float) fmax(MIN_VARIANCE,
										 (PRIOR_SAMPLES * c->m->variance[j] +
										  sum[j]) / (PRIOR_SAMPLES + n[j]));
}

/* Inverse of (P^-1 + v v'), given P v (Sherman and Morrison 1950). */
static void
add_direction(float *p, const float *pv, double leverage)
{
	for (int i = 0; i < RVD_MODEL_MICRO_IN; i++)
		rvd_vec_axpy((float) (-pv[i] / (1 + leverage)), pv,
					 p + i * RVD_MODEL_MICRO_IN, RVD_MODEL_MICRO_IN);
}

/*
 * P^-1 becomes g P^-1 + (1 - g) I: what was seen fades, what was never seen
 * stays at I.  Written as g (P^-1 + (1 - g) / g I), which is one direction
 * after the other.
 */
static void
fade(RvdLatencyModel *m, double g)
{
	float	   *p = m->precision;
	double		share = (1 - g) / g;

	for (int d = 0; d < RVD_MODEL_MICRO_IN; d++)
	{
		float		pv[RVD_MODEL_MICRO_IN];
		double		leverage = share * p[d * RVD_MODEL_MICRO_IN + d];

		for (int i = 0; i < RVD_MODEL_MICRO_IN; i++)
			pv[i] = (float) (sqrt(share) * p[i * RVD_MODEL_MICRO_IN + d]);
		add_direction(p, pv, fmax(leverage, 0));
	}
	rvd_vec_scale((float) (1 / g), p,
				  RVD_MODEL_MICRO_IN * RVD_MODEL_MICRO_IN);
}

void
rvd_train_precision(RvdCycle *c)
{
	float		pz[RVD_MODEL_MICRO_IN];
	double		g = fmax(0.1, exp2(-c->n_new / HALF_LIFE));

	if (c->n_new > 0)
		fade(c->m, g);
	for (int i = 0; i < c->n_new; i++)
	{
		const float *z = c->samples[i].input.z;
		double		leverage;

		if (!rvd_sample_usable(&c->samples[i]))
			continue;
		leverage = rvd_model_leverage(c->m, z, pz);
		add_direction(c->m->precision, pz, leverage);
	}
}
