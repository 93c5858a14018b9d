/*-------------------------------------------------------------------------
 *
 * small_matrix.c
 *	  Cholesky factor, one-sided Jacobi and polar factor of small matrices.
 *
 * One-sided Jacobi (Hestenes 1958) gives small singular values to full
 * relative accuracy, which a decomposition of the squared matrix would not.
 * The polar factor follows N. J. Higham, "Computing the polar decomposition
 * - with applications", SIAM J. Sci. Stat. Comput. 7 (1986).
 *
 * Matrices are the caller's; temporaries are at most two 16 x 16.  No state.
 * Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "small_matrix.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* What is left of a row's squared length below this share is rounding. */
#define DEPENDENT		1e-14

#define MAX_SWEEPS		60
#define MAX_NEWTON		60
#define POLAR_MAX		16

/* Added to a matrix, relative to its largest element, to make it regular. */
#define POLAR_RIDGE		1e-9

void
rvd_small_cholesky(double *g, int k)
{
	for (int j = 0; j < k; j++)
	{
		double		length = g[RVD_PACKED(j, j)];
		double		pivot = length;

		for (int t = 0; t < j; t++)
			pivot -= g[RVD_PACKED(j, t)] * g[RVD_PACKED(j, t)];
		pivot = pivot > DEPENDENT * length ? sqrt(pivot) : 0;
		g[RVD_PACKED(j, j)] = pivot;
		for (int i = j + 1; i < k; i++)
		{
			double		sum = g[RVD_PACKED(i, j)];

			for (int t = 0; t < j; t++)
				sum -= g[RVD_PACKED(i, t)] * g[RVD_PACKED(j, t)];
			g[RVD_PACKED(i, j)] = pivot > 0 ? sum / pivot : 0;
		}
	}
}

static double
product(const double *a, const double *b, int k)
{
	double		sum = 0;

	for (int i = 0; i < k; i++)
		sum += a[i] * b[i];
	return sum;
}

/* Make two columns orthogonal; false if they were already. */
static bool
rotate_pair(double *a, double *b, int k)
{
	double		aa = product(a, a, k);
	double		bb = product(b, b, k);
	double		ab = product(a, b, k);
	double		zeta;
	double		t;
	double		c;

	if (fabs(ab) <= 1e-15 * sqrt(aa) * sqrt(bb) || fabs(ab) < DBL_MIN)
		return false;
	zeta = (bb - aa) / (2 * ab);
	t = (zeta < 0 ? -1 : 1) / (fabs(zeta) + sqrt(1 + zeta * zeta));
	c = 1 / sqrt(1 + t * t);
	for (int i = 0; i < k; i++)
	{
		double		x = a[i];

		a[i] = c * (x - t * b[i]);
		b[i] = c * (t * x + b[i]);
	}
	return true;
}

static void
swap_columns(double *a, double *b, int k)
{
	for (int i = 0; i < k; i++)
	{
		double		x = a[i];

		a[i] = b[i];
		b[i] = x;
	}
}

void
rvd_small_orthogonalize(double *w, int k, double *square)
{
	bool		moved = true;

	for (int sweep = 0; moved && sweep < MAX_SWEEPS; sweep++)
	{
		moved = false;
		for (int i = 0; i < k; i++)
			for (int j = i + 1; j < k; j++)
				if (rotate_pair(w + i * k, w + j * k, k))
					moved = true;
	}
	for (int i = 0; i < k; i++)
		square[i] = product(w + i * k, w + i * k, k);

	for (int i = 0; i < k; i++)
	{
		int			longest = i;
		double		x;

		for (int j = i + 1; j < k; j++)
			if (square[j] > square[longest])
				longest = j;
		if (longest == i)
			continue;
		swap_columns(w + i * k, w + longest * k, k);
		x = square[i];
		square[i] = square[longest];
		square[longest] = x;
	}
}

static void
identity(double *x, int k)
{
	for (int i = 0; i < k * k; i++)
		x[i] = i % (k + 1) == 0 ? 1 : 0;
}

/* Gauss and Jordan with row pivots; a is used up.  False if singular. */
static bool
invert(double *a, double *inverse, int k)
{
	identity(inverse, k);
	for (int c = 0; c < k; c++)
	{
		int			pivot = c;
		double		scale;

		for (int i = c + 1; i < k; i++)
			if (fabs(a[i * k + c]) > fabs(a[pivot * k + c]))
				pivot = i;
		if (!(fabs(a[pivot * k + c]) > DBL_MIN))
			return false;
		if (pivot != c)
		{
			swap_columns(a + c * k, a + pivot * k, k);
			swap_columns(inverse + c * k, inverse + pivot * k, k);
		}
		scale = 1 / a[c * k + c];
		for (int j = 0; j < k; j++)
		{
			a[c * k + j] *= scale;
			inverse[c * k + j] *= scale;
		}
		for (int i = 0; i < k; i++)
		{
			double		f = a[i * k + c];

			for (int j = 0; i != c && j < k; j++)
			{
				a[i * k + j] -= f * a[c * k + j];
				inverse[i * k + j] -= f * inverse[c * k + j];
			}
		}
	}
	return true;
}

/* x <- (g x + x^-T / g) / 2; the largest change of an element, < 0: failed. */
static double
newton_step(double *x, int k)
{
	double		copy[POLAR_MAX * POLAR_MAX];
	double		inverse[POLAR_MAX * POLAR_MAX];
	double		g;
	double		change = 0;

	memcpy(copy, x, sizeof(double) * (size_t) (k * k));
	if (!invert(copy, inverse, k))
		return -1;

	/* the scaling that makes the first, far steps few */
	g = sqrt(sqrt(product(inverse, inverse, k * k) / product(x, x, k * k)));
	for (int i = 0; i < k; i++)
		for (int j = 0; j < k; j++)
		{
			double		next = (g * x[i * k + j] +
								inverse[j * k + i] / g) / 2;

			change = fmax(change, fabs(next - x[i * k + j]));
			copy[i * k + j] = next;
		}
	memcpy(x, copy, sizeof(double) * (size_t) (k * k));
	return change;
}

bool
rvd_small_polar(double *x, int k)
{
	double		largest = 0;
	double		change = 1;

	for (int i = 0; i < k * k; i++)
		largest = isfinite(x[i]) ? fmax(largest, fabs(x[i])) : INFINITY;
	if (!(largest > 0) || isinf(largest))
	{
		identity(x, k);
		return !isinf(largest);
	}
	for (int i = 0; i < k * k; i++)
		x[i] = x[i] / largest + (i % (k + 1) == 0 ? POLAR_RIDGE : 0);
	for (int n = 0; change > 1e-14 && n < MAX_NEWTON; n++)
		change = newton_step(x, k);
	if (change >= 0 && change < 1e-9)
		return true;
	identity(x, k);
	return false;
}
