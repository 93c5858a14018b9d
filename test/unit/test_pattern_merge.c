/*-------------------------------------------------------------------------
 *
 * test_pattern_merge.c
 *	  Clusters that are one, and fresh patterns that meet old ones.
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

/* ---- joining ------------------------------------------------------------ */

/* Points around a few directions, cut into more clusters than that. */
typedef struct Pieces
{
	int			n;
	int			k;
	int			truth[MAX_N];
	float		points[MAX_N * DIM];
	int32_t		before[MAX_N];
	int32_t		after[MAX_N];
	int			left;
} Pieces;

static void
cut(Pieces *p, double noise)
{
	float		center[4][DIM];

	p->n = 20 + below(MAX_N - 20);
	p->k = 4 * (1 + below(3));
	for (int t = 0; t < 4; t++)
		random_direction(center[t]);
	for (int i = 0; i < p->n; i++)
	{
		float	   *x = p->points + i * DIM;

		p->truth[i] = i % 4;
		p->before[i] = i < p->k ? i : i % 4 + 4 * below(p->k / 4);
		random_direction(x);
		rvd_vec_scale((float) noise, x, DIM);
		rvd_vec_axpy(1, center[i % 4], x, DIM);
		rvd_vec_normalize(x, DIM);
	}
}

static void
put_together(Pieces *p, double threshold)
{
	void	   *work = malloc(rvd_clusters_workspace(p->k));

	memcpy(p->after, p->before, sizeof(p->after));
	p->left = rvd_clusters_join(p->points, p->n, p->after, p->k, threshold,
								work);
	free(work);
}

static double
cosine_of_means(const Pieces *p, int a, int b)
{
	double		x[2][DIM] = {{0}};
	double		dot[3] = {0};

	for (int i = 0; i < p->n; i++)
		for (int d = 0; d < DIM; d++)
		{
			x[0][d] += p->after[i] == a ? p->points[i * DIM + d] : 0;
			x[1][d] += p->after[i] == b ? p->points[i * DIM + d] : 0;
		}
	for (int d = 0; d < DIM; d++)
	{
		dot[0] += x[0][d] * x[1][d];
		dot[1] += x[0][d] * x[0][d];
		dot[2] += x[1][d] * x[1][d];
	}
	return dot[0] / sqrt(dot[1] * dot[2]);
}

static void
pieces_of_a_cluster_are_put_together(void **state)
{
	for (int i = 0; i < 1000; i++)
	{
		Pieces	   *p = malloc(sizeof(Pieces));

		cut(p, 0.15);
		put_together(p, 0.95);
		assert_int_equal(p->left, 4);
		for (int a = 0; a < p->n; a++)
			for (int b = 0; b < a; b++)
				assert_true((p->truth[a] == p->truth[b]) ==
							(p->after[a] == p->after[b]));
		free(p);
	}
}

/* Whatever the noise: labels without gaps, a coarsening, and all apart. */
static void
joined_clusters_are_apart(void **state)
{
	for (int i = 0; i < 100; i++)
	{
		Pieces	   *p = malloc(sizeof(Pieces));
		double		threshold = 0.3 + 0.6 * rvd_rng_uniform(&rng);
		int			used[MAX_N] = {0};

		cut(p, 0.2 + 2 * rvd_rng_uniform(&rng));
		put_together(p, threshold);
		for (int a = 0; a < p->n; a++)
		{
			assert_in_range(p->after[a], 0, p->left - 1);
			used[p->after[a]] = 1;
			for (int b = 0; b < a; b++)
				assert_true(p->before[a] != p->before[b] ||
							p->after[a] == p->after[b]);
		}
		for (int c = 0; c < p->left; c++)
		{
			assert_int_equal(used[c], 1);
			for (int b = 0; b < c; b++)
				assert_true(cosine_of_means(p, b, c) <= threshold + 1e-5);
		}
		free(p);
	}
}

static void
clusters_apart_stay_as_they_are(void **state)
{
	Pieces	   *p = calloc(1, sizeof(Pieces));

	p->n = p->k = 9;
	for (int i = 0; i < 9; i++)
	{
		random_direction(p->points + i * DIM);
		p->before[i] = 8 - i;
	}
	put_together(p, 0.95);
	assert_int_equal(p->left, 9);
	assert_memory_equal(p->before, p->after, sizeof(p->after));
	free(p);
}

/* ---- into the bank ------------------------------------------------------ */

static RvdBank *
new_bank(int capacity)
{
	RvdBank    *b = malloc(rvd_bank_size(capacity));

	rvd_bank_init(b, capacity);
	return b;
}

static RvdPattern
pattern(uint64_t id, uint32_t samples, uint32_t verified, int64_t now)
{
	RvdPattern	p = {.id = id, .samples = samples, .verified = verified,
		.updated_at = now, .mean_ratio = -1, .ratio_variance = 0.02f,
		.configuration = 1};

	random_direction(p.centroid);
	return p;
}

/* A pattern at a given cosine to another one. */
static RvdPattern
near(const RvdPattern *p, double cosine, uint32_t verified, int64_t now)
{
	RvdPattern	q = pattern(0, p->samples, verified, now);

	rvd_vec_axpy(-rvd_vec_dot(q.centroid, p->centroid, DIM), p->centroid,
				 q.centroid, DIM);
	assert_true(rvd_vec_normalize(q.centroid, DIM));
	rvd_vec_scale((float) sqrt(1 - cosine * cosine), q.centroid, DIM);
	rvd_vec_axpy((float) cosine, p->centroid, q.centroid, DIM);
	return q;
}

static void
unknown_patterns_get_new_ids(void **state)
{
	RvdBank    *b = new_bank(100);
	RvdPattern	fresh[10];
	uint64_t	next = 41;

	for (int i = 0; i < 10; i++)
		fresh[i] = pattern(0, 5, 4, 2);
	assert_int_equal(rvd_patterns_merge(b, fresh, 10, 0.95, &next), 0);
	assert_int_equal(b->n, 10);
	assert_int_equal(next, 51);
	for (int i = 0; i < 10; i++)
		assert_int_equal(b->pattern[i].id, 41 + i);
	free(b);
}

static void
news_of_an_old_pattern_keep_its_id(void **state)
{
	for (int i = 0; i < 1000; i++)
	{
		RvdBank    *b = new_bank(3);
		RvdPattern	old = pattern(7, 1 + (uint32_t) below(9),
								  (uint32_t) below(9), 1);
		RvdPattern	fresh = near(&old, 0.96, (uint32_t) below(9), 2);
		const RvdPattern *more = fresh.verified >= old.verified ?
			&fresh : &old;
		uint64_t	next = 8;
		double		wanted;

		fresh.samples = 1 + (uint32_t) below(9);
		fresh.configuration = (uint32_t) below(2);
		fresh.mean_ratio = 0.5f;
		rvd_bank_add(b, &old);
		assert_int_equal(rvd_patterns_merge(b, &fresh, 1, 0.95, &next), 1);
		assert_int_equal(b->n, 1);
		assert_int_equal(next, 8);
		assert_int_equal(b->pattern[0].id, 7);
		assert_int_equal(b->pattern[0].updated_at, 2);
		assert_int_equal(b->pattern[0].verified, more->verified);
		assert_int_equal(b->pattern[0].configuration, more->configuration);
		assert_true(b->pattern[0].mean_ratio == more->mean_ratio);

		/* by the law of cosines */
		wanted = (old.samples + fresh.samples * 0.96) /
			sqrt((double) old.samples * old.samples +
				 (double) fresh.samples * fresh.samples +
				 2 * 0.96 * old.samples * fresh.samples);
		wanted -= rvd_vec_dot_exact(b->pattern[0].centroid, old.centroid,
									DIM);
		assert_true(fabs(wanted) < 1e-5);
		free(b);
	}
}

static void
too_far_is_another_pattern(void **state)
{
	RvdBank    *b = new_bank(3);
	RvdPattern	old = pattern(7, 5, 4, 1);
	RvdPattern	fresh = near(&old, 0.94, 4, 2);
	uint64_t	next = 8;

	rvd_bank_add(b, &old);
	assert_int_equal(rvd_patterns_merge(b, &fresh, 1, 0.95, &next), 0);
	assert_int_equal(b->n, 2);
	assert_memory_equal(&b->pattern[0], &old, sizeof(old));
	free(b);
}

/* Read again and again, evidence stays what it is. */
static void
repeated_cycles_do_not_add_up(void **state)
{
	RvdBank    *b = new_bank(50);
	RvdPattern	fresh[20];
	uint64_t	next = 1;

	for (int i = 0; i < 20; i++)
		fresh[i] = pattern(0, 9, (uint32_t) below(13), 0);
	fresh[19] = near(&fresh[0], 0.97, 12, 0);
	for (int cycle = 1; cycle < 50; cycle++)
	{
		for (int i = 0; i < 20; i++)
			fresh[i].updated_at = cycle;
		assert_int_equal(rvd_patterns_merge(b, fresh, 20, 0.95, &next),
						 cycle == 1 ? 0 : 20);
	}
	assert_int_equal(b->n, 20);
	for (int i = 0; i < 20; i++)
	{
		assert_int_equal(b->pattern[i].verified, fresh[i].verified);
		assert_int_equal(b->pattern[i].samples, 9);
	}
	free(b);
}

static void
an_old_pattern_meets_one_fresh_one(void **state)
{
	RvdBank    *b = new_bank(5);
	RvdPattern	old = pattern(7, 1000, 4, 1);
	RvdPattern	fresh[2] = {near(&old, 0.99, 4, 2), near(&old, 0.98, 4, 2)};
	uint64_t	next = 8;

	fresh[0].samples = fresh[1].samples = 1;
	fresh[1].configuration = RVD_CONFIGURATION_STOCK;
	rvd_bank_add(b, &old);
	assert_int_equal(rvd_patterns_merge(b, fresh, 2, 0.95, &next), 1);
	assert_int_equal(b->n, 2);
	assert_int_equal(b->pattern[0].configuration, 1);
	assert_int_equal(b->pattern[1].configuration, RVD_CONFIGURATION_STOCK);
	assert_int_equal(b->pattern[1].id, 8);
	free(b);
}

static void
a_full_bank_gives_up_the_least_valuable(void **state)
{
	RvdBank    *b = new_bank(2);
	RvdPattern	old[2] = {pattern(1, 50, 20, 1), pattern(2, 1, 0, 1)};
	RvdPattern	fresh = pattern(0, 9, 12, 2);
	uint64_t	next = 3;

	rvd_bank_add(b, &old[0]);
	rvd_bank_add(b, &old[1]);
	assert_int_equal(rvd_patterns_merge(b, &fresh, 1, 0.95, &next), 0);
	assert_int_equal(b->n, 2);
	assert_int_equal(b->pattern[0].id, 1);
	assert_int_equal(b->pattern[1].id, 3);
	free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_of_a_cluster_are_put_together),
		cmocka_unit_test(joined_clusters_are_apart),
		cmocka_unit_test(clusters_apart_stay_as_they_are),
		cmocka_unit_test(unknown_patterns_get_new_ids),
		cmocka_unit_test(news_of_an_old_pattern_keep_its_id),
		cmocka_unit_test(too_far_is_another_pattern),
		cmocka_unit_test(repeated_cycles_do_not_add_up),
		cmocka_unit_test(an_old_pattern_meets_one_fresh_one),
		cmocka_unit_test(a_full_bank_gives_up_the_least_valuable),
	};

	rvd_rng_init(&rng, RVD_RNG_TEST, 23);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
