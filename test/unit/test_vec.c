/*-------------------------------------------------------------------------
 *
 * test_vec.c
 *	  Loops over floats against long double, and bit by bit against the
 *	  order of operations that the header promises.
 *
 *-------------------------------------------------------------------------
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ruvector_dag/rng.h"
#include "ruvector_dag/vec.h"

#define N_CASES		3000
#define MAX_N		300

static RvdRng rng;

/* Length 0 .. MAX_N with every residue, in a block of just that size. */
static int
random_length(int i)
{
	return i < 70 ? i : (int) rvd_rng_below(&rng, MAX_N + 1);
}

static float *
random_vector(int n, double scale)
{
	float	   *x = malloc(sizeof(float) * (size_t) (n + 1));

	for (int i = 0; i < n; i++)
		x[i] = (float) (scale * rvd_rng_normal(&rng));
	return x;
}

/* In 16 lanes, every operation rounded on its own. */
static float
dot_by_lanes(const float *a, const float *b, int n)
{
	volatile float lane[16] = {0};

	for (int i = 0; i < n; i++)
	{
		volatile float product = a[i] * b[i];

		lane[i % 16] = lane[i % 16] + product;
	}
	for (int half = 8; half > 0; half /= 2)
		for (int j = 0; j < half; j++)
			lane[j] = lane[j] + lane[j + half];
	return lane[0];
}

static void
sums_agree_with_long_double(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		int			n = random_length(i);
		float	   *a = random_vector(n, 1);
		float	   *b = random_vector(n, 1);
		long double dot = 0;
		long double absolute = 0;
		long double distance = 0;
		long double square = 0;

		for (int j = 0; j < n; j++)
		{
			dot += (long double) a[j] * b[j];
			absolute += fabsl((long double) a[j] * b[j]);
			distance += ((long double) a[j] - b[j]) * ((long double) a[j] - b[j]);
			square += (long double) a[j] * a[j];
		}
		assert_true(fabsl(rvd_vec_dot(a, b, n) - dot) <=
					40 * FLT_EPSILON * absolute);
		assert_true(fabsl(rvd_vec_dot_exact(a, b, n) - dot) <=
					80 * DBL_EPSILON * absolute);
		assert_true(fabsl(rvd_vec_distance(a, b, n) - distance) <=
					80 * DBL_EPSILON * distance);
		assert_true(fabsl(rvd_vec_norm(a, n) - sqrtl(square)) <=
					80 * DBL_EPSILON * sqrtl(square));
		free(a);
		free(b);
	}
}

static void
dot_has_one_order_of_operations(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		int			n = random_length(i);
		float	   *a = random_vector(n, 1);
		float	   *b = random_vector(n, 1);
		float		got = rvd_vec_dot(a, b, n);
		float		want = dot_by_lanes(a, b, n);

		assert_memory_equal(&got, &want, sizeof(got));
		/* neither does it depend on where the vectors lie */
		memmove(a + 1, a, sizeof(float) * (size_t) n);
		got = rvd_vec_dot(a + 1, b, n);
		assert_memory_equal(&got, &want, sizeof(got));
		free(a);
		free(b);
	}
}

/* Many at once are the same bits as one by one, whatever the stride. */
static void
dots_are_many_dots(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		int			n = i % 2 ? random_length(i) :
			16 * (int) rvd_rng_below(&rng, MAX_N / 16);
		int			rows = (int) rvd_rng_below(&rng, 14);
		int			stride = n + (int) rvd_rng_below(&rng, 5);
		float	   *x = random_vector(n, 1);
		float	   *y = random_vector(rows * stride, 1);
		float		out[15];

		out[rows] = 77;
		rvd_vec_dots(x, y, (size_t) stride, rows, n, out);
		for (int r = 0; r < rows; r++)
		{
			float		want = dot_by_lanes(x, y + r * stride, n);

			assert_memory_equal(&out[r], &want, sizeof(want));
		}
		assert_true(out[rows] == 77);
		free(x);
		free(y);
	}
}

static void
elementwise_loops_round_twice(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		int			n = random_length(i);
		float	   *x = random_vector(n, 1);
		float	   *y = random_vector(n, 1);
		float	   *z = random_vector(n, 1);
		float		alpha = (float) rvd_rng_normal(&rng);
		double		sum[MAX_N];

		memcpy(z, y, sizeof(float) * (size_t) n);
		rvd_vec_axpy(alpha, x, y, n);
		for (int j = 0; j < n; j++)
		{
			volatile float product = alpha * x[j];
			volatile float both = z[j] + product;

			assert_true(y[j] == both);
		}
		for (int j = 0; j < n; j++)
			sum[j] = j;
		rvd_vec_accumulate(x, sum, n);
		for (int j = 0; j < n; j++)
			assert_true(sum[j] == j + (double) x[j]);
		memcpy(z, x, sizeof(float) * (size_t) n);
		rvd_vec_scale(alpha, x, n);
		for (int j = 0; j < n; j++)
			assert_true(x[j] == (float) (alpha * z[j]));
		free(x);
		free(y);
		free(z);
	}
}

static void
normalize_scales_to_one_or_leaves_alone(void **state)
{
	static const float bad[] = {0, NAN, INFINITY, -INFINITY};

	for (int i = 0; i < N_CASES; i++)
	{
		int			n = 1 + (int) rvd_rng_below(&rng, MAX_N);
		float	   *x = random_vector(n, pow(10, (i % 61) - 30));
		float	   *y = random_vector(n, 1);
		long double norm = 0;

		memcpy(y, x, sizeof(float) * (size_t) n);
		for (int j = 0; j < n; j++)
			norm += (long double) x[j] * x[j];
		norm = sqrtl(norm);
		assert_true(rvd_vec_normalize(x, n));
		assert_true(fabs(rvd_vec_norm(x, n) - 1) < 1e-6);
		for (int j = 0; j < n; j++)
			assert_true(fabsl(x[j] - y[j] / norm) <=
						FLT_EPSILON * fabsl(y[j] / norm) + FLT_MIN);

		/* all zero, or one value that is no number */
		if (i % 4 == 0)
			memset(y, 0, sizeof(float) * (size_t) n);
		else
			y[rvd_rng_below(&rng, (uint64_t) n)] = bad[i % 4];
		memcpy(x, y, sizeof(float) * (size_t) n);
		assert_false(rvd_vec_normalize(x, n));
		assert_memory_equal(x, y, sizeof(float) * (size_t) n);
		free(x);
		free(y);
	}
	assert_false(rvd_vec_normalize(NULL, 0));
}

static void
finite_is_seen_at_every_place(void **state)
{
	static const float bad[] = {NAN, INFINITY, -INFINITY};

	assert_true(rvd_vec_all_finite(NULL, 0));
	for (int n = 1; n <= 70; n++)
	{
		float	   *x = random_vector(n, 1);

		x[0] = FLT_MAX;
		x[n - 1] = FLT_TRUE_MIN;
		assert_true(rvd_vec_all_finite(x, n));
		for (int j = 0; j < n; j++)
			for (int k = 0; k < 3; k++)
			{
				float		kept = x[j];

				x[j] = bad[k];
				assert_false(rvd_vec_all_finite(x, n));
				x[j] = kept;
			}
		free(x);
	}
}

static void
log_sums_agree_with_long_double(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		double		s[20];
		int			n = 1 + (int) rvd_rng_below(&rng, 20);
		double		shift = (i % 3 - 1) * 1e4;
		long double sum = 0;
		long double want;

		for (int j = 0; j < n; j++)
		{
			s[j] = shift + 5 * rvd_rng_normal(&rng);
			sum += expl((long double) s[j] - shift);
		}
		want = shift + logl(sum);
		assert_true(fabsl(rvd_logsumexp(s, n) - want) <
					4e-12 * (1 + fabsl(want)));
		if (n > 1)
		{
			want = shift + logl(expl((long double) s[0] - shift) +
								expl((long double) s[1] - shift));
			assert_true(fabsl(rvd_logaddexp(s[0], s[1]) - want) <
						4e-12 * (1 + fabsl(want)));
			assert_true(rvd_logaddexp(s[0], s[1]) == rvd_logaddexp(s[1], s[0]));
		}
	}
}

static void
log_sums_keep_infinities_and_nan(void **state)
{
	double		none[3] = {-INFINITY, -INFINITY, -INFINITY};
	double		one[3] = {-INFINITY, 2.5, -INFINITY};
	double		all[3] = {INFINITY, INFINITY, 1};
	double		nan[3] = {-INFINITY, NAN, 1};

	assert_true(rvd_logaddexp(-INFINITY, -INFINITY) == -INFINITY);
	assert_true(rvd_logaddexp(-INFINITY, 3) == 3);
	assert_true(rvd_logaddexp(3, -INFINITY) == 3);
	assert_true(rvd_logaddexp(INFINITY, -INFINITY) == INFINITY);
	assert_true(rvd_logaddexp(INFINITY, INFINITY) == INFINITY);
	assert_true(isnan(rvd_logaddexp(NAN, 1)));
	assert_true(isnan(rvd_logaddexp(1, NAN)));
	assert_true(isnan(rvd_logaddexp(-INFINITY, NAN)));
	assert_true(rvd_logsumexp(none, 3) == -INFINITY);
	assert_true(rvd_logsumexp(none, 0) == -INFINITY);
	assert_true(rvd_logsumexp(one, 3) == 2.5);
	assert_true(rvd_logsumexp(all, 3) == INFINITY);
	assert_true(isnan(rvd_logsumexp(nan, 3)));
}

static void
softmax_is_a_distribution(void **state)
{
	for (int i = 0; i < N_CASES; i++)
	{
		double		s[30];
		double		p[30];
		double		total = 0;
		long double sum = 0;
		int			n = 1 + (int) rvd_rng_below(&rng, 30);
		double		shift = (i % 3 - 1) * 1e300;

		for (int j = 0; j < n; j++)
			s[j] = rvd_rng_uniform(&rng) < 0.2 && j > 0 ? -INFINITY :
				4 * rvd_rng_normal(&rng);
		for (int j = 0; j < n; j++)
			sum += expl((long double) s[j]);
		assert_true(rvd_softmax(s, p, n));
		for (int j = 0; j < n; j++)
		{
			assert_true(fabsl(p[j] - expl((long double) s[j]) / sum) < 1e-14);
			assert_true((p[j] == 0) == (s[j] == -INFINITY));
			total += p[j];
		}
		assert_true(fabs(total - 1) < 1e-12);
		/* in place, the same bits */
		assert_true(rvd_softmax(s, s, n));
		assert_memory_equal(s, p, sizeof(double) * (size_t) n);
		/* equal scores of any size, without overflow */
		for (int j = 0; j < n; j++)
			s[j] = shift;
		assert_true(rvd_softmax(s, p, n));
		for (int j = 0; j < n; j++)
			assert_true(p[j] == 1.0 / n);
	}
}

static void
softmax_of_nonsense_is_uniform(void **state)
{
	static const double bad[] = {NAN, INFINITY, -INFINITY};

	for (int n = 1; n <= 8; n++)
		for (int at = 0; at < n; at++)
			for (int k = 0; k < 3; k++)
			{
				double		s[8];
				double		p[8];

				/* a mask everywhere, or one bad score among good ones */
				for (int j = 0; j < n; j++)
					s[j] = k == 2 ? -INFINITY : j;
				s[at] = bad[k];
				assert_false(rvd_softmax(s, p, n));
				for (int j = 0; j < n; j++)
					assert_true(p[j] == 1.0 / n);
			}
	assert_false(rvd_softmax(NULL, NULL, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_agree_with_long_double),
		cmocka_unit_test(dot_has_one_order_of_operations),
		cmocka_unit_test(dots_are_many_dots),
		cmocka_unit_test(elementwise_loops_round_twice),
		cmocka_unit_test(normalize_scales_to_one_or_leaves_alone),
		cmocka_unit_test(finite_is_seen_at_every_place),
		cmocka_unit_test(log_sums_agree_with_long_double),
		cmocka_unit_test(log_sums_keep_infinities_and_nan),
		cmocka_unit_test(softmax_is_a_distribution),
		cmocka_unit_test(softmax_of_nonsense_is_uniform),
	};

	rvd_rng_init(&rng, RVD_RNG_TEST, 17);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
