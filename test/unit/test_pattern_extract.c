/*-------------------------------------------------------------------------
 *
 * test_pattern_extract.c
 *	  Patterns from clusters, against a naive twin.
 *
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ruvector_dag/pattern_extract.h"
#include "ruvector_dag/rng.h"
#include "ruvector_dag/vec.h"

#define DIM			RVD_EMBEDDING_DIM
#define MAX_N		60
#define MAX_K		12
#define N_CASES		200

static RvdRng rng;

static int
below(int n)
{
	return (int) rvd_rng_below(&rng, (uint64_t) n);
}

static void
random_direction(float *x)
{
	for (int d = 0; d < DIM; d++)
		x[d] = (float) rvd_rng_normal(&rng);
	assert_true(rvd_vec_normalize(x, DIM));
}

typedef struct Case
{
	int			n;
	int			k;
	float		points[MAX_N * DIM];
	RvdPatternMember members[MAX_N];
	int32_t		assignment[MAX_N];
	RvdExtractOptions options;
	RvdPattern	patterns[MAX_K];
	int			count;
} Case;

static RvdPatternMember
random_member(void)
{
	RvdPatternMember m = {
		.instance = 100 + (uint64_t) below(25), .queryid = below(9) - 4,
		.runs = 1 + (uint32_t) below(6),
		.log_ms = (float) rvd_rng_normal(&rng),
		.quality = (float) rvd_rng_uniform(&rng),
		.inflate = below(3) == 0 ? NAN : (float) rvd_rng_normal(&rng),
		.attention = (int16_t) below(8), .n_relations = (int16_t) below(13)
	};

	for (int i = 0; i < m.n_relations; i++)
		m.relations[i] = 1000 + (uint32_t) below(15);
	return m;
}

/* What was tried belongs to the instance: the same for all its members. */
static void
add_evidence(RvdPatternMember *m)
{
	RvdRng		own;

	rvd_rng_init(&own, RVD_RNG_TEST, m->instance);
	m->verified = (uint32_t) rvd_rng_below(&own, 8);
	m->configuration = 1;
	m->ratio = (float) (0.7 * rvd_rng_normal(&own) - 0.2);
	m->ratio_variance = (float) rvd_rng_uniform(&own) / 10;
}

static Case *
random_case(void)
{
	Case	   *c = calloc(1, sizeof(Case));
	float		center[MAX_K][DIM];

	c->n = 1 + below(MAX_N);
	c->k = 1 + below(MAX_K);
	c->options = (RvdExtractOptions) {1 + (uint32_t) below(3),
		1 + (uint32_t) below(8), 4711};
	for (int k = 0; k < c->k; k++)
		random_direction(center[k]);
	for (int i = 0; i < c->n; i++)
	{
		float	   *x = c->points + i * DIM;

		c->assignment[i] = below(c->k);
		random_direction(x);
		rvd_vec_axpy(2, center[c->assignment[i]], x, DIM);
		rvd_vec_normalize(x, DIM);
		c->members[i] = random_member();
		add_evidence(&c->members[i]);
	}
	return c;
}

static RvdStatus
extract(Case *c)
{
	void	   *work = malloc(rvd_patterns_workspace(c->n));
	RvdStatus	status = rvd_patterns_extract(c->points, c->members, c->n,
											  c->assignment, c->k,
											  &c->options, c->patterns,
											  &c->count, work);

	free(work);
	return status;
}

static Case *
extracted_case(void)
{
	Case	   *c = random_case();

	assert_int_equal(extract(c), RVD_OK);
	return c;
}

/* ---- the naive twin: one figure at a time, over all members ------------- */

/* Has an earlier member of the cluster the same instance? */
static int
seen_before(const Case *c, int cluster, int i)
{
	for (int j = 0; j < i; j++)
		if (c->assignment[j] == cluster &&
			c->members[j].instance == c->members[i].instance)
			return 1;
	return 0;
}

static double
sum_over(const Case *c, int cluster, double (*f) (const RvdPatternMember *m))
{
	double		sum = 0;

	for (int i = 0; i < c->n; i++)
		if (c->assignment[i] == cluster)
			sum += f(&c->members[i]);
	return sum;
}

static double
one(const RvdPatternMember *m)
{
	return 1;
}

static double
runs(const RvdPatternMember *m)
{
	return m->runs;
}

static double
log_ms(const RvdPatternMember *m)
{
	return (double) m->runs * m->log_ms;
}

static double
quality(const RvdPatternMember *m)
{
	return (double) m->runs * m->quality;
}

static double
inflate_runs(const RvdPatternMember *m)
{
	return isnan(m->inflate) ? 0 : m->runs;
}

static double
inflate(const RvdPatternMember *m)
{
	return isnan(m->inflate) ? 0 : (double) m->runs * m->inflate;
}

/* Sum of w (ratio - away)^power over instances; power 0: of w. */
static double
evidence(const Case *c, int cluster, int power, double away)
{
	double		sum = 0;

	for (int i = 0; i < c->n; i++)
	{
		const RvdPatternMember *m = &c->members[i];
		double		w = fmin(m->verified, 4);

		if (c->assignment[i] == cluster && !seen_before(c, cluster, i))
			sum += w * (power == 2 ? m->ratio_variance : 0) +
				w * pow(m->ratio - away, power);
	}
	return sum;
}

static int
count_relation(const Case *c, int cluster, uint32_t relation)
{
	int			count = 0;

	for (int i = 0; i < c->n; i++)
		for (int r = 0; r < c->members[i].n_relations; r++)
			count += c->assignment[i] == cluster &&
				c->members[i].relations[r] == relation;
	return count;
}

static int
count_attention(const Case *c, int cluster, int attention)
{
	int			count = 0;

	for (int i = 0; i < c->n; i++)
		if (c->assignment[i] == cluster &&
			c->members[i].attention == attention)
			count += (int) c->members[i].runs;
	return count;
}

static void
check_place(const Case *c, int cluster, const RvdPattern *p)
{
	double		mean[DIM] = {0};
	double		norm = 0;
	double		n = sum_over(c, cluster, one);

	for (int i = 0; i < c->n; i++)
		for (int d = 0; d < DIM && c->assignment[i] == cluster; d++)
			mean[d] += c->points[i * DIM + d] / n;
	for (int d = 0; d < DIM; d++)
		norm += mean[d] * mean[d];
	norm = sqrt(norm);
	assert_true(fabs(p->tightness - norm) < 1e-6);
	for (int d = 0; d < DIM; d++)
		assert_true(fabs(p->centroid[d] - mean[d] / norm) < 1e-6);
}

static void
check_evidence(const Case *c, int cluster, const RvdPattern *p)
{
	double		weight = evidence(c, cluster, 0, 0);
	double		mean;

	assert_int_equal(p->verified, (int) weight);
	if (weight == 0)
	{
		assert_int_equal(p->configuration, RVD_CONFIGURATION_STOCK);
		assert_true(p->mean_ratio == 0 && p->ratio_variance == 0);
		return;
	}
	mean = evidence(c, cluster, 1, 0) / weight;
	assert_true(fabs(p->mean_ratio - mean) < 1e-5);
	assert_true(fabs(p->ratio_variance -
					 evidence(c, cluster, 2, mean) / weight) < 1e-5);
	if (fabs(mean - log(0.95)) > 1e-5)
		assert_int_equal(p->configuration, mean < log(0.95));
}

static void
check_description(const Case *c, int cluster, const RvdPattern *p)
{
	double		n = sum_over(c, cluster, runs);
	double		base = exp(sum_over(c, cluster, log_ms) / n);
	double		seen = sum_over(c, cluster, inflate_runs);
	int			mine;

	assert_int_equal(p->samples, (int) n);
	assert_int_equal(p->updated_at, 4711);
	assert_true(fabs(p->quality - sum_over(c, cluster, quality) / n) < 1e-5);
	assert_true(fabs(p->baseline_ms / base - 1) < 1e-5);
	assert_true(fabs(p->latency_ms / base -
					 (p->configuration ? exp(p->mean_ratio) : 1)) < 1e-4);
	assert_true(fabs(p->inflate - (seen > 0 ? sum_over(c, cluster, inflate) /
								   seen : 0)) < 1e-5);
	mine = count_attention(c, cluster, p->attention);
	for (int a = 0; a < 16; a++)
		assert_true(count_attention(c, cluster, a) <=
					mine - (a < p->attention));
}

/* None that is left out is more frequent than one that is kept. */
static void
check_relations(const Case *c, int cluster, const RvdPattern *p)
{
	int			distinct = 0;
	int			least = 1 << 30;

	for (int i = 0; i < p->n_relations; i++)
		least = (int) fmin(least, count_relation(c, cluster, p->relations[i]));
	for (uint32_t r = 1000; r < 1015; r++)
	{
		int			kept = 0;

		for (int i = 0; i < p->n_relations; i++)
			kept += p->relations[i] == r;
		assert_true(kept <= 1);
		assert_true(kept || count_relation(c, cluster, r) <= least);
		distinct += count_relation(c, cluster, r) > 0;
	}
	assert_int_equal(p->n_relations,
					 distinct < RVD_PATTERN_RELATIONS ? distinct :
					 RVD_PATTERN_RELATIONS);
}

/* The example's plan is as near to the centroid as any member's. */
static void
check_example(const Case *c, int cluster, const RvdPattern *p)
{
	double		mine = INFINITY;
	double		best = INFINITY;

	for (int i = 0; i < c->n; i++)
	{
		double		away = rvd_vec_distance(c->points + i * DIM, p->centroid,
											DIM);

		if (c->assignment[i] != cluster)
			continue;
		best = fmin(best, away);
		if (c->members[i].queryid == p->example)
			mine = fmin(mine, away);
	}
	assert_true(mine <= best + 1e-9);
}

static int
check_cluster(const Case *c, int cluster, const RvdPattern *p)
{
	if (sum_over(c, cluster, one) < c->options.min_members ||
		sum_over(c, cluster, runs) < c->options.min_runs ||
		sum_over(c, cluster, one) == 0)
		return 0;
	assert_int_equal(p->id, 0);
	check_place(c, cluster, p);
	check_evidence(c, cluster, p);
	check_description(c, cluster, p);
	check_relations(c, cluster, p);
	check_example(c, cluster, p);
	return 1;
}

static void
figures_are_those_of_the_naive_twin(void **state)
{
	int			checked = 0;

	for (int i = 0; i < N_CASES; i++)
	{
		Case	   *c = extracted_case();
		int			at = 0;

		for (int cluster = 0; cluster < c->k; cluster++)
			at += check_cluster(c, cluster, &c->patterns[at]);
		assert_int_equal(c->count, at);
		checked += at;
		free(c);
	}
	assert_true(checked > 500);
}

static void
order_of_members_does_not_matter(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		Case	   *a = extracted_case();
		Case	   *b = malloc(sizeof(Case));

		*b = *a;
		for (int from = 0; from < a->n; from++)
		{
			int			to = a->n - 1 - from;

			memcpy(b->points + to * DIM, a->points + from * DIM,
				   sizeof(float) * DIM);
			b->members[to] = a->members[from];
			b->assignment[to] = a->assignment[from];
		}
		assert_int_equal(extract(b), RVD_OK);
		assert_int_equal(a->count, b->count);
		for (int k = 0; k < a->count; k++)
		{
			assert_int_equal(a->patterns[k].samples, b->patterns[k].samples);
			assert_int_equal(a->patterns[k].verified, b->patterns[k].verified);
			assert_int_equal(a->patterns[k].configuration,
							 b->patterns[k].configuration);
			assert_memory_equal(a->patterns[k].relations,
								b->patterns[k].relations,
								sizeof(a->patterns[k].relations));
			assert_true(fabs(a->patterns[k].mean_ratio -
							 b->patterns[k].mean_ratio) < 1e-6);
		}
		free(a);
		free(b);
	}
}

/* ---- single properties -------------------------------------------------- */

/* n members of one cluster around one direction, one run each, no evidence. */
static Case *
plain_case(int n)
{
	Case	   *c = calloc(1, sizeof(Case));
	float		center[DIM];

	c->n = n;
	c->k = 1;
	c->options = (RvdExtractOptions) {1, 1, 1};
	random_direction(center);
	for (int i = 0; i < n; i++)
	{
		memcpy(c->points + i * DIM, center, sizeof(center));
		c->members[i].instance = (uint64_t) i;
		c->members[i].runs = 1;
		c->members[i].inflate = NAN;
		c->members[i].configuration = 1;
	}
	return c;
}

static void
instance_with_two_plans_is_evidence_once(void **state)
{
	Case	   *c = plain_case(2);

	for (int i = 0; i < 2; i++)
	{
		c->members[i].instance = 7;
		c->members[i].verified = 3;
		c->members[i].ratio = -1;
	}
	assert_int_equal(extract(c), RVD_OK);
	assert_int_equal(c->patterns[0].verified, 3);
	assert_int_equal(c->patterns[0].samples, 2);
	c->members[1].instance = 8;
	assert_int_equal(extract(c), RVD_OK);
	assert_int_equal(c->patterns[0].verified, 6);
	free(c);
}

/* Evidence of another configuration is none for the best. */
static void
the_best_configuration_counts(void **state)
{
	Case	   *c = plain_case(4);
	const float ratios[4] = {-0.2f, -1.0f, 1.5f, -0.2f};
	const uint32_t configurations[4] = {1, 7, 7, 1};

	for (int i = 0; i < 4; i++)
	{
		c->members[i].instance = 100 + i;
		c->members[i].verified = 2;
		c->members[i].ratio = ratios[i];
		c->members[i].configuration = configurations[i];
	}
	/* 7: -1 and 1.5, together a loss; 1: -0.2 twice */
	assert_int_equal(extract(c), RVD_OK);
	assert_int_equal(c->patterns[0].configuration, 1);
	assert_int_equal(c->patterns[0].verified, 4);
	assert_true(fabs(c->patterns[0].mean_ratio + 0.2) < 1e-6);
	c->members[2].ratio = -0.9f;
	assert_int_equal(extract(c), RVD_OK);
	assert_int_equal(c->patterns[0].configuration, 7);
	assert_true(fabs(c->patterns[0].mean_ratio + 0.95) < 1e-6);
	/* out of range: as good as the stock plan, which is no advice */
	for (int i = 0; i < 4; i++)
		c->members[i].configuration = 4711;
	assert_int_equal(extract(c), RVD_OK);
	assert_int_equal(c->patterns[0].configuration, RVD_CONFIGURATION_STOCK);
	free(c);
}

static void
one_instance_does_not_outvote_the_others(void **state)
{
	Case	   *c = plain_case(3);

	c->members[0].verified = 1000;
	c->members[0].ratio = -2;
	c->members[1].verified = c->members[2].verified = 4;
	c->members[1].ratio = c->members[2].ratio = 1.5f;
	assert_int_equal(extract(c), RVD_OK);
	assert_int_equal(c->patterns[0].verified, 12);
	assert_true(fabs(c->patterns[0].mean_ratio - 1.0 / 3) < 1e-6);
	assert_int_equal(c->patterns[0].configuration, RVD_CONFIGURATION_STOCK);
	free(c);
}

static void
small_gain_does_not_change_the_configuration(void **state)
{
	Case	   *c = plain_case(1);

	c->members[0].verified = 4;
	c->members[0].ratio = (float) log(0.96);
	assert_int_equal(extract(c), RVD_OK);
	assert_int_equal(c->patterns[0].configuration, RVD_CONFIGURATION_STOCK);
	assert_true(c->patterns[0].latency_ms == c->patterns[0].baseline_ms);
	c->members[0].ratio = (float) log(0.94);
	assert_int_equal(extract(c), RVD_OK);
	assert_int_equal(c->patterns[0].configuration, 1);
	free(c);
}

static void
small_clusters_and_opposite_plans_are_left_out(void **state)
{
	Case	   *c = plain_case(2);

	c->options.min_members = 3;
	assert_int_equal(extract(c), RVD_OK);
	assert_int_equal(c->count, 0);
	c->options = (RvdExtractOptions) {2, 3, 1};
	assert_int_equal(extract(c), RVD_OK);
	assert_int_equal(c->count, 0);
	c->options.min_runs = 2;
	assert_int_equal(extract(c), RVD_OK);
	assert_int_equal(c->count, 1);
	rvd_vec_scale(-1, c->points, DIM);
	assert_int_equal(extract(c), RVD_OK);
	assert_int_equal(c->count, 0);
	free(c);
}

static void
wrong_arguments_are_refused(void **state)
{
	Case	   *c = plain_case(3);

	c->assignment[1] = 1;
	assert_int_equal(extract(c), RVD_ERR_ARGUMENT);
	c->assignment[1] = -1;
	assert_int_equal(extract(c), RVD_ERR_ARGUMENT);
	c->assignment[1] = 0;
	c->members[2].runs = 0;
	assert_int_equal(extract(c), RVD_ERR_ARGUMENT);
	c->n = 0;
	c->count = 9;
	assert_int_equal(extract(c), RVD_OK);
	assert_int_equal(c->count, 0);
	free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_are_those_of_the_naive_twin),
		cmocka_unit_test(order_of_members_does_not_matter),
		cmocka_unit_test(instance_with_two_plans_is_evidence_once),
		cmocka_unit_test(the_best_configuration_counts),
		cmocka_unit_test(one_instance_does_not_outvote_the_others),
		cmocka_unit_test(small_gain_does_not_change_the_configuration),
		cmocka_unit_test(small_clusters_and_opposite_plans_are_left_out),
		cmocka_unit_test(wrong_arguments_are_refused),
	};

	rvd_rng_init(&rng, RVD_RNG_TEST, 22);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
