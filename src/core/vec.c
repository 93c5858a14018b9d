/*-------------------------------------------------------------------------
 *
 * vec.c
 *	  The loops over floats.  See vec.h.
 *
 * A sum runs in a fixed number of lanes, element i in lane i mod lanes, that
 * are added pairwise in the end: 16 floats or 8 doubles, 64 bytes, which is
 * four, two or one register.  The compiler's vectoriser finds these loops at
 * -O3; written as vector types wider than the machine's they would live in
 * memory.  One order of IEEE operations means one result, whatever the
 * instruction set, as long as products and sums are not contracted.
 *
 * The clones are chosen by an indirect function, which needs glibc.  Not
 * under a sanitizer (the resolver would run before its runtime is up) and
 * not with clang (its output is also the server's JIT bitcode).
 *
 * No memory, no state.  Layer 0, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "ruvector_dag/vec.h"

#include <math.h>
#include <string.h>

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize ("fp-contract=off")
#ifdef __OPTIMIZE__
#pragma GCC optimize ("O3")
#endif
#endif

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__OPTIMIZE__) && \
	defined(__GNUC__) && !defined(__clang__) && \
	!defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define RVD_CLONES \
	__attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define RVD_CLONES
#endif

#define LANES			16
#define DOUBLE_LANES	8

#define LN2				0.693147180559945309417

/* A quarter of the lanes, in every instruction set a register. */
typedef float Quad __attribute__((vector_size(16)));
typedef Quad QuadAt __attribute__((aligned(4), may_alias));

static inline float
add_lanes(const float *lane)
{
	const QuadAt *q = (const QuadAt *) lane;
	Quad		sum = (q[0] + q[2]) + (q[1] + q[3]);

	return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

static inline double
add_double_lanes(const double *lane)
{
	return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
		((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/*
 * What is left of a vector, filled up with zeroes.  Adding their products
 * changes no lane, and lanes indexed by constants alone stay in registers.
 */
static inline void
take_tail(float *tail, const float *x, int n)
{
	memset(tail, 0, sizeof(float) * LANES);
	memcpy(tail, x, sizeof(float) * (size_t) n);
}

RVD_CLONES float
rvd_vec_dot(const float *a, const float *b, int n)
{
	float		lane[LANES] = {0};
	int			i = 0;

	for (; i + LANES <= n; i += LANES)
		for (int j = 0; j < LANES; j++)
			lane[j] += a[i + j] * b[i + j];
	if (i < n)
	{
		float		x[LANES];
		float		y[LANES];

		take_tail(x, a + i, n - i);
		take_tail(y, b + i, n - i);
		for (int j = 0; j < LANES; j++)
			lane[j] += x[j] * y[j];
	}
	return add_lanes(lane);
}

/* Four sums at a time hide the latency of the additions. */
static inline void
dot_four(const float *x, const float *const *row, int n, float *out)
{
	float		lane0[LANES] = {0};
	float		lane1[LANES] = {0};
	float		lane2[LANES] = {0};
	float		lane3[LANES] = {0};

	for (int i = 0; i < n; i += LANES)
		for (int j = 0; j < LANES; j++)
		{
			lane0[j] += x[i + j] * row[0][i + j];
			lane1[j] += x[i + j] * row[1][i + j];
			lane2[j] += x[i + j] * row[2][i + j];
			lane3[j] += x[i + j] * row[3][i + j];
		}
	out[0] = add_lanes(lane0);
	out[1] = add_lanes(lane1);
	out[2] = add_lanes(lane2);
	out[3] = add_lanes(lane3);
}

RVD_CLONES void
rvd_vec_dots(const float *x, const float *rows, size_t stride, int n_rows,
			 int n, float *out)
{
	int			r = 0;

	if (n % LANES == 0)
		for (; r + 4 <= n_rows; r += 4)
		{
			const float *row[4];

			for (int j = 0; j < 4; j++)
				row[j] = rows + (size_t) (r + j) * stride;
			dot_four(x, row, n, out + r);
		}
	for (; r < n_rows; r++)
		out[r] = rvd_vec_dot(x, rows + (size_t) r * stride, n);
}

RVD_CLONES double
rvd_vec_dot_exact(const float *a, const float *b, int n)
{
	double		lane[DOUBLE_LANES] = {0};
	int			whole = n - n % DOUBLE_LANES;
	double		sum;

	for (int i = 0; i < whole; i += DOUBLE_LANES)
		for (int j = 0; j < DOUBLE_LANES; j++)
			lane[j] += (double) a[i + j] * b[i + j];
	sum = add_double_lanes(lane);
	for (int i = whole; i < n; i++)
		sum += (double) a[i] * b[i];
	return sum;
}

RVD_CLONES double
rvd_vec_distance(const float *a, const float *b, int n)
{
	double		lane[DOUBLE_LANES] = {0};
	int			whole = n - n % DOUBLE_LANES;
	double		sum;

	for (int i = 0; i < whole; i += DOUBLE_LANES)
		for (int j = 0; j < DOUBLE_LANES; j++)
		{
			double		d = (double) a[i + j] - b[i + j];

			lane[j] += d * d;
		}
	sum = add_double_lanes(lane);
	for (int i = whole; i < n; i++)
		sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
	return sum;
}

RVD_CLONES void
rvd_vec_accumulate(const float *x, double *sum, int n)
{
	for (int i = 0; i < n; i++)
		sum[i] += x[i];
}

RVD_CLONES void
rvd_vec_axpy(float alpha, const float *x, float *y, int n)
{
	for (int i = 0; i < n; i++)
		y[i] += alpha * x[i];
}

RVD_CLONES void
rvd_vec_scale(float alpha, float *x, int n)
{
	for (int i = 0; i < n; i++)
		x[i] *= alpha;
}

double
rvd_vec_norm(const float *x, int n)
{
	return sqrt(rvd_vec_dot_exact(x, x, n));
}

bool
rvd_vec_normalize(float *x, int n)
{
	double		norm = rvd_vec_norm(x, n);

	if (!(norm > 0) || isinf(norm))
		return false;
	for (int i = 0; i < n; i++)
		x[i] = (float) (x[i] / norm);
	return true;
}

/* All ones in the exponent: infinite or not a number. */
RVD_CLONES bool
rvd_vec_all_finite(const float *x, int n)
{
	uint32_t	bad = 0;

	for (int i = 0; i < n; i++)
	{
		uint32_t	bits;

		memcpy(&bits, &x[i], sizeof(bits));
		bad |= (bits & UINT32_C(0x7f800000)) == UINT32_C(0x7f800000);
	}
	return bad == 0;
}

double
rvd_logaddexp(double a, double b)
{
	double		high = a > b ? a : b;
	double		low = a > b ? b : a;

	/* also the infinities, whose difference is not a number */
	if (a == b)
		return a + LN2;
	return high + log1p(exp(low - high));
}

double
rvd_logsumexp(const double *s, int n)
{
	double		max = -INFINITY;
	double		sum = 0;

	for (int i = 0; i < n; i++)
	{
		if (isnan(s[i]))
			return NAN;
		if (s[i] > max)
			max = s[i];
	}
	if (isinf(max))
		return max;
	for (int i = 0; i < n; i++)
		sum += exp(s[i] - max);
	return max + log(sum);
}

bool
rvd_softmax(const double *s, double *p, int n)
{
	double		max = -INFINITY;
	double		sum = 0;
	bool		valid = true;

	for (int i = 0; i < n; i++)
	{
		valid &= !isnan(s[i]);
		if (s[i] > max)
			max = s[i];
	}
	if (!valid || isinf(max))
	{
		for (int i = 0; i < n; i++)
			p[i] = 1.0 / n;
		return false;
	}
	for (int i = 0; i < n; i++)
		sum += p[i] = exp(s[i] - max);
	for (int i = 0; i < n; i++)
		p[i] /= sum;
	return true;
}
