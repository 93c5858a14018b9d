/*-------------------------------------------------------------------------
 *
 * on_vectors.c
 *	  Attention kernels on vectors of the caller's.  See on_vectors.h.
 *
 * Scores go into the result and become weights there.  Floats are multiplied
 * in double: products of any two are finite, and so are sums of a billion.
 *
 * Memory: the caller's.  Concurrency: none.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/on_vectors.h"

#include <math.h>

#include "ruvector_dag/attention.h"
#include "ruvector_dag/vec.h"

#include "on_vectors_internal.h"

double
rvd_on_inner_product(const float *a, const float *b, int d)
{
	double		sum = 0;

	for (int i = 0; i < d; i++)
		sum += (double) a[i] * b[i];
	return sum;
}

static bool
all_finite(const float *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		if (!isfinite(x[i]))
			return false;
	return true;
}

bool
rvd_on_sound(const RvdOnVectors *in)
{
	return in->d >= 1 && in->n >= 1 && all_finite(in->query, in->d) &&
		all_finite(in->ancestors, (int64_t) in->n * in->d);
}

/* score[n]: similarity of x to each ancestor */
static void
score_all(const RvdOnVectors *in, const float *x, double *score)
{
	double		scale = 1 / sqrt(in->d);

	for (int i = 0; i < in->n; i++)
		score[i] = scale * rvd_on_inner_product(x, rvd_on_ancestor(in, i),
												in->d);
}

/* Scores to weights, in place. */
RvdStatus
rvd_on_weigh(double *score, int n)
{
	bool		any = false;

	for (int i = 0; i < n; i++)
	{
		if (isnan(score[i]) || score[i] == INFINITY)
			return RVD_ERR_ARGUMENT;
		any |= score[i] > -INFINITY;
	}
	if (!any)
		return RVD_ERR_EMPTY;
	return rvd_softmax(score, score, n) ? RVD_OK : RVD_ERR_ARGUMENT;
}

/* ---- kernels that add to the score ------------------------------------- */

RvdStatus
rvd_on_topological(const RvdOnVectors *in, double decay, double temperature,
				   double *weight)
{
	double		top = -INFINITY;

	if (!rvd_on_sound(in) || !rvd_on_not_negative(decay) ||
		!rvd_on_positive(temperature))
		return RVD_ERR_ARGUMENT;
	score_all(in, in->query, weight);
	for (int i = 0; i < in->n; i++)
	{
		weight[i] -= decay * i;
		top = fmax(top, weight[i]);
	}
	/* the maximum goes first: a small temperature must not overflow it */
	for (int i = 0; i < in->n; i++)
		weight[i] = (weight[i] - top) / temperature;
	return rvd_on_weigh(weight, in->n);
}

RvdStatus
rvd_on_causal_cone(const RvdOnVectors *in, const int32_t *depth, double decay,
				   int max_depth, double *weight)
{
	if (!rvd_on_sound(in) || !rvd_on_not_negative(decay) || max_depth < 0)
		return RVD_ERR_ARGUMENT;
	score_all(in, in->query, weight);
	for (int i = 0; i < in->n; i++)
	{
		int			level = depth ? depth[i] : i;

		if (level < 0)
			return RVD_ERR_ARGUMENT;
		if (level > max_depth)
			weight[i] = -INFINITY;
		else
			weight[i] -= decay * level;
	}
	return rvd_on_weigh(weight, in->n);
}

RvdStatus
rvd_on_critical_path(const RvdOnVectors *in, const bool *critical,
					 double boost, double *weight)
{
	if (!rvd_on_sound(in) || !rvd_on_positive(boost))
		return RVD_ERR_ARGUMENT;
	score_all(in, in->query, weight);
	for (int i = 0; i < in->n; i++)
		if (critical[i])
			weight[i] += log(boost);
	return rvd_on_weigh(weight, in->n);
}

RvdStatus
rvd_on_mincut_gated(const RvdOnVectors *in, const float *criticality,
					double threshold, double *weight)
{
	if (!rvd_on_sound(in) || !(threshold >= 0 && threshold <= 1))
		return RVD_ERR_ARGUMENT;
	score_all(in, in->query, weight);
	for (int i = 0; i < in->n; i++)
	{
		if (!(criticality[i] >= 0 && criticality[i] <= 1))
			return RVD_ERR_ARGUMENT;
		/* both were real in SQL: compare them as such */
		if (criticality[i] < (float) threshold)
			weight[i] += log(RVD_ON_GATE_FLOOR);
	}
	return rvd_on_weigh(weight, in->n);
}

RvdStatus
rvd_on_temporal_btsp(const RvdOnVectors *in, const double *time_ms,
					 double window_ms, double boost, double *weight)
{
	double		now = -INFINITY;

	if (!rvd_on_sound(in) || !rvd_on_positive(window_ms) ||
		!rvd_on_positive(boost))
		return RVD_ERR_ARGUMENT;
	for (int i = 0; i < in->n; i++)
	{
		if (!isfinite(time_ms[i]))
			return RVD_ERR_ARGUMENT;
		now = fmax(now, time_ms[i]);
	}
	score_all(in, in->query, weight);
	for (int i = 0; i < in->n; i++)
	{
		double		age = now - time_ms[i];

		weight[i] -= age / window_ms;
		if (age <= window_ms)
			weight[i] += log(boost);
	}
	return rvd_on_weigh(weight, in->n);
}

/* ---- parallel branch --------------------------------------------------- */

/* score[n] of x, with the boost of common ancestors, to weights. */
static RvdStatus
weigh_common(const RvdOnVectors *in, const float *x, const bool *common,
			 double boost, double *weight)
{
	score_all(in, x, weight);
	for (int i = 0; i < in->n; i++)
		if (common[i])
			weight[i] += log(boost);
	return rvd_on_weigh(weight, in->n);
}

RvdStatus
rvd_on_parallel_branch(const RvdOnVectors *in, const float *parallel, int m,
					   const bool *common, double cross_weight,
					   double common_boost, double *work, double *weight)
{
	RvdOnVectors siblings = {in->d, m, in->query, parallel};
	double	   *passed = work;	/* [n] */
	double	   *beta = work + in->n;	/* [m] */
	RvdStatus	status;

	if (!rvd_on_sound(in) || !rvd_on_sound(&siblings) ||
		!rvd_on_not_negative(cross_weight) || !rvd_on_positive(common_boost))
		return RVD_ERR_ARGUMENT;
	status = weigh_common(in, in->query, common, common_boost, weight);
	if (status != RVD_OK)
		return status;
	score_all(&siblings, in->query, beta);
	status = rvd_on_weigh(beta, m);
	if (status != RVD_OK)
		return status;

	/* shares, so that a huge cross weight stays finite */
	for (int i = 0; i < in->n; i++)
		weight[i] /= 1 + cross_weight;
	for (int j = 0; j < m; j++)
	{
		double		mass = beta[j] * (cross_weight / (1 + cross_weight));

		status = weigh_common(in, parallel + (int64_t) j * in->d, common,
							  common_boost, passed);
		if (status != RVD_OK)
			return status;
		for (int i = 0; i < in->n; i++)
			weight[i] += mass * passed[i];
	}
	return RVD_OK;
}

/* ---- ensemble ---------------------------------------------------------- */

/* A kernel without further arguments. */
static RvdStatus
by_defaults(const RvdOnVectors *in, int kind, double *weight)
{
	switch (kind)
	{
		case RVD_ATTENTION_TOPOLOGICAL:
			return rvd_on_topological(in, RVD_ON_DECAY, RVD_ON_TEMPERATURE,
									  weight);
		case RVD_ATTENTION_CAUSAL_CONE:
			return rvd_on_causal_cone(in, NULL, RVD_ON_DECAY, RVD_ON_MAX_DEPTH,
									  weight);
		case RVD_ATTENTION_LORENTZ:
			return rvd_on_lorentz(in, NULL, RVD_ON_CURVATURE,
								  RVD_ON_TEMPERATURE, weight);
		case RVD_ATTENTION_CRITICAL_PATH:
		case RVD_ATTENTION_MINCUT_GATED:
		case RVD_ATTENTION_PARALLEL_BRANCH:
		case RVD_ATTENTION_TEMPORAL_BTSP:
			/* what is the same for all ancestors drops out of the softmax */
			score_all(in, in->query, weight);
			return rvd_on_weigh(weight, in->n);
		default:
			return RVD_ERR_ARGUMENT;
	}
}

RvdStatus
rvd_on_ensemble(const RvdOnVectors *in, const int *kind, const double *mix,
				int k, double *work, double *weight)
{
	double		largest = 0;
	double		sum = 0;

	if (!rvd_on_sound(in) || k < 1)
		return RVD_ERR_ARGUMENT;
	for (int j = 0; j < k; j++)
	{
		if (mix != NULL && !rvd_on_not_negative(mix[j]))
			return RVD_ERR_ARGUMENT;
		largest = fmax(largest, mix ? mix[j] : 1);
	}
	if (largest == 0)
		return RVD_ERR_ARGUMENT;
	for (int j = 0; j < k; j++)
		sum += (mix ? mix[j] : 1) / largest;

	for (int i = 0; i < in->n; i++)
		weight[i] = 0;
	for (int j = 0; j < k; j++)
	{
		RvdStatus	status = by_defaults(in, kind[j], work);

		if (status != RVD_OK)
			return status;
		for (int i = 0; i < in->n; i++)
			weight[i] += (mix ? mix[j] : 1) / largest / sum * work[i];
	}
	return RVD_OK;
}
