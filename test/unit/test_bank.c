/*-------------------------------------------------------------------------
 *
 * test_bank.c
 *	  The bank's answers against brute force in long double, confidence
 *	  against integration, eviction against sorting, merging against the
 *	  members that were merged.
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

#include "ruvector_dag/bank.h"
#include "ruvector_dag/rng.h"
#include "ruvector_dag/vec.h"

#define DIM		RVD_EMBEDDING_DIM

static RvdRng rng;

static RvdBank *
make_bank(int capacity)
{
	RvdBank    *b = malloc(rvd_bank_size(capacity));

	rvd_bank_init(b, capacity);
	return b;
}

static void
random_unit(float *x)
{
	for (int i = 0; i < DIM; i++)
		x[i] = (float) rvd_rng_normal(&rng);
	rvd_vec_normalize(x, DIM);
}

/* A unit vector near another: cosine about 1 / sqrt(1 + noise^2). */
static void
near_unit(const float *from, double noise, float *x)
{
	float		e[DIM];

	random_unit(e);
	for (int i = 0; i < DIM; i++)
		x[i] = from[i] + (float) noise * e[i];
	rvd_vec_normalize(x, DIM);
}

static RvdPattern
make_pattern(uint64_t id)
{
	RvdPattern	p = {.id = id, .configuration = 1, .samples = 10, .verified = 8};

	p.tightness = 1;
	p.mean_ratio = -0.7f;
	p.ratio_variance = 0.04f;
	p.updated_at = (int64_t) id;
	return p;
}

static RvdPattern
random_pattern(uint64_t id)
{
	RvdPattern	p = make_pattern(id);

	p.samples = (uint32_t) rvd_rng_below(&rng, 50);
	p.verified = (uint32_t) rvd_rng_below(&rng, 10);
	p.mean_ratio = (float) (0.5 * rvd_rng_normal(&rng));
	p.ratio_variance = (float) (0.1 * rvd_rng_uniform(&rng));
	p.updated_at = (int64_t) rvd_rng_below(&rng, 20);
	random_unit(p.centroid);
	return p;
}

/* ---- searching ------------------------------------------------------------ */

static long double
cosine(const float *a, const float *b)
{
	long double sum = 0;

	for (int i = 0; i < DIM; i++)
		sum += (long double) a[i] * b[i];
	return sum;
}

/* The matches are the best, in order; ties by id. */
static void
check_search(const RvdBank *b, const float *query)
{
	RvdMatch	match[RVD_BANK_TOP];
	int			n = rvd_bank_search(b, query, match);
	char	   *taken = calloc((size_t) b->n + 1, 1);

	assert_int_equal(n, b->n < RVD_BANK_TOP ? b->n : RVD_BANK_TOP);
	for (int m = 0; m < n; m++)
	{
		const RvdPattern *p = &b->pattern[match[m].index];
		long double mine = cosine(query, p->centroid);

		assert_false(taken[match[m].index]);
		taken[match[m].index] = 1;
		assert_true(fabsl(match[m].similarity - mine) < 1e-7);
		assert_true(fabs(match[m].confidence -
						 rvd_pattern_confidence(p, (double) mine)) < 1e-6);
		for (int i = 0; i < b->n; i++)
		{
			long double other;

			if (taken[i])
				continue;
			other = cosine(query, b->pattern[i].centroid);
			assert_true(other < mine + 1e-13L);
			if (memcmp(b->pattern[i].centroid, p->centroid,
					   sizeof(p->centroid)) == 0)
				assert_true(b->pattern[i].id > p->id);
		}
	}
	free(taken);
}

static void
search_agrees_with_brute_force(void **state)
{
	for (int c = 0; c < 400; c++)
	{
		int			n = c < 12 ? c : (int) rvd_rng_below(&rng, 150);
		RvdBank    *b = make_bank(n + 1);
		float		center[3][DIM];
		float		query[DIM];

		for (int i = 0; i < 3; i++)
			random_unit(center[i]);
		for (int i = 0; i < n; i++)
		{
			RvdPattern	p = random_pattern(rvd_rng_next(&rng));

			if (c % 3 == 1)		/* clusters */
				near_unit(center[i % 3], 0.3, p.centroid);
			else if (c % 3 == 2 && i % 2 == 1)	/* duplicates */
				memcpy(p.centroid, b->pattern[i / 2].centroid,
					   sizeof(p.centroid));
			assert_int_equal(rvd_bank_add(b, &p), RVD_OK);
		}
		for (int q = 0; q < 3; q++)
		{
			if (q == 0)
				random_unit(query);
			else
				near_unit(center[q], 0.5, query);
			check_search(b, query);
		}
		free(b);
	}
}

static void
search_agrees_on_ten_thousand(void **state)
{
	RvdBank    *b = make_bank(10000);
	float		center[40][DIM];
	float		query[DIM];

	for (int i = 0; i < 40; i++)
		random_unit(center[i]);
	for (int i = 0; i < 10000; i++)
	{
		RvdPattern	p = make_pattern((uint64_t) i + 1);

		near_unit(center[i % 40], 0.4, p.centroid);
		assert_int_equal(rvd_bank_add(b, &p), RVD_OK);
	}
	for (int q = 0; q < 4; q++)
	{
		near_unit(center[q], 0.4, query);
		check_search(b, query);
	}
	free(b);
}

/* One direction a hundred times: the lowest ids, wherever they are. */
static void
ties_go_to_the_lowest_id(void **state)
{
	for (int c = 0; c < 100; c++)
	{
		RvdBank    *b = make_bank(100);
		RvdMatch	match[RVD_BANK_TOP];
		float		x[DIM];
		int			step = 2 * (int) rvd_rng_below(&rng, 50) + 1;

		if (step % 5 == 0)
			step = 1;
		random_unit(x);
		for (int i = 0; i < 100; i++)
		{
			RvdPattern	p = make_pattern((uint64_t) ((i + c) * step % 100));

			memcpy(p.centroid, x, sizeof(x));
			assert_int_equal(rvd_bank_add(b, &p), RVD_OK);
		}
		assert_int_equal(rvd_bank_search(b, x, match), RVD_BANK_TOP);
		for (int m = 0; m < RVD_BANK_TOP; m++)
			assert_int_equal(b->pattern[match[m].index].id, m);
		free(b);
	}
}

/*
 * Centroids that differ in the last place of one coordinate: float sums
 * cannot tell them apart, the answer must.
 */
static void
nearly_ties_are_told_apart(void **state)
{
	for (int c = 0; c < 200; c++)
	{
		RvdBank    *b = make_bank(64);
		float		x[DIM];

		random_unit(x);
		for (int i = 0; i < 64; i++)
		{
			RvdPattern	p = make_pattern((uint64_t) i);
			int			at = (int) rvd_rng_below(&rng, DIM);

			memcpy(p.centroid, x, sizeof(x));
			p.centroid[at] = nextafterf(x[at], i % 2 ? 2 : -2);
			assert_int_equal(rvd_bank_add(b, &p), RVD_OK);
		}
		check_search(b, x);
		free(b);
	}
}

static void
nothing_matches_no_direction(void **state)
{
	static const float bad[] = {NAN, INFINITY, -INFINITY};
	RvdBank    *b = make_bank(8);
	RvdMatch	match[RVD_BANK_TOP];
	float		query[DIM] = {0};

	query[3] = 1;
	assert_int_equal(rvd_bank_search(b, query, match), 0);
	for (int i = 0; i < 8; i++)
	{
		RvdPattern	p = random_pattern((uint64_t) i);

		/* a damaged one is never found */
		if (i < 3)
			p.centroid[10 * i] = bad[i];
		assert_int_equal(rvd_bank_add(b, &p), RVD_OK);
	}
	for (int q = 0; q < 20; q++)
	{
		random_unit(query);
		assert_int_equal(rvd_bank_search(b, query, match), 5);
		for (int m = 0; m < 5; m++)
			assert_true(match[m].index >= 3);
	}
	for (int i = 0; i < 3; i++)
	{
		query[7] = bad[i];
		assert_int_equal(rvd_bank_search(b, query, match), 0);
	}
	memset(query, 0, sizeof(query));
	assert_int_equal(rvd_bank_search(b, query, match), 0);
	free(b);
}

/* ---- confidence ------------------------------------------------------------ */

/* P(mean ratio < 0) by Simpson's rule over prior times likelihood. */
static double
integrate_posterior(double n, double mean, double variance)
{
	long double sum[2] = {0, 0};
	double		width = sqrt(1 / (1 / 0.49 + n / variance));
	double		middle = (0.35 / 0.49 + n / variance * mean) * width * width;

	for (int side = 0; side < 2; side++)
	{
		double		from = side ? 0 : fmin(middle, 0) - 12 * width;
		double		to = side ? fmax(middle, 0) + 12 * width : 0;

		for (int i = 0; i <= 2000; i++)
		{
			double		x = from + (to - from) * i / 2000;
			double		e = (x - 0.35) * (x - 0.35) / 0.49 +
				n * (x - mean) * (x - mean) / variance;
			double		e0 = (middle - 0.35) * (middle - 0.35) / 0.49 +
				n * (middle - mean) * (middle - mean) / variance;
			double		weight = i == 0 || i == 2000 ? 1 : i % 2 ? 4 : 2;

			sum[side] += weight * (to - from) * expl(-0.5 * (e - e0));
		}
	}
	return (double) (sum[0] / (sum[0] + sum[1]));
}

static void
confidence_agrees_with_integration(void **state)
{
	for (int c = 0; c < 1000; c++)
	{
		RvdPattern	p = make_pattern(1);
		double		similarity = rvd_rng_uniform(&rng) * 1.2 - 0.1;
		double		variance;
		double		want;

		p.verified = 1 + (uint32_t) rvd_rng_below(&rng, 40);
		p.mean_ratio = (float) (0.3 * rvd_rng_normal(&rng));
		p.ratio_variance = (float) (0.5 * pow(rvd_rng_uniform(&rng), 6));
		variance = fmax(p.ratio_variance, 0.05 * 0.05);
		want = fmin(1, fmax(0, (similarity - 0.5) / 0.5)) *
			integrate_posterior(p.verified, p.mean_ratio, variance) *
			p.verified / (p.verified + 3.0);
		assert_true(fabs(rvd_pattern_confidence(&p, similarity) - want) < 1e-6);
	}
}

static void
confidence_grows_with_each_part(void **state)
{
	for (int c = 0; c < 1000; c++)
	{
		RvdPattern	p = random_pattern(1);
		RvdPattern	better = p;
		double		similarity = rvd_rng_uniform(&rng);
		double		now;

		p.mean_ratio = better.mean_ratio = -fabsf(p.mean_ratio);
		now = rvd_pattern_confidence(&p, similarity);
		assert_true(now >= 0 && now < 1);
		assert_true(rvd_pattern_confidence(&p, similarity + 0.1) >= now);
		better.mean_ratio -= 0.1f;
		assert_true(rvd_pattern_confidence(&better, similarity) >= now);
		better = p;
		better.verified++;
		assert_true(rvd_pattern_confidence(&better, similarity) >= now);
		p.verified = 0;
		assert_true(rvd_pattern_confidence(&p, similarity) == 0);
	}
}

/* What the setting of 0.8 means. */
static void
confidence_of_four_fifths_is_hard_to_get(void **state)
{
	RvdPattern	p = make_pattern(1);

	p.mean_ratio = -3;
	p.verified = 1000000;
	assert_true(rvd_pattern_confidence(&p, 0.89) < 0.8);
	assert_true(rvd_pattern_confidence(&p, 0.91) > 0.8);
	p.verified = 11;
	assert_true(rvd_pattern_confidence(&p, 1) < 0.8);
	p.verified = 13;
	assert_true(rvd_pattern_confidence(&p, 1) > 0.8);
	p.mean_ratio = 0.1f;
	assert_true(rvd_pattern_confidence(&p, 1) < 0.1);
	p.mean_ratio = NAN;
	assert_true(rvd_pattern_confidence(&p, 1) == 0);
	p.mean_ratio = -1;
	assert_true(rvd_pattern_confidence(&p, NAN) == 0);
}

static void
value_is_use_times_gain_times_confidence(void **state)
{
	for (int c = 0; c < 1000; c++)
	{
		RvdPattern	p = random_pattern(1);

		assert_true(fabs(rvd_pattern_value(&p) - p.samples *
						 fabs((double) p.mean_ratio) *
						 rvd_pattern_confidence(&p, 1)) < 1e-9);
		p.verified = 0;
		assert_true(rvd_pattern_value(&p) == 0);
		p.verified = 5;
		p.mean_ratio = NAN;
		assert_true(rvd_pattern_value(&p) == 0);
	}
}

/* ---- eviction -------------------------------------------------------------- */

static int
by_worth(const void *a, const void *b)
{
	const RvdPattern *x = a;
	const RvdPattern *y = b;
	double		vx = rvd_pattern_value(x);
	double		vy = rvd_pattern_value(y);

	if (vx != vy)
		return vx > vy ? -1 : 1;
	if (x->updated_at != y->updated_at)
		return x->updated_at > y->updated_at ? -1 : 1;
	return x->id < y->id ? -1 : 1;
}

static int
by_id(const void *a, const void *b)
{
	const RvdPattern *x = a;
	const RvdPattern *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* Whatever order they come in, the most valuable are there in the end. */
static void
the_most_valuable_stay(void **state)
{
	static RvdPattern all[40];

	for (int c = 0; c < 1000; c++)
	{
		int			n = 1 + (int) rvd_rng_below(&rng, 40);
		int			capacity = (int) rvd_rng_below(&rng, 20);
		RvdBank    *b = make_bank(capacity);

		for (int i = 0; i < n; i++)
		{
			bool		full = b->n == capacity;
			RvdStatus	status;

			all[i] = make_pattern((uint64_t) i);
			all[i].samples = (uint32_t) rvd_rng_below(&rng, 4);
			all[i].updated_at = (int64_t) rvd_rng_below(&rng, 3);
			status = rvd_bank_add(b, &all[i]);
			if (!full)
				assert_int_equal(status, RVD_OK);
			if (status == RVD_OK)
			{
				bool		there = false;

				for (int j = 0; j < b->n; j++)
					there |= b->pattern[j].id == (uint64_t) i;
				assert_true(there);
			}
			else
				assert_int_equal(status, RVD_ERR_FULL);
		}
		qsort(all, (size_t) n, sizeof(all[0]), by_worth);
		if (n > capacity)
			n = capacity;
		assert_int_equal(b->n, n);
		qsort(all, (size_t) n, sizeof(all[0]), by_id);
		qsort(b->pattern, (size_t) n, sizeof(all[0]), by_id);
		assert_memory_equal(b->pattern, all, sizeof(all[0]) * (size_t) n);
		free(b);
	}
}

/* ---- merging --------------------------------------------------------------- */

typedef struct Member
{
	float		x[DIM];
	double		ratio;
	double		ms;
} Member;

/* A pattern as its members make it. */
static void
summarise(const Member *member, int n, RvdPattern *p)
{
	double		sum[DIM] = {0};
	double		norm = 0;
	double		ratio = 0;
	double		log_ms = 0;
	double		spread = 0;

	for (int i = 0; i < n; i++)
	{
		for (int d = 0; d < DIM; d++)
			sum[d] += member[i].x[d];
		ratio += member[i].ratio / n;
		log_ms += log(member[i].ms) / n;
	}
	for (int d = 0; d < DIM; d++)
		norm += sum[d] * sum[d];
	norm = sqrt(norm);
	for (int d = 0; d < DIM; d++)
		p->centroid[d] = (float) (sum[d] / norm);
	for (int i = 0; i < n; i++)
		spread += (member[i].ratio - ratio) * (member[i].ratio - ratio) / n;
	p->tightness = (float) (norm / n);
	p->samples = p->verified = (uint32_t) n;
	p->mean_ratio = (float) ratio;
	p->ratio_variance = (float) spread;
	p->latency_ms = (float) exp(log_ms);
	p->baseline_ms = 2 * p->latency_ms;
	p->quality = (float) (0.5 + 0.01 * ratio);
	p->inflate = (float) (ratio * 2);
}

static void
close_to(double a, double b)
{
	assert_true(fabs(a - b) <= 2e-5 * (1 + fabs(b)));
}

static void
absorbing_is_as_one_cluster(void **state)
{
	static Member member[60];

	for (int c = 0; c < 1000; c++)
	{
		int			n = 1 + (int) rvd_rng_below(&rng, 30);
		int			m = 1 + (int) rvd_rng_below(&rng, 30);
		float		center[DIM];
		RvdPattern	a = make_pattern(3);
		RvdPattern	b = make_pattern(4);
		RvdPattern	want = make_pattern(3);

		random_unit(center);
		for (int i = 0; i < n + m; i++)
		{
			near_unit(center, 0.8, member[i].x);
			member[i].ratio = rvd_rng_normal(&rng);
			member[i].ms = exp(3 * rvd_rng_normal(&rng));
		}
		summarise(member, n, &a);
		summarise(member + n, m, &b);
		summarise(member, n + m, &want);
		a.attention = a.example = 1;
		b.attention = b.example = 2;
		rvd_pattern_absorb(&a, &b);
		for (int d = 0; d < DIM; d++)
			close_to(a.centroid[d], want.centroid[d]);
		close_to(a.tightness, want.tightness);
		close_to(a.mean_ratio, want.mean_ratio);
		close_to(a.ratio_variance, want.ratio_variance);
		close_to(a.latency_ms, want.latency_ms);
		close_to(a.baseline_ms, want.baseline_ms);
		close_to(a.quality, want.quality);
		close_to(a.inflate, want.inflate);
		assert_int_equal(a.samples, n + m);
		assert_int_equal(a.verified, n + m);
		assert_int_equal(a.id, 3);
		assert_int_equal(a.updated_at, 4);
		assert_int_equal(a.attention, m > n ? 2 : 1);
		assert_int_equal(a.example, m > n ? 2 : 1);
	}
}

static void
absorbing_knows_its_limits(void **state)
{
	RvdPattern	a = random_pattern(1);
	RvdPattern	b = a;
	RvdPattern	kept = a;

	/* members that cancel out leave the direction */
	rvd_vec_scale(-1, b.centroid, DIM);
	a.samples = b.samples = 5;
	rvd_pattern_absorb(&a, &b);
	assert_memory_equal(a.centroid, kept.centroid, sizeof(a.centroid));
	assert_true(a.tightness < 1e-6);

	/* no members and no evidence: figures stay; counts do not wrap */
	a = b = random_pattern(1);
	a.samples = b.samples = a.verified = b.verified = 0;
	a.quality = 0.25f;
	b.quality = 0.75f;
	rvd_pattern_absorb(&a, &b);
	assert_true(a.quality == 0.25f);
	assert_true(a.mean_ratio == b.mean_ratio);
	a.samples = UINT32_MAX - 3;
	b.samples = 10;
	rvd_pattern_absorb(&a, &b);
	assert_true(a.samples == UINT32_MAX);

	/* a time nobody knows */
	a.latency_ms = 0;
	b.latency_ms = 8;
	a.baseline_ms = 7;
	b.baseline_ms = 0;
	rvd_pattern_absorb(&a, &b);
	assert_true(a.latency_ms == 8 && a.baseline_ms == 7);
}

static void
absorbing_unites_relations(void **state)
{
	for (int c = 0; c < 1000; c++)
	{
		RvdPattern	a = random_pattern(1);
		RvdPattern	b = random_pattern(2);
		uint32_t	want[2 * RVD_PATTERN_RELATIONS];
		int			n = 0;

		a.n_relations = (int16_t) rvd_rng_below(&rng, RVD_PATTERN_RELATIONS + 1);
		b.n_relations = (int16_t) rvd_rng_below(&rng, RVD_PATTERN_RELATIONS + 1);
		for (int i = 0; i < a.n_relations; i++)
			want[n++] = a.relations[i] = 100 + 3 * (uint32_t) i;
		for (int i = 0; i < b.n_relations; i++)
		{
			bool		known = false;

			b.relations[i] = 100 + 2 * (uint32_t) i;
			for (int j = 0; j < n; j++)
				known |= want[j] == b.relations[i];
			if (!known)
				want[n++] = b.relations[i];
		}
		if (n > RVD_PATTERN_RELATIONS)
			n = RVD_PATTERN_RELATIONS;
		rvd_pattern_absorb(&a, &b);
		assert_int_equal(a.n_relations, n);
		assert_memory_equal(a.relations, want, sizeof(want[0]) * (size_t) n);
	}
}

static void
fill_with_alike(RvdBank *b, int n, int n_centers)
{
	float		center[8][DIM];

	for (int i = 0; i < n_centers; i++)
		random_unit(center[i]);
	for (int i = 0; i < n; i++)
	{
		RvdPattern	p = random_pattern((uint64_t) i + 5);

		p.configuration = (uint32_t) rvd_rng_below(&rng, 2);
		p.samples++;
		p.tightness = 0.9f;
		near_unit(center[rvd_rng_below(&rng, (uint64_t) n_centers)],
				  0.3 * rvd_rng_uniform(&rng), p.centroid);
		assert_int_equal(rvd_bank_add(b, &p), RVD_OK);
	}
}

static void
shuffle(RvdBank *b)
{
	for (int i = b->n - 1; i > 0; i--)
	{
		int			j = (int) rvd_rng_below(&rng, (uint64_t) i + 1);
		RvdPattern	swap = b->pattern[i];

		b->pattern[i] = b->pattern[j];
		b->pattern[j] = swap;
	}
}

static void
consolidation_leaves_no_two_alike(void **state)
{
	int			merges = 0;

	for (int c = 0; c < 300; c++)
	{
		int			n = 1 + (int) rvd_rng_below(&rng, 40);
		RvdBank    *a = make_bank(n);
		RvdBank    *b = make_bank(n);
		uint64_t	samples = 0;
		int			gone;

		fill_with_alike(a, n, 1 + c % 8);
		memcpy(b, a, rvd_bank_size(n));
		for (int i = 0; i < n; i++)
			samples += a->pattern[i].samples;
		gone = rvd_bank_consolidate(a, 0.95);
		merges += gone;
		assert_int_equal(a->n + gone, n);
		for (int i = 0; i < a->n; i++)
		{
			samples -= a->pattern[i].samples;
			for (int j = 0; j < i; j++)
			{
				assert_true(a->pattern[j].id < a->pattern[i].id);
				if (a->pattern[i].configuration == a->pattern[j].configuration)
					assert_true(cosine(a->pattern[i].centroid,
									   a->pattern[j].centroid) < 0.95 + 1e-5);
			}
		}
		assert_true(samples == 0);
		assert_int_equal(rvd_bank_consolidate(a, 0.95), 0);

		/* the order in which they lay does not matter */
		shuffle(b);
		assert_int_equal(rvd_bank_consolidate(b, 0.95), gone);
		assert_memory_equal(a->pattern, b->pattern,
							sizeof(RvdPattern) * (size_t) a->n);
		free(a);
		free(b);
	}
	assert_true(merges > 1000);
}

static void
consolidation_respects_configuration_and_threshold(void **state)
{
	RvdBank    *b = make_bank(4);
	RvdPattern	p = random_pattern(7);

	for (int i = 0; i < 4; i++)
	{
		p.id = 7 - (uint64_t) i;
		p.configuration = (uint32_t) (i % 2);
		assert_int_equal(rvd_bank_add(b, &p), RVD_OK);
	}
	assert_int_equal(rvd_bank_consolidate(b, 1.01), 0);
	assert_int_equal(rvd_bank_consolidate(b, 0.95), 2);
	assert_int_equal(b->n, 2);
	assert_int_equal(b->pattern[0].id, 4);
	assert_int_equal(b->pattern[0].configuration, 1);
	assert_int_equal(b->pattern[1].id, 5);
	assert_int_equal(b->pattern[1].configuration, 0);
	b->n = 0;
	assert_int_equal(rvd_bank_consolidate(b, 0.95), 0);
	free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(search_agrees_with_brute_force),
		cmocka_unit_test(search_agrees_on_ten_thousand),
		cmocka_unit_test(ties_go_to_the_lowest_id),
		cmocka_unit_test(nearly_ties_are_told_apart),
		cmocka_unit_test(nothing_matches_no_direction),
		cmocka_unit_test(confidence_agrees_with_integration),
		cmocka_unit_test(confidence_grows_with_each_part),
		cmocka_unit_test(confidence_of_four_fifths_is_hard_to_get),
		cmocka_unit_test(value_is_use_times_gain_times_confidence),
		cmocka_unit_test(the_most_valuable_stay),
		cmocka_unit_test(absorbing_is_as_one_cluster),
		cmocka_unit_test(absorbing_knows_its_limits),
		cmocka_unit_test(absorbing_unites_relations),
		cmocka_unit_test(consolidation_leaves_no_two_alike),
		cmocka_unit_test(consolidation_respects_configuration_and_threshold),
	};

	rvd_rng_init(&rng, RVD_RNG_TEST, 23);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
