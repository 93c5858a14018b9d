/*-------------------------------------------------------------------------
 *
 * pattern.c
 *	  What a pattern claims, what it is worth, and two becoming one.
 *	  See bank.h.
 *
 * The claim is judged as any effect of a plan: log ratios are normal around
 * a mean that is believed, before any run, to be a loss (algorithms.md,
 * section 2.3: most changed plans are).  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/bank.h"

#include <math.h>
#include <string.h>

#include "ruvector_dag/vec.h"

/* Belief about the mean log ratio before the first run. */
#define PRIOR_MEAN		0.35
#define PRIOR_SD		0.7

/* No claim is surer than this spread of single runs allows. */
#define MIN_SD			0.05

/* Runs after which the evidence counts half. */
#define HALF_EVIDENCE	3.0

/* Below this cosine two plans have nothing to say about each other. */
#define MIN_SIMILARITY	0.5

static double
normal_cdf(double x)
{
	return 0.5 * erfc(-x * 0.707106781186547524401);
}

double
rvd_pattern_confidence(const RvdPattern *p, double similarity)
{
	double		alike = (similarity - MIN_SIMILARITY) / (1 - MIN_SIMILARITY);
	double		n = p->verified;
	double		variance = p->ratio_variance > MIN_SD * MIN_SD ?
		p->ratio_variance : MIN_SD * MIN_SD;
	double		prior = 1 / (PRIOR_SD * PRIOR_SD);
	double		precision = prior + n / variance;
	double		mean = (prior * PRIOR_MEAN + n / variance * p->mean_ratio) /
		precision;
	double		confidence;

	if (p->verified == 0 || !(alike > 0))
		return 0;
	if (alike > 1)
		alike = 1;
	confidence = alike * normal_cdf(-mean * sqrt(precision)) *
		n / (n + HALF_EVIDENCE);
	return confidence > 0 ? confidence : 0;
}

double
rvd_pattern_value(const RvdPattern *p)
{
	double		confidence = rvd_pattern_confidence(p, 1);

	/* 0 also where the ratio is not a number */
	return confidence > 0 ? p->samples * fabs(p->mean_ratio) * confidence : 0;
}

/* ---- merging ------------------------------------------------------------- */

static uint32_t
add_counts(uint32_t a, uint32_t b)
{
	return a < UINT32_MAX - b ? a + b : UINT32_MAX;
}

/* Weighted means of a and b; if neither weighs anything, a. */
static double
weigh(double a, double weight_a, double b, double weight_b)
{
	double		weight = weight_a + weight_b;

	return weight > 0 ? a + (b - a) * (weight_b / weight) : a;
}

/* Of durations, which are multiplicative; what is not known is left out. */
static double
weigh_ms(double a, double weight_a, double b, double weight_b)
{
	if (!(a > 0))
		return b;
	if (!(b > 0))
		return a;
	return exp(weigh(log(a), weight_a, log(b), weight_b));
}

/*
 * The mean of all members: that of each is R long.  Members that cancel out
 * leave the direction as it was.
 */
static void
merge_centroid(RvdPattern *into, const RvdPattern *p)
{
	double		share = weigh(0, into->samples, 1, p->samples);
	float		mean[RVD_EMBEDDING_DIM] = {0};

	rvd_vec_axpy((float) ((1 - share) * into->tightness), into->centroid,
				 mean, RVD_EMBEDDING_DIM);
	rvd_vec_axpy((float) (share * p->tightness), p->centroid,
				 mean, RVD_EMBEDDING_DIM);
	into->tightness = (float) rvd_vec_norm(mean, RVD_EMBEDDING_DIM);
	if (rvd_vec_normalize(mean, RVD_EMBEDDING_DIM))
		memcpy(into->centroid, mean, sizeof(mean));
}

/* As if the runs of both had been measured under one pattern. */
static void
merge_evidence(RvdPattern *into, const RvdPattern *p)
{
	double		n = into->verified;
	double		m = p->verified;
	double		mean = weigh(into->mean_ratio, n, p->mean_ratio, m);
	double		away = into->mean_ratio - mean;
	double		away_p = p->mean_ratio - mean;
	double		spread = into->ratio_variance + away * away;
	double		spread_p = p->ratio_variance + away_p * away_p;

	into->ratio_variance = (float) weigh(spread, n, spread_p, m);
	into->mean_ratio = (float) mean;
	into->verified = add_counts(into->verified, p->verified);
}

/* Those of the first, then those of the second that it lacks. */
static void
merge_relations(RvdPattern *into, const RvdPattern *p)
{
	for (int i = 0; i < p->n_relations; i++)
	{
		int			j = 0;

		while (j < into->n_relations && into->relations[j] != p->relations[i])
			j++;
		if (j == into->n_relations && j < RVD_PATTERN_RELATIONS)
			into->relations[into->n_relations++] = p->relations[i];
	}
}

void
rvd_pattern_absorb(RvdPattern *into, const RvdPattern *p)
{
	double		n = into->samples;
	double		m = p->samples;

	merge_centroid(into, p);
	merge_evidence(into, p);
	merge_relations(into, p);
	into->quality = (float) weigh(into->quality, n, p->quality, m);
	into->inflate = (float) weigh(into->inflate, n, p->inflate, m);
	into->latency_ms = (float) weigh_ms(into->latency_ms, n, p->latency_ms, m);
	into->baseline_ms = (float) weigh_ms(into->baseline_ms, n,
										 p->baseline_ms, m);
	if (p->samples > into->samples)
	{
		into->attention = p->attention;
		into->example = p->example;
	}
	if (p->updated_at > into->updated_at)
		into->updated_at = p->updated_at;
	into->samples = add_counts(into->samples, p->samples);
}
