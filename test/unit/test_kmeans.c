/*-------------------------------------------------------------------------
 *
 * test_kmeans.c
 *	  K-means against naive assignment in long double, enumeration of all
 *	  partitions, planted clusters and other ways to multiply.
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

#include "ruvector_dag/kmeans.h"
#include "ruvector_dag/rng.h"
#include "ruvector_dag/vec.h"

#include "../../src/learning/kmeans_internal.h"

static RvdRng rng;

/* ---- inputs and results ----------------------------------------------------- */

static float *
random_points(int n, int dim)
{
	float	   *x = malloc(sizeof(float) * (size_t) (n * dim));

	for (int i = 0; i < n * dim; i++)
		x[i] = (float) rvd_rng_normal(&rng);
	return x;
}

/* Unit vectors around n_centers directions; truth may be NULL. */
static float *
planted_points(int n, int dim, int n_centers, double noise, int *truth)
{
	float	   *center = random_points(n_centers, dim);
	float	   *x = random_points(n, dim);

	for (int i = 0; i < n; i++)
	{
		int			c = i < n_centers ? i :
			(int) rvd_rng_below(&rng, (uint64_t) n_centers);

		for (int j = 0; j < dim; j++)
			x[i * dim + j] = center[c * dim + j] +
				(float) noise * x[i * dim + j];
		rvd_vec_normalize(x + i * dim, dim);
		if (truth)
			truth[i] = c;
	}
	free(center);
	return x;
}

static RvdKmeansOptions
options_of(int k, uint64_t seed)
{
	RvdKmeansOptions o = {.k = k, .max_iterations = 100, .tolerance = 1e-6,
	.seed = seed};

	return o;
}

/* Everything allocated to size, so that a step beyond is seen. */
static RvdKmeansResult
fit(const float *x, int n, int dim, const RvdKmeansOptions *o)
{
	RvdKmeansResult r = {.centroid = calloc((size_t) (o->k * dim), sizeof(float)),
		.assignment = calloc((size_t) n, sizeof(int32_t)),
	.size = calloc((size_t) o->k, sizeof(int32_t))};
	void	   *work = malloc(rvd_kmeans_workspace(n, dim, o->k));

	assert_int_equal(rvd_kmeans_fit(x, n, dim, o, &r, work), RVD_OK);
	free(work);
	return r;
}

static void
forget(RvdKmeansResult *r)
{
	free(r->centroid);
	free(r->assignment);
	free(r->size);
}

static void
assert_same(const RvdKmeansResult *a, const RvdKmeansResult *b, int n, int dim)
{
	assert_int_equal(a->k, b->k);
	assert_int_equal(a->iterations, b->iterations);
	assert_true(a->cost == b->cost);
	assert_memory_equal(a->assignment, b->assignment, sizeof(int32_t) * (size_t) n);
	assert_memory_equal(a->size, b->size, sizeof(int32_t) * (size_t) a->k);
	assert_memory_equal(a->centroid, b->centroid,
						sizeof(float) * (size_t) (a->k * dim));
}

static long double
distance(const float *a, const float *b, int dim)
{
	long double sum = 0;

	for (int j = 0; j < dim; j++)
		sum += ((long double) a[j] - b[j]) * ((long double) a[j] - b[j]);
	return sum;
}

/* Centroids are means, sizes counts, cost the cost; no cluster is empty. */
static void
check_consistent(const float *x, int n, int dim, const RvdKmeansResult *r)
{
	long double cost = 0;

	for (int c = 0; c < r->k; c++)
	{
		int			size = 0;

		for (int i = 0; i < n; i++)
			size += r->assignment[i] == c;
		assert_true(size > 0);
		assert_int_equal(r->size[c], size);
		for (int j = 0; j < dim; j++)
		{
			long double mean = 0;

			for (int i = 0; i < n; i++)
				if (r->assignment[i] == c)
					mean += x[i * dim + j];
			mean /= size;
			assert_true(fabsl(r->centroid[c * dim + j] - mean) <=
						1e-6 * (1 + fabsl(mean)));
		}
	}
	for (int i = 0; i < n; i++)
		cost += distance(x + i * dim, r->centroid + r->assignment[i] * dim, dim);
	assert_true(fabsl(r->cost - cost) <= 1e-10 * cost + 1e-300L);
}

/* ---- products to multiply with --------------------------------------------- */

static void
gemm_backwards(int m, int n, int k, const float *a, const float *b, float *c)
{
	for (int i = 0; i < m; i++)
		for (int j = 0; j < n; j++)
		{
			float		sum = 0;

			for (int l = k - 1; l >= 0; l--)
				sum += a[i * k + l] * b[j * k + l];
			c[i * n + j] = sum;
		}
}

/* As wrong as a product of floats is allowed to be, one way or the other. */
static void
gemm_worst(int m, int n, int k, const float *a, const float *b, float *c)
{
	for (int i = 0; i < m; i++)
		for (int j = 0; j < n; j++)
		{
			double		sum = 0;
			double		aa = 0;
			double		bb = 0;

			for (int l = 0; l < k; l++)
			{
				sum += (double) a[i * k + l] * b[j * k + l];
				aa += (double) a[i * k + l] * a[i * k + l];
				bb += (double) b[j * k + l] * b[j * k + l];
			}
			c[i * n + j] = (float) (sum + ((i + j) % 2 ? 1 : -1) *
									k * 0x1p-24 * sqrt(aa * bb));
		}
}

/* ---- tests ------------------------------------------------------------------- */

typedef struct Watch
{
	double		last;
	int			calls;
} Watch;

static void
watch(void *arg, int iteration, double cost)
{
	Watch	   *w = arg;

	assert_int_equal(iteration, w->calls);
	assert_true(cost <= w->last * (1 + 1e-6) + 1e-12);
	w->last = cost;
	w->calls++;
}

static void
cost_never_rises(void **state)
{
	for (int c = 0; c < 400; c++)
	{
		int			n = 1 + (int) rvd_rng_below(&rng, 200);
		int			dim = 1 + (int) rvd_rng_below(&rng, 20);
		int			k = 1 + (int) rvd_rng_below(&rng, 20);
		float	   *x = random_points(n, dim);
		RvdKmeansOptions o = options_of(k, (uint64_t) c);
		Watch		w = {INFINITY, 0};
		RvdKmeansResult r;

		o.tolerance = 0;
		o.progress = watch;
		o.progress_arg = &w;
		r = fit(x, n, dim, &o);
		assert_int_equal(w.calls, r.iterations);
		assert_true(r.iterations < 100);
		assert_true(r.cost <= w.last * (1 + 1e-6) + 1e-12);
		check_consistent(x, n, dim, &r);
		forget(&r);
		free(x);
	}
}

/*
 * Stopped after t and after t + 1 iterations: the assignment of the second
 * is the nearest centroid of the first.
 */
static void
each_step_assigns_the_nearest(void **state)
{
	int			steps = 0;

	for (int c = 0; c < 150; c++)
	{
		int			n = 20 + (int) rvd_rng_below(&rng, 150);
		int			dim = 1 + (int) rvd_rng_below(&rng, 40);
		int			k = 2 + (int) rvd_rng_below(&rng, 12);
		float	   *x = c % 2 ? random_points(n, dim) :
			planted_points(n, dim, k, 0.7, NULL);
		RvdKmeansOptions o = options_of(k, (uint64_t) c);

		o.tolerance = 0;
		for (int t = 1; t < 12; t++)
		{
			RvdKmeansResult a;
			RvdKmeansResult b;
			bool		done;

			o.max_iterations = t;
			a = fit(x, n, dim, &o);
			o.max_iterations = t + 1;
			b = fit(x, n, dim, &o);
			done = b.iterations == a.iterations;
			for (int i = 0; i < n && !done; i++)
			{
				long double mine = distance(x + i * dim, a.centroid +
											b.assignment[i] * dim, dim);

				for (int j = 0; j < a.k; j++)
				{
					long double other = distance(x + i * dim,
												 a.centroid + j * dim, dim);

					assert_true(mine <= other * (1 + 1e-12L));
				}
			}
			steps += !done;
			check_consistent(x, n, dim, &b);
			forget(&a);
			forget(&b);
			if (done)
				break;
		}
		free(x);
	}
	assert_true(steps > 300);
}

static void
every_product_gives_the_same_clusters(void **state)
{
	static const RvdGemm gemm[] = {gemm_backwards, gemm_worst};

	for (int c = 0; c < 96; c++)
	{
		int			n = 1 + (int) rvd_rng_below(&rng, 300);
		int			dim = c % 2 ? 256 : 1 + (int) rvd_rng_below(&rng, 8);
		int			k = 1 + (int) rvd_rng_below(&rng, 30);
		float	   *x = c % 4 < 2 ? random_points(n, dim) :
			planted_points(n, dim, k, 0.3, NULL);
		RvdKmeansOptions o = options_of(k, (uint64_t) c);
		RvdKmeansResult bounds;
		RvdKmeansResult product;

		/* a lattice, full of points halfway between centres */
		if (c % 8 == 0)
			for (int i = 0; i < n * dim; i++)
				x[i] = rintf(x[i]);
		bounds = fit(x, n, dim, &o);
		for (int g = 0; g < 2; g++)
		{
			o.gemm = gemm[g];
			product = fit(x, n, dim, &o);
			assert_same(&bounds, &product, n, dim);
			forget(&product);
		}
		forget(&bounds);
		free(x);
	}
}

/* All ways to put n points into at most k clusters. */
static double
best_partition(const float *x, int n, int dim, int k)
{
	int			label[10] = {0};
	double		best = INFINITY;

	for (;;)
	{
		double		cost = 0;
		int			at = 0;

		for (int c = 0; c < k; c++)
			for (int j = 0; j < dim; j++)
			{
				double		sum = 0;
				double		square = 0;
				int			size = 0;

				for (int i = 0; i < n; i++)
					if (label[i] == c)
					{
						sum += x[i * dim + j];
						square += (double) x[i * dim + j] * x[i * dim + j];
						size++;
					}
				if (size > 0)
					cost += square - sum * sum / size;
			}
		if (cost < best)
			best = cost;
		while (at < n && ++label[at] == k)
			label[at++] = 0;
		if (at == n)
			return best;
	}
}

static void
best_of_twenty_seeds_is_optimal(void **state)
{
	for (int c = 0; c < 40; c++)
	{
		int			n = 3 + (int) rvd_rng_below(&rng, c < 10 ? 8 : 6);
		int			k = 1 + (int) rvd_rng_below(&rng, 3);
		float	   *x = random_points(n, 2);
		double		best = best_partition(x, n, 2, k);
		double		found = INFINITY;

		for (uint64_t seed = 0; seed < 20; seed++)
		{
			RvdKmeansOptions o = options_of(k, seed);
			RvdKmeansResult r = fit(x, n, 2, &o);

			assert_true(r.cost >= best * (1 - 1e-5) - 1e-6);
			if (r.cost < found)
				found = r.cost;
			forget(&r);
		}
		assert_true(found <= best * (1 + 1e-5) + 1e-6);
		free(x);
	}
}

/* Chi-square with 18 degrees: 60 is beyond one in a million. */
static void
draws_are_proportional_to_weight(void **state)
{
	double		weight[20];
	double		prefix[20];
	int			count[20] = {0};
	double		total = 0;
	double		chi = 0;

	for (int i = 0; i < 20; i++)
	{
		weight[i] = i % 20 == 7 ? 0 : 1 + (i * 7) % 11;
		prefix[i] = total += weight[i];
	}
	for (int i = 0; i < 100000; i++)
		count[rvd_kmeans_draw(prefix, 20, rvd_rng_uniform(&rng))]++;
	for (int i = 0; i < 20; i++)
	{
		double		expected = 100000 * weight[i] / total;

		if (expected > 0)
			chi += (count[i] - expected) * (count[i] - expected) / expected;
		else
			assert_int_equal(count[i], 0);
	}
	assert_true(chi < 60);
}

/* Against the definition, with weights of zero at either end. */
static void
draws_invert_the_distribution(void **state)
{
	static const double even[4] = {1, 2, 3, 4};

	for (int i = 0; i < 4; i++)
		assert_int_equal(rvd_kmeans_draw(even, 4, 0.25 * i), i);
	for (int c = 0; c < 2000; c++)
	{
		double		prefix[12];
		double		total = 0;
		double		u = c % 5 == 0 ? 0 : rvd_rng_uniform(&rng);
		int			n = 1 + (int) rvd_rng_below(&rng, 12);
		int			drawn;
		int			want = 0;

		for (int i = 0; i < n; i++)
			prefix[i] = total += rvd_rng_below(&rng, 2) || (i == n / 2) ?
				rvd_rng_uniform(&rng) + 1e-3 : 0;
		drawn = rvd_kmeans_draw(prefix, n, u);
		while (!(prefix[want] > u * total))
			want++;
		assert_int_equal(drawn, want);
		/* never one without weight, however u was rounded */
		drawn = rvd_kmeans_draw(prefix, n, 1.0);
		assert_true(prefix[drawn] == total &&
					(drawn == 0 || prefix[drawn - 1] < total));
	}
}

/*
 * With two centres the first is uniform, the second the best of two draws by
 * squared distance; at 0, 1 and 10 the chances can be written down.  One
 * iteration from there shows which two they were.
 */
static void
seeding_is_greedy_and_by_squared_distance(void **state)
{
	static const float x[3] = {0, 1, 10};
	int			apart = 0;

	for (uint64_t seed = 0; seed < 6000; seed++)
	{
		RvdKmeansOptions o = options_of(2, seed);
		RvdKmeansResult r;

		o.max_iterations = 1;
		r = fit(x, 3, 1, &o);
		/* seeds 0 and 1 leave 10 with 1; all others 0 with 1 */
		apart += r.assignment[0] != r.assignment[1];
		forget(&r);
	}
	/* first 0: both draws must be 1, (1/101)^2; first 1: (1/82)^2; 10: never */
	assert_true(apart <= 6);
}

static void
order_of_points_does_not_matter(void **state)
{
	for (int c = 0; c < 150; c++)
	{
		int			n = 2 + (int) rvd_rng_below(&rng, 120);
		int			dim = 1 + (int) rvd_rng_below(&rng, 20);
		int			k = 1 + (int) rvd_rng_below(&rng, 10);
		float	   *x = random_points(n, dim);
		float	   *y = malloc(sizeof(float) * (size_t) (n * dim));
		int		   *from = malloc(sizeof(int) * (size_t) n);
		RvdKmeansOptions o = options_of(k, (uint64_t) c);
		RvdKmeansResult a;
		RvdKmeansResult b;

		if (c % 3 == 0)			/* ties and duplicates */
			for (int i = 0; i < n * dim; i++)
				x[i] = rintf(x[i]) + 0.0f;
		else if (c % 3 == 1)	/* sums that show the order of addition */
		{
			o.k = 1;
			for (int i = 0; i < n * dim; i++)
				x[i] *= (float) pow(10, (double) rvd_rng_below(&rng, 15));
			for (int i = dim; i < n * dim; i++)
				if (i / dim % 2)
					x[i] = -x[i - dim];
		}
		for (int i = 0; i < n; i++)
			from[i] = i;
		for (int i = n - 1; i > 0; i--)
		{
			int			j = (int) rvd_rng_below(&rng, (uint64_t) i + 1);
			int			swap = from[i];

			from[i] = from[j];
			from[j] = swap;
		}
		for (int i = 0; i < n; i++)
			memcpy(y + i * dim, x + from[i] * dim, sizeof(float) * (size_t) dim);
		a = fit(x, n, dim, &o);
		b = fit(y, n, dim, &o);
		assert_int_equal(a.k, b.k);
		assert_int_equal(a.iterations, b.iterations);
		assert_true(a.cost == b.cost);
		assert_memory_equal(a.centroid, b.centroid,
							sizeof(float) * (size_t) (a.k * dim));
		for (int i = 0; i < n; i++)
			assert_int_equal(b.assignment[i], a.assignment[from[i]]);
		forget(&a);
		forget(&b);
		free(x);
		free(y);
		free(from);
	}
}

static void
sorting_is_by_content(void **state)
{
	for (int n = 1; n < 200; n++)
	{
		RvdKmeans	km = {.n = n, .dim = 2};
		int32_t    *a = malloc(sizeof(int32_t) * (size_t) n);
		int32_t    *b = malloc(sizeof(int32_t) * (size_t) n);
		char	   *seen = calloc((size_t) n, 1);
		float	   *x = random_points(n, 2);

		for (int i = 0; i < n * 2; i++)
			x[i] = rintf(x[i]);
		km.points = x;
		km.order = a;
		km.spare = b;
		rvd_kmeans_sort(&km);
		for (int s = 0; s < n; s++)
		{
			assert_false(seen[km.order[s]]);
			seen[km.order[s]] = 1;
			if (s > 0)
				assert_true(memcmp(x + 2 * km.order[s - 1], x + 2 * km.order[s],
								   2 * sizeof(float)) <= 0);
		}
		free(a);
		free(b);
		free(x);
		free(seen);
	}
}

static void
no_more_clusters_than_distinct_points(void **state)
{
	for (int c = 0; c < 400; c++)
	{
		int			n = 1 + (int) rvd_rng_below(&rng, 40);
		int			distinct = 1 + (int) rvd_rng_below(&rng, 12);
		int			dim = c % 2 ? 3 : 32;
		int			k = 1 + (int) rvd_rng_below(&rng, 20);
		float	   *kinds = random_points(distinct, dim);
		float	   *x = malloc(sizeof(float) * (size_t) (n * dim));
		RvdKmeansOptions o = options_of(k, (uint64_t) c);
		RvdKmeansResult r;

		/* some hardly apart, some all but zero */
		for (int i = 1; i < distinct && c % 4 == 0; i++)
		{
			memcpy(kinds + i * dim, kinds, sizeof(float) * (size_t) dim);
			kinds[i * dim] = nextafterf(kinds[(i - 1) * dim], 9);
		}
		for (int i = 0; i < distinct * dim && c % 8 == 1; i++)
			kinds[i] *= 1e-30f;
		if (distinct > n)
			distinct = n;
		for (int i = 0; i < n; i++)
		{
			int			kind = i < distinct ? i :
				(int) rvd_rng_below(&rng, (uint64_t) distinct);

			memcpy(x + i * dim, kinds + kind * dim,
				   sizeof(float) * (size_t) dim);
		}
		r = fit(x, n, dim, &o);
		assert_int_equal(r.k, k < distinct ? k : distinct);
		check_consistent(x, n, dim, &r);
		if (r.k == distinct)
			for (int i = 0; i < n; i++)
				for (int j = 0; j < i; j++)
					assert_int_equal(r.assignment[i] == r.assignment[j],
									 memcmp(x + i * dim, x + j * dim,
											sizeof(float) * (size_t) dim) == 0);
		forget(&r);
		free(x);
		free(kinds);
	}
}

/*
 * A centre that lost all members goes to the farthest point.  Left to itself
 * it hardly ever happens, so a centre is put where nobody is.
 */
static void
empty_clusters_take_the_farthest_point(void **state)
{
	float		x[6] = {0, 1, 2, 3, 50, 50};
	float		centroid[3] = {1.5f, 1000, 40};
	int32_t		assignment[6] = {-1, -1, -1, -1, -1, -1};
	int32_t		size[3];
	double		d[6];
	double		lower[6];
	double		square[6];
	double		centre_square[3];
	double		separation[3];
	double		moved[3];
	double		sum[3];
	float		product[3 * RVD_KMEANS_BLOCK];
	float		before[1];
	int32_t		order[6] = {0, 1, 2, 3, 5, 4};
	RvdKmeans	km = {.points = x, .n = 6, .dim = 1, .k = 3, .capacity = 3,
		.centroid = centroid, .assignment = assignment, .size = size,
		.square = square, .distance = d, .lower = lower, .sum = sum,
		.centre_square = centre_square, .separation = separation,
	.moved = moved, .product = product, .before = before, .order = order};

	for (int i = 0; i < 6; i++)
		square[i] = x[i] * x[i];
	assert_int_equal(rvd_kmeans_assign(&km, false), 6);
	assert_int_equal(size[1], 0);
	assert_true(rvd_kmeans_fill_empty(&km));
	/* of the two at 50 the first in order, which is the last */
	assert_int_equal(assignment[5], 1);
	assert_int_equal(assignment[4], 2);
	assert_true(centroid[1] == 50 && d[5] == 0);
	assert_int_equal(size[0], 4);
	assert_int_equal(size[1], 1);
	assert_int_equal(size[2], 1);
	for (int i = 0; i < 6; i++)
		assert_true(lower[i] == 0);
	assert_false(rvd_kmeans_fill_empty(&km));
	rvd_kmeans_update(&km);
	assert_true(centroid[0] == 1.5f && centroid[1] == 50 && centroid[2] == 50);
	/* a tie goes to the lower index: the other is empty again */
	rvd_kmeans_assign(&km, false);
	assert_int_equal(assignment[4], 1);
	assert_int_equal(assignment[5], 1);
	assert_int_equal(size[2], 0);
	assert_true(rvd_kmeans_fill_empty(&km));
	assert_true(centroid[2] == 0);
	assert_int_equal(assignment[0], 2);
	/* one that is alone stays, however far it is */
	x[4] = x[5] = 1;
	x[3] = 80;
	for (int i = 0; i < 6; i++)
		square[i] = x[i] * x[i];
	centroid[0] = 1;
	centroid[1] = 50;
	centroid[2] = -1000;
	rvd_kmeans_assign(&km, false);
	assert_int_equal(size[1], 1);
	assert_true(rvd_kmeans_fill_empty(&km));
	assert_int_equal(assignment[3], 1);
	assert_int_equal(assignment[0], 2);
}

static double
pairs(double n)
{
	return n * (n - 1) / 2;
}

/* Adjusted Rand index (Hubert and Arabie 1985). */
static double
rand_index(const int *a, const int32_t *b, int n, int k)
{
	int		   *both = calloc((size_t) (k * k), sizeof(int));
	int		   *of_a = calloc((size_t) k, sizeof(int));
	int		   *of_b = calloc((size_t) k, sizeof(int));
	double		index = 0;
	double		sum_a = 0;
	double		sum_b = 0;
	double		expected;

	for (int i = 0; i < n; i++)
	{
		both[a[i] * k + b[i]]++;
		of_a[a[i]]++;
		of_b[b[i]]++;
	}
	for (int i = 0; i < k * k; i++)
		index += pairs(both[i]);
	for (int i = 0; i < k; i++)
	{
		sum_a += pairs(of_a[i]);
		sum_b += pairs(of_b[i]);
	}
	free(both);
	free(of_a);
	free(of_b);
	expected = sum_a * sum_b / pairs(n);
	return (index - expected) / ((sum_a + sum_b) / 2 - expected);
}

static void
a_hundred_planted_clusters_are_found(void **state)
{
	int			truth[1000];
	float	   *x = planted_points(1000, 256, 100, 0.3, truth);
	RvdKmeansOptions o = options_of(100, 1);
	RvdKmeansResult r = fit(x, 1000, 256, &o);

	assert_int_equal(r.k, 100);
	assert_true(rand_index(truth, r.assignment, 1000, 100) > 0.95);
	forget(&r);
	free(x);
}

static void
nonsense_is_refused(void **state)
{
	static const float bad[] = {NAN, INFINITY, -INFINITY, 1e16f};
	float	   *x = random_points(10, 5);
	float		centroid[15];
	int32_t		assignment[10];
	int32_t		size[3];
	RvdKmeansOptions o = options_of(3, 1);
	RvdKmeansResult r = {.centroid = centroid, .assignment = assignment,
	.size = size};
	void	   *work = malloc(rvd_kmeans_workspace(10, 5, 3));

	assert_int_equal(rvd_kmeans_fit(x, 10, 5, &o, &r, work), RVD_OK);
	assert_int_equal(rvd_kmeans_fit(x, 0, 5, &o, &r, work), RVD_ERR_ARGUMENT);
	assert_int_equal(rvd_kmeans_fit(x, 10, 0, &o, &r, work), RVD_ERR_ARGUMENT);
	o.k = 0;
	assert_int_equal(rvd_kmeans_fit(x, 10, 5, &o, &r, work), RVD_ERR_ARGUMENT);
	o.k = 3;
	for (int i = 0; i < 50; i++)
		for (int b = 0; b < 4; b++)
		{
			float		kept = x[i];

			x[i] = bad[b];
			assert_int_equal(rvd_kmeans_fit(x, 10, 5, &o, &r, work),
							 RVD_ERR_ARGUMENT);
			x[i] = kept;
		}
	assert_true(rvd_kmeans_workspace(0, 5, 3) == 0);
	assert_true(rvd_kmeans_workspace(10, 0, 3) == 0);
	assert_true(rvd_kmeans_workspace(10, 5, 0) == 0);

	/* fewer than one iteration are one */
	o.max_iterations = 0;
	assert_int_equal(rvd_kmeans_fit(x, 10, 5, &o, &r, work), RVD_OK);
	assert_int_equal(r.iterations, 1);
	check_consistent(x, 10, 5, &r);
	free(work);
	free(x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cost_never_rises),
		cmocka_unit_test(each_step_assigns_the_nearest),
		cmocka_unit_test(every_product_gives_the_same_clusters),
		cmocka_unit_test(best_of_twenty_seeds_is_optimal),
		cmocka_unit_test(draws_are_proportional_to_weight),
		cmocka_unit_test(draws_invert_the_distribution),
		cmocka_unit_test(seeding_is_greedy_and_by_squared_distance),
		cmocka_unit_test(order_of_points_does_not_matter),
		cmocka_unit_test(sorting_is_by_content),
		cmocka_unit_test(no_more_clusters_than_distinct_points),
		cmocka_unit_test(empty_clusters_take_the_farthest_point),
		cmocka_unit_test(a_hundred_planted_clusters_are_found),
		cmocka_unit_test(nonsense_is_refused),
	};

	rvd_rng_init(&rng, RVD_RNG_TEST, 29);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
