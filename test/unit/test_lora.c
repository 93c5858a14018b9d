/*-------------------------------------------------------------------------
 *
 * test_lora.c
 *	  Adapters against dense matrices, finite differences and a singular
 *	  value decomposition of another kind.
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

#include "ruvector_dag/lora.h"
#include "ruvector_dag/rng.h"

#include "../../src/learning/lora_absorb.h"
#include "../../src/learning/small_matrix.h"

#define N_CASES		1000
#define MAX_IN		80
#define MAX_OUT		20
#define MAX_R		16

#ifdef __SANITIZE_ADDRESS__
#define MANY_STEPS	200000
#else
#define MANY_STEPS	1000000
#endif

static RvdRng rng;

/* Numbers of an adapter, blocks of just the size they need. */
static RvdLora
new_lora(int in, int out, int rank, float scale)
{
	RvdLora		l = {in, out, rank, scale,
		malloc(sizeof(float) * (size_t) (rank * in + 1)),
	malloc(sizeof(float) * (size_t) (out * rank + 1))};

	return l;
}

static void
free_lora(RvdLora *l)
{
	free(l->a);
	free(l->b);
}

static void
fill(float *x, int n, double sd)
{
	for (int i = 0; i < n; i++)
		x[i] = (float) (sd * rvd_rng_normal(&rng));
}

static RvdLora
random_lora(int in, int out, int rank, float scale)
{
	RvdLora		l = new_lora(in, out, rank, scale);

	fill(l.a, rank * in, 1 / sqrt(in));
	fill(l.b, out * rank, 0.5);
	return l;
}

static int
below(int n)
{
	return (int) rvd_rng_below(&rng, (uint64_t) n);
}

/* m[out * in] += factor * scale * B A, the long way */
static void
add_product(const RvdLora *l, double factor, double *m)
{
	for (int p = 0; p < l->out; p++)
		for (int i = 0; i < l->in; i++)
			for (int k = 0; k < l->rank; k++)
				m[p * l->in + i] += factor * l->scale *
					(double) l->b[p * l->rank + k] * l->a[k * l->in + i];
}

static double
norm(const double *x, int n)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += x[i] * x[i];
	return sqrt(sum);
}

/* ---- forward, merge ----------------------------------------------------- */

static void
fresh_adapter_changes_nothing(void **state)
{
	for (int c = 0; c < N_CASES; c++)
	{
		RvdLora		l = new_lora(1 + below(MAX_IN), 1 + below(MAX_OUT),
								 1 + below(MAX_R), 1);
		float		x[MAX_IN];
		float		out[MAX_OUT];
		float		before[MAX_OUT];

		rvd_lora_init(&l, (uint64_t) c);
		fill(x, l.in, 3);
		fill(out, l.out, 1);
		memcpy(before, out, sizeof(float) * (size_t) l.out);
		rvd_lora_forward(&l, x, out);
		assert_memory_equal(out, before, sizeof(float) * (size_t) l.out);
		free_lora(&l);
	}
}

static void
start_is_seeded_with_variance_one_over_d(void **state)
{
	RvdLora		l = new_lora(64, 16, 16, 1);
	RvdLora		m = new_lora(64, 16, 16, 1);
	double		sum = 0;
	int			n = 16 * 64;

	rvd_lora_init(&l, 5);
	rvd_lora_init(&m, 5);
	assert_memory_equal(l.a, m.a, sizeof(float) * (size_t) n);
	rvd_lora_init(&m, 6);
	assert_true(memcmp(l.a, m.a, sizeof(float) * (size_t) n) != 0);
	for (int i = 0; i < n; i++)
		sum += (double) l.a[i] * l.a[i];

	/* five standard deviations of a chi-square of 1,024 degrees */
	assert_true(fabs(sum * 64 / n - 1) < 5 * sqrt(2.0 / n));
	free_lora(&l);
	free_lora(&m);
}

static void
forward_is_the_dense_product(void **state)
{
	for (int c = 0; c < N_CASES; c++)
	{
		RvdLora		l = random_lora(1 + below(MAX_IN), 1 + below(MAX_OUT),
									1 + below(MAX_R), 0.5f + 0.25f * below(6));
		double		dense[MAX_OUT * MAX_IN] = {0};
		float		x[MAX_IN];
		float		out[MAX_OUT];

		fill(x, l.in, 1);
		fill(out, l.out, 1);
		add_product(&l, 1, dense);
		for (int p = 0; p < l.out; p++)
		{
			double		expected = out[p];
			float		got[MAX_OUT];

			for (int i = 0; i < l.in; i++)
				expected += dense[p * l.in + i] * x[i];
			memcpy(got, out, sizeof(got));
			rvd_lora_forward(&l, x, got);
			assert_true(fabs(got[p] - expected) < 1e-4 * (1 + fabs(expected)));
		}
		free_lora(&l);
	}
}

static void
merging_and_unmerging_comes_back(void **state)
{
	for (int c = 0; c < N_CASES; c++)
	{
		RvdLora		l = random_lora(1 + below(MAX_IN), 1 + below(MAX_OUT),
									1 + below(MAX_R), 0.5f);
		float		factor = (float) rvd_rng_normal(&rng);
		float		start[MAX_OUT * MAX_IN];
		float		w[MAX_OUT * MAX_IN];
		double		dense[MAX_OUT * MAX_IN];
		int			n = l.out * l.in;

		fill(start, n, 0.3);
		for (int i = 0; i < n; i++)
			dense[i] = w[i] = start[i];
		add_product(&l, factor, dense);
		rvd_lora_merge(&l, factor, w);
		for (int i = 0; i < n; i++)
			assert_true(fabs(w[i] - dense[i]) < 1e-5);
		rvd_lora_merge(&l, -factor, w);
		for (int i = 0; i < n; i++)
			assert_true(fabs(w[i] - start[i]) < 1e-5);
		free_lora(&l);
	}
}

/* ---- gradient ----------------------------------------------------------- */

/* 1/2 sum over outputs seen of (o - y)^2, in double throughout */
static double
loss(const double *a, const double *b, const RvdLora *shape, const float *x,
	 const double *y, const int *seen)
{
	double		sum = 0;

	for (int p = 0; p < shape->out; p++)
	{
		double		o = 0;

		for (int k = 0; k < shape->rank; k++)
			for (int i = 0; i < shape->in; i++)
				o += shape->scale * b[p * shape->rank + k] *
					a[k * shape->in + i] * x[i];
		if (seen[p])
			sum += (o - y[p]) * (o - y[p]) / 2;
	}
	return sum;
}

/* Central difference in one of the parameters. */
static double
difference(double *a, double *b, double *parameter, const RvdLora *shape,
		   const float *x, const double *y, const int *seen)
{
	double		at = *parameter;
	double		h = 1e-4;
	double		up;
	double		down;

	*parameter = at + h;
	up = loss(a, b, shape, x, y, seen);
	*parameter = at - h;
	down = loss(a, b, shape, x, y, seen);
	*parameter = at;
	return (up - down) / (2 * h);
}

static void
gradients_are_the_finite_differences(void **state)
{
	for (int c = 0; c < N_CASES; c++)
	{
		RvdLora		l = random_lora(1 + below(12), 1 + below(6),
									1 + below(4), 0.5f + 0.5f * below(3));
		double		a[12 * 4];
		double		b[6 * 4];
		double		y[6];
		int			seen[6];
		float		x[12];
		float		g[6] = {0};
		float		grad_a[12 * 4];
		float		grad_b[6 * 4];
		double		worst = 0;
		double		length = 1e-6;

		fill(x, l.in, 1);
		for (int i = 0; i < l.rank * l.in; i++)
			a[i] = l.a[i];
		for (int i = 0; i < l.out * l.rank; i++)
			b[i] = l.b[i];
		rvd_lora_forward(&l, x, g);
		for (int p = 0; p < l.out; p++)
		{
			y[p] = rvd_rng_normal(&rng);
			seen[p] = below(3) > 0;
			g[p] = seen[p] ? (float) (g[p] - y[p]) : 0;
		}
		rvd_lora_gradient(&l, x, g, grad_a, grad_b);
		for (int i = 0; i < l.rank * l.in; i++)
		{
			double		d = difference(a, b, &a[i], &l, x, y, seen);

			worst = fmax(worst, fabs(d - grad_a[i]));
			length += d * d;
		}
		for (int i = 0; i < l.out * l.rank; i++)
		{
			double		d = difference(a, b, &b[i], &l, x, y, seen);

			worst = fmax(worst, fabs(d - grad_b[i]));
			length += d * d;
		}
		assert_true(worst < 1e-4 * sqrt(length));
		free_lora(&l);
	}
}

/* ---- the step ----------------------------------------------------------- */

/* error[] = o - y, and its squared length */
static double
error_of(const RvdLora *l, const float *x, const float *y, float *error)
{
	double		sum = 0;

	memset(error, 0, sizeof(float) * (size_t) l->out);
	rvd_lora_forward(l, x, error);
	for (int p = 0; p < l->out; p++)
	{
		error[p] -= y[p];
		sum += (double) error[p] * error[p];
	}
	return sum;
}

/*
 * What is learned from a sample brings its error down, up to the second-order
 * term eta^2 s^3 (g q') (B' g x') x.
 */
static void
a_step_reduces_the_error_of_its_sample(void **state)
{
	int			reduced = 0;

	for (int c = 0; c < N_CASES; c++)
	{
		RvdLora		l = random_lora(1 + below(MAX_IN), 1 + below(MAX_OUT),
									1 + below(4), 1);
		float		x[MAX_IN];
		float		y[MAX_OUT];
		float		error[MAX_OUT];
		double		xx = 0;
		double		bb = 0;
		double		qq = 0;
		double		prior;
		double		posterior;
		double		eta;
		double		second;

		fill(x, l.in, exp(rvd_rng_normal(&rng)));
		memset(y, 0, sizeof(y));
		(void) error_of(&l, x, y, error);
		for (int p = 0; p < l.out; p++)
			y[p] = error[p] + (float) (1.8 * rvd_rng_uniform(&rng) - 0.9);
		prior = sqrt(error_of(&l, x, y, error));
		for (int i = 0; i < l.in; i++)
			xx += x[i] * x[i];
		for (int i = 0; i < l.out * l.rank; i++)
			bb += l.b[i] * l.b[i];
		for (int k = 0; k < l.rank; k++)
		{
			double		q = 0;

			for (int i = 0; i < l.in; i++)
				q += l.a[k * l.in + i] * x[i];
			qq += q * q;
		}
		eta = 0.5 / (1e-6 + qq + bb * xx);
		second = eta * eta * prior * prior * sqrt(qq * bb) * xx;
		assert_int_equal(rvd_lora_step(&l, x, error, 1e9), RVD_OK);
		posterior = sqrt(error_of(&l, x, y, error));
		assert_true(posterior <= prior + second + 1e-3);
		reduced += posterior < 0.999 * prior;
		free_lora(&l);
	}
	assert_true(reduced > N_CASES * 0.9);
}

static void
rate_is_an_upper_limit(void **state)
{
	RvdLora		l = random_lora(8, 3, 2, 1);
	RvdLora		m = random_lora(8, 3, 2, 1);
	float		x[8];
	float		g[3] = {0.5f, -0.2f, 0};
	float		grad_a[16];
	float		grad_b[6];

	fill(x, 8, 0.1);
	memcpy(m.a, l.a, sizeof(float) * 16);
	memcpy(m.b, l.b, sizeof(float) * 6);
	rvd_lora_gradient(&l, x, g, grad_a, grad_b);
	assert_int_equal(rvd_lora_step(&l, x, g, 0.01), RVD_OK);
	for (int i = 0; i < 16; i++)
		assert_true(fabs(l.a[i] - (m.a[i] - 0.01 * grad_a[i])) < 1e-6);
	for (int i = 0; i < 6; i++)
		assert_true(fabs(l.b[i] - ((1 - 1e-6) * m.b[i] - 0.01 * grad_b[i])) <
					1e-6);
	free_lora(&l);
	free_lora(&m);
}

static void
errors_are_clipped(void **state)
{
	RvdLora		l = random_lora(8, 3, 2, 1);
	RvdLora		m = random_lora(8, 3, 2, 1);
	float		x[8];
	float		huge[3] = {1e6f, -1e6f, 0};
	float		one[3] = {1, -1, 0};

	fill(x, 8, 1);
	memcpy(m.a, l.a, sizeof(float) * 16);
	memcpy(m.b, l.b, sizeof(float) * 6);
	assert_int_equal(rvd_lora_step(&l, x, huge, 0.1), RVD_OK);
	assert_int_equal(rvd_lora_step(&m, x, one, 0.1), RVD_OK);
	assert_memory_equal(l.a, m.a, sizeof(float) * 16);
	assert_memory_equal(l.b, m.b, sizeof(float) * 6);
	free_lora(&l);
	free_lora(&m);
}

static void
samples_that_are_not_finite_change_nothing(void **state)
{
	const float bad[] = {NAN, INFINITY, -INFINITY, 3e38f};

	for (int c = 0; c < N_CASES; c++)
	{
		RvdLora		l = random_lora(8, 3, 2, 1);
		float		a[16];
		float		b[6];
		float		x[8];
		float		g[3];
		int			where = below(11);
		float		value = bad[below(where < 8 ? 4 : 3)];
		double		rate = 0.1;

		fill(x, 8, 1);
		fill(g, 3, 1);
		if (where < 8)
			x[where] = value;
		else if (below(4) > 0)
			g[where - 8] = value;
		else
			rate = NAN;
		memcpy(a, l.a, sizeof(a));
		memcpy(b, l.b, sizeof(b));
		assert_int_equal(rvd_lora_step(&l, x, g, rate), RVD_ERR_ARGUMENT);
		assert_memory_equal(a, l.a, sizeof(a));
		assert_memory_equal(b, l.b, sizeof(b));
		free_lora(&l);
	}
}

static void
unequal_factors_are_rebalanced(void **state)
{
	RvdLora		l = random_lora(10, 4, 2, 1);
	double		before[40] = {0};
	double		after[40] = {0};
	float		x[10] = {0};
	float		g[4] = {0};
	double		a = 0;
	double		b = 0;

	for (int i = 0; i < 20; i++)
		l.a[i] *= 1e4f;
	for (int i = 0; i < 8; i++)
		l.b[i] *= 1e-3f;
	add_product(&l, 1, before);
	assert_int_equal(rvd_lora_step(&l, x, g, 0), RVD_OK);
	add_product(&l, 1, after);
	for (int i = 0; i < 40; i++)
		assert_true(fabs(after[i] - before[i]) <= 1e-5 * norm(before, 40));
	for (int i = 0; i < 20; i++)
		a += (double) l.a[i] * l.a[i];
	for (int i = 0; i < 8; i++)
		b += (double) l.b[i] * l.b[i];
	assert_true(fabs(a / b - 1) < 1e-3);
	free_lora(&l);
}

/* A drift of rank two of 16 outputs over 64 inputs, as a stream. */
typedef struct Stream
{
	double		u[16 * 2];
	double		v[2 * 64];
} Stream;

static void
new_stream(Stream *s)
{
	for (int i = 0; i < 32; i++)
		s->u[i] = 0.7 * rvd_rng_normal(&rng);
	for (int i = 0; i < 128; i++)
		s->v[i] = rvd_rng_normal(&rng) / 8;
}

/* The truth at x, without noise. */
static void
truth(const Stream *s, const float *x, double *y)
{
	for (int p = 0; p < 16; p++)
		y[p] = 0;
	for (int k = 0; k < 2; k++)
	{
		double		q = 0;

		for (int i = 0; i < 64; i++)
			q += s->v[k * 64 + i] * x[i];
		for (int p = 0; p < 16; p++)
			y[p] += s->u[p * 2 + k] * q;
	}
}

/* One step; returns squared error over squared truth before it. */
static double
follow(RvdLora *l, const Stream *s, double spread, double outliers,
	   double rate)
{
	float		x[64];
	float		o[16] = {0};
	float		error[16];
	double		y[16];
	double		length = 0;
	double		scale = exp(spread * rvd_rng_normal(&rng));
	double		off = 0;
	double		size = 1e-9;

	for (int i = 0; i < 64; i++)
	{
		x[i] = (float) rvd_rng_normal(&rng);
		length += x[i] * x[i];
	}

	/* layer-normalised, then stretched */
	for (int i = 0; i < 64; i++)
		x[i] *= (float) (scale * 8 / sqrt(length));
	truth(s, x, y);
	rvd_lora_forward(l, x, o);
	for (int p = 0; p < 16; p++)
	{
		double		noise = 0.1 * rvd_rng_normal(&rng);

		if (rvd_rng_uniform(&rng) < outliers)
			noise = 1e6 * rvd_rng_normal(&rng);
		off += (o[p] - y[p]) * (o[p] - y[p]);
		size += y[p] * y[p];
		error[p] = (float) (o[p] - y[p] - noise);
	}
	assert_int_equal(rvd_lora_step(l, x, error, rate), RVD_OK);
	return off / size;
}

static int
by_size(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Steps until the median of the last hundred relative errors is below 0.1. */
static int
steps_to_follow(RvdLora *l, const Stream *s, double rate)
{
	double		last[100];
	double		sorted[100];

	for (int t = 0; t < 5000; t++)
	{
		last[t % 100] = follow(l, s, 0, 0, rate);
		if (t < 100 || t % 10)
			continue;
		memcpy(sorted, last, sizeof(sorted));
		qsort(sorted, 100, sizeof(*sorted), by_size);
		if (sorted[50] < 0.1)
			return t;
	}
	return 5000;
}

static void
drift_is_followed_within_a_thousand_steps(void **state)
{
	for (uint64_t seed = 0; seed < 8; seed++)
	{
		RvdLora		l = new_lora(64, 16, 2, 1);
		Stream		s;

		rvd_rng_init(&rng, RVD_RNG_TEST, 100 + seed);
		rvd_lora_init(&l, seed);
		new_stream(&s);
		assert_true(steps_to_follow(&l, &s, 0.01) < 1000);
		new_stream(&s);
		assert_true(steps_to_follow(&l, &s, 0.01) < 1500);
		free_lora(&l);
	}
}

static void
no_divergence_on_heavy_tails(void **state)
{
	RvdLora		l = new_lora(64, 16, 2, 1);
	Stream		s;
	double		last[1000];

	rvd_rng_init(&rng, RVD_RNG_TEST, 7);
	rvd_lora_init(&l, 7);
	new_stream(&s);
	for (int t = 0; t < MANY_STEPS; t++)
	{
		last[t % 1000] = follow(&l, &s, 1, 0.01, 0.02);
		assert_true(last[t % 1000] < 1e6);
	}
	qsort(last, 1000, sizeof(*last), by_size);
	assert_true(last[500] < 0.2);
	free_lora(&l);
}

/* ---- absorbing ---------------------------------------------------------- */

/*
 * Squared singular values of m[out * in], largest first, and left singular
 * vectors: two-sided Jacobi of m m', which shares nothing with the code.
 */
static void
eigen(const double *m, int out, int in, double *value, double *u)
{
	double		s[MAX_OUT * MAX_OUT];

	for (int i = 0; i < out; i++)
		for (int j = 0; j < out; j++)
		{
			s[i * out + j] = 0;
			u[i * out + j] = i == j;
			for (int x = 0; x < in; x++)
				s[i * out + j] += m[i * in + x] * m[j * in + x];
		}
	for (int sweep = 0; sweep < 30; sweep++)
		for (int i = 0; i < out; i++)
			for (int j = i + 1; j < out; j++)
			{
				double		gap = s[i * out + i] - s[j * out + j];
				double		angle = 0.5 * atan2(2 * s[i * out + j], gap);
				double		c = cos(angle);
				double		d = sin(angle);

				for (int k = 0; k < out; k++)
				{
					double		x = s[k * out + i];
					double		y = s[k * out + j];

					s[k * out + i] = c * x + d * y;
					s[k * out + j] = c * y - d * x;
					x = u[k * out + i];
					y = u[k * out + j];
					u[k * out + i] = c * x + d * y;
					u[k * out + j] = c * y - d * x;
				}
				for (int k = 0; k < out; k++)
				{
					double		x = s[i * out + k];
					double		y = s[j * out + k];

					s[i * out + k] = c * x + d * y;
					s[j * out + k] = c * y - d * x;
				}
			}
	for (int i = 0; i < out; i++)
		value[i] = fmax(s[i * out + i], 0);
	for (int i = 0; i < out; i++)
		for (int j = i + 1; j < out; j++)
			if (value[j] > value[i])
			{
				double		v = value[i];

				value[i] = value[j];
				value[j] = v;
				for (int k = 0; k < out; k++)
				{
					v = u[k * out + i];
					u[k * out + i] = u[k * out + j];
					u[k * out + j] = v;
				}
			}
}

/* Rows of A orthonormal, columns of B orthogonal, longest first. */
static void
assert_fixed_gauge(const RvdLora *l)
{
	double		longest = 0;
	double		previous = INFINITY;

	for (int i = 0; i < l->rank; i++)
		for (int j = 0; j <= i; j++)
		{
			double		aa = 0;
			double		bb = 0;

			for (int x = 0; x < l->in; x++)
				aa += (double) l->a[i * l->in + x] * l->a[j * l->in + x];
			for (int p = 0; p < l->out; p++)
				bb += (double) l->b[p * l->rank + i] * l->b[p * l->rank + j];
			if (i == 0)
				longest = bb;
			if (i < l->in)
				assert_true(fabs(aa - (i == j)) < 1e-5);
			else
				assert_true(aa == 0);	/* no room for another direction */
			if (i != j)
				assert_true(fabs(bb) <= 1e-5 * longest);
			else
			{
				assert_true(bb <= previous + 1e-5 * longest);
				previous = bb;
			}
		}
}

static void
absorbing_is_the_best_approximation(void **state)
{
	rvd_rng_init(&rng, RVD_RNG_TEST, 3);
	for (int c = 0; c < N_CASES; c++)
	{
		int			in = 1 + below(MAX_IN);
		int			out = 1 + below(MAX_OUT);
		RvdLora		l = random_lora(in, out, 1 + below(MAX_R),
									c % 3 ? 1 : 0.5f);
		RvdLora		m = random_lora(in, out, below(MAX_R + 1),
									c % 5 ? 1 : 2);
		float		factor = c % 2 ? 1 : (float) rvd_rng_normal(&rng);
		double		sum[MAX_OUT * MAX_IN] = {0};
		double		best[MAX_OUT * MAX_IN] = {0};
		double		value[MAX_OUT];
		double		u[MAX_OUT * MAX_OUT];
		double		lost;
		double		foreseen;
		double		energy = 0;
		double		tail = 0;
		double		off = 0;

		if (c % 7 == 0)			/* nothing learned yet */
			memset(l.b, 0, sizeof(float) * (size_t) (out * l.rank));
		if (c % 11 == 0 && m.rank > 1)	/* dependent rows */
			memcpy(m.a + in, m.a, sizeof(float) * (size_t) in);
		add_product(&l, 1, sum);
		add_product(&m, factor, sum);
		eigen(sum, out, in, value, u);
		foreseen = rvd_lora_absorb_loss(&l, &m, factor);
		assert_int_equal(rvd_lora_absorb(&l, &m, factor, &lost), RVD_OK);
		for (int i = 0; i < out; i++)
		{
			energy += value[i];
			tail += i >= l.rank ? value[i] : 0;
		}

		/* exact, or better than chance, where the tail is not degenerate */
		add_product(&l, -1, sum);
		off = norm(sum, out * in);
		assert_true(fabs(off - sqrt(tail)) <= 1e-5 * sqrt(energy) + 1e-9);
		assert_true(fabs(lost - (energy > 0 ? tail / energy : 0)) < 1e-6);
		assert_true(fabs(lost - foreseen) < 1e-12);
		assert_fixed_gauge(&l);

		/* what is left over is orthogonal to what was kept */
		add_product(&l, 1, best);
		for (int i = 0; i < out * in; i++)
			off = i == 0 ? sum[i] * best[i] : off + sum[i] * best[i];
		assert_true(fabs(off) <= 1e-5 * energy + 1e-9);
		free_lora(&l);
		free_lora(&m);
	}
}

static void
absorbing_refuses_what_does_not_fit(void **state)
{
	RvdLora		l = random_lora(6, 4, 2, 1);
	RvdLora		m = random_lora(6, 4, 2, 1);
	float		a[12];
	float		b[8];
	double		lost;

	memcpy(a, l.a, sizeof(a));
	memcpy(b, l.b, sizeof(b));
	m.in = 5;
	assert_int_equal(rvd_lora_absorb(&l, &m, 1, &lost), RVD_ERR_ARGUMENT);
	assert_true(rvd_lora_absorb_loss(&l, &m, 1) == 1);
	m.in = 6;
	m.out = 3;
	assert_int_equal(rvd_lora_absorb(&l, &m, 1, &lost), RVD_ERR_ARGUMENT);
	m.out = 4;
	assert_int_equal(rvd_lora_absorb(&l, &m, NAN, &lost), RVD_ERR_ARGUMENT);
	m.a[3] = INFINITY;
	assert_int_equal(rvd_lora_absorb(&l, &m, 1, &lost), RVD_ERR_ARGUMENT);
	m.a[3] = 0;
	l.scale = 0;
	assert_int_equal(rvd_lora_absorb(&l, &m, 1, &lost), RVD_ERR_ARGUMENT);
	l.scale = 1;
	assert_memory_equal(a, l.a, sizeof(a));
	assert_memory_equal(b, l.b, sizeof(b));
	assert_int_equal(rvd_lora_absorb(&l, &m, 1, &lost), RVD_OK);
	free_lora(&l);
	free_lora(&m);
}

/* Orthogonal, and no plane rotation of it lies closer. */
static void
polar_factor_is_the_nearest_rotation(void **state)
{
	rvd_rng_init(&rng, RVD_RNG_TEST, 4);
	for (int c = 0; c < N_CASES; c++)
	{
		int			k = 1 + below(MAX_R);
		double		c0[MAX_R * MAX_R];
		double		x[MAX_R * MAX_R];
		double		best = 0;

		for (int i = 0; i < k * k; i++)
			c0[i] = rvd_rng_normal(&rng);
		if (c % 4 == 0)			/* singular */
			for (int i = 0; i < k; i++)
				c0[(k - 1) * k + i] = 0;
		memcpy(x, c0, sizeof(x));
		assert_true(rvd_small_polar(x, k));
		for (int i = 0; i < k; i++)
			for (int j = 0; j < k; j++)
			{
				double		dot = 0;

				for (int t = 0; t < k; t++)
					dot += x[i * k + t] * x[j * k + t];
				assert_true(fabs(dot - (i == j)) < 1e-9);
			}

		/* maximises trace(x' c): no plane rotation does better */
		for (int i = 0; i < k * k; i++)
			best += x[i] * c0[i];
		for (int i = 0; i + 1 < k; i++)
			for (int sign = -1; sign <= 1; sign += 2)
			{
				double		cosine = cos(0.01);
				double		sine = sign * sin(0.01);
				double		turned = best;

				for (int t = 0; t < k; t++)
				{
					double		p = x[i * k + t];
					double		q = x[(i + 1) * k + t];

					turned += (cosine * p - sine * q - p) * c0[i * k + t] +
						(sine * p + cosine * q - q) * c0[(i + 1) * k + t];
				}
				assert_true(turned <= best + 1e-7);
			}
	}
}

static void
polar_factor_of_nonsense_is_the_identity(void **state)
{
	double		x[4] = {1, NAN, 0, 1};
	double		zero[4] = {0};

	assert_false(rvd_small_polar(x, 2));
	assert_true(x[0] == 1 && x[1] == 0 && x[2] == 0 && x[3] == 1);
	assert_true(rvd_small_polar(zero, 2));
	assert_true(zero[0] == 1 && zero[1] == 0);
}

static int
setup(void **state)
{
	rvd_rng_init(&rng, RVD_RNG_TEST, 1);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_adapter_changes_nothing),
		cmocka_unit_test(start_is_seeded_with_variance_one_over_d),
		cmocka_unit_test(forward_is_the_dense_product),
		cmocka_unit_test(merging_and_unmerging_comes_back),
		cmocka_unit_test(gradients_are_the_finite_differences),
		cmocka_unit_test(a_step_reduces_the_error_of_its_sample),
		cmocka_unit_test(rate_is_an_upper_limit),
		cmocka_unit_test(errors_are_clipped),
		cmocka_unit_test(samples_that_are_not_finite_change_nothing),
		cmocka_unit_test(unequal_factors_are_rebalanced),
		cmocka_unit_test(drift_is_followed_within_a_thousand_steps),
		cmocka_unit_test(no_divergence_on_heavy_tails),
		cmocka_unit_test(absorbing_is_the_best_approximation),
		cmocka_unit_test(absorbing_refuses_what_does_not_fit),
		cmocka_unit_test(polar_factor_is_the_nearest_rotation),
		cmocka_unit_test(polar_factor_of_nonsense_is_the_identity),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
