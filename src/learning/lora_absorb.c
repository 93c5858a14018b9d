/*-------------------------------------------------------------------------
 *
 * lora_absorb.c
 *	  The sum of two adapters, recompressed to the rank of the first.
 *
 * Stack the factors: M = B A, A k x d, B p x k, k the ranks' sum.  With
 * A = L_A Q_A and B = Q_B L_B^T (triangular times orthonormal) the singular
 * values of M are those of the k x k core K = L_B^T L_A.  One-sided Jacobi
 * turns K's columns into W = U S; then
 *	 new A = S^-2 W^T L_B^T A,	whose rows are orthonormal, and
 *	 new B = B (A new A^T), M projected on them,
 * the best approximation of its rank (Eckart and Young 1936).  Neither Q is
 * ever formed: the triangles come from the k x k Gram matrices, in double,
 * of factors that are floats, so squaring them loses nothing a float holds.
 * That is what makes it work without memory of its own, column by column in
 * the place of the old factors.
 *
 * Directions the sum does not use keep B = 0, and A rows orthonormal to the
 * others, taken from the old ones: a row of zeroes in both factors could
 * never be trained again.
 *
 * Memory: 25 KB of stack over two functions.  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "lora_absorb.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "ruvector_dag/hash.h"
#include "ruvector_dag/vec.h"
#include "small_matrix.h"

/* Singular values below this share of the largest (squared) are rounding. */
#define NO_ENERGY		1e-13

/* Two adapters as one. */
typedef struct Stack
{
	const RvdLora *l;
	const RvdLora *m;
	double		factor;
	int			k;
} Stack;

static const float *
row_of_a(const Stack *s, int i)
{
	return i < s->l->rank ? s->l->a + i * s->l->in :
		s->m->a + (i - s->l->rank) * s->m->in;
}

static double
element_of_b(const Stack *s, int j, int i)
{
	if (i < s->l->rank)
		return (double) s->l->scale * s->l->b[j * s->l->rank + i];
	i -= s->l->rank;
	return s->factor * s->m->scale * s->m->b[j * s->m->rank + i];
}

static bool
is_finite(const RvdLora *l)
{
	return isfinite(l->scale) &&
		rvd_vec_all_finite(l->a, l->rank * l->in) &&
		rvd_vec_all_finite(l->b, l->out * l->rank);
}

static bool
stack_of(Stack *s, const RvdLora *l, const RvdLora *m, float factor)
{
	s->l = l;
	s->m = m;
	s->factor = factor;
	s->k = l->rank + m->rank;
	return l->in == m->in && l->out == m->out && l->scale != 0 &&
		l->rank > 0 && l->rank <= RVD_LORA_MAX_RANK &&
		m->rank >= 0 && m->rank <= RVD_LORA_MAX_RANK &&
		isfinite(factor) && is_finite(l) && is_finite(m);
}

/* la[packed]: triangle of A */
static void
factor_a(const Stack *s, double *la)
{
	for (int i = 0; i < s->k; i++)
		for (int j = 0; j <= i; j++)
			la[RVD_PACKED(i, j)] = rvd_vec_dot_exact(row_of_a(s, i),
													 row_of_a(s, j), s->l->in);
	rvd_small_cholesky(la, s->k);
}

static void
factor_b(const Stack *s, double *lb)
{
	for (int i = 0; i < s->k; i++)
		for (int j = 0; j <= i; j++)
		{
			double		sum = 0;

			for (int p = 0; p < s->l->out; p++)
				sum += element_of_b(s, p, i) * element_of_b(s, p, j);
			lb[RVD_PACKED(i, j)] = sum;
		}
	rvd_small_cholesky(lb, s->k);
}

/*
 * Rows i < *used of t (NULL: not wanted) become S^-2 W^T L_B^T, used: singular
 * values that are kept and not zero.  Returns the share of energy that is
 * dropped.
 */
static double
solve_core(const Stack *s, const double *la, double *t, int *used)
{
	double		lb[RVD_PACKED_SIZE(RVD_SMALL_MAX)];
	double		w[RVD_SMALL_MAX * RVD_SMALL_MAX];
	double		square[RVD_SMALL_MAX];
	double		all = 0;
	double		kept = 0;
	int			k = s->k;

	factor_b(s, lb);
	for (int j = 0; j < k; j++)
		for (int i = 0; i < k; i++)
		{
			double		sum = 0;

			for (int u = i > j ? i : j; u < k; u++)
				sum += lb[RVD_PACKED(u, i)] * la[RVD_PACKED(u, j)];
			w[j * k + i] = sum;
		}
	rvd_small_orthogonalize(w, k, square);

	*used = 0;
	for (int i = 0; i < k; i++)
	{
		all += square[i];
		if (i >= s->l->rank || !(square[i] > NO_ENERGY * square[0]))
			continue;
		kept += square[i];
		(*used)++;
		for (int c = 0; t && c < k; c++)
		{
			double		sum = 0;

			for (int u = 0; u <= c; u++)
				sum += w[i * k + u] * lb[RVD_PACKED(c, u)];
			t[i * k + c] = sum / square[i];
		}
	}
	return all > 0 ? fmax(0, 1 - kept / all) : 0;
}

/* c[i * k ..] = A A^T t_i for the rows of t, by way of A's triangle */
static void
through_gram(const double *la, const double *t, int k, int rows, double *c)
{
	for (int i = 0; i < rows; i++)
	{
		double		u[RVD_SMALL_MAX];

		for (int a = 0; a < k; a++)
		{
			u[a] = 0;
			for (int b = a; b < k; b++)
				u[a] += la[RVD_PACKED(b, a)] * t[i * k + b];
		}
		for (int a = 0; a < k; a++)
		{
			c[i * k + a] = 0;
			for (int b = 0; b <= a; b++)
				c[i * k + a] += la[RVD_PACKED(a, b)] * u[b];
		}
	}
}

static double
combine(const double *coefficient, const double *x, int k)
{
	double		sum = 0;

	for (int i = 0; i < k; i++)
		sum += coefficient[i] * x[i];
	return sum;
}

/* Columns of A and rows of B, each read before it is overwritten. */
static void
replace_factors(const Stack *s, RvdLora *l, const double *t, const double *c,
				int used)
{
	double		old[RVD_SMALL_MAX];

	for (int p = 0; p < l->out; p++)
	{
		for (int i = 0; i < s->k; i++)
			old[i] = element_of_b(s, p, i);
		for (int i = 0; i < l->rank; i++)
			l->b[p * l->rank + i] = i < used ?
				(float) (combine(c + i * s->k, old, s->k) / l->scale) : 0;
	}
	for (int x = 0; x < l->in; x++)
	{
		for (int i = 0; i < s->k; i++)
			old[i] = row_of_a(s, i)[x];
		for (int i = 0; i < used; i++)
			l->a[i * l->in + x] = (float) combine(t + i * s->k, old, s->k);
	}
}

/*
 * Make row i of A orthogonal to the rows before it, length 1; false if
 * nothing is left of it.
 */
static bool
orthogonalize_row(RvdLora *l, int i)
{
	float	   *row = l->a + i * l->in;

	/* twice is enough (Kahan; Parlett 1980) */
	for (int pass = 0; pass < 2; pass++)
	{
		if (!rvd_vec_normalize(row, l->in))
			return false;
		for (int j = 0; j < i; j++)
		{
			const float *other = l->a + j * l->in;

			rvd_vec_axpy((float) -rvd_vec_dot_exact(row, other, l->in), other,
						 row, l->in);
		}
		if (rvd_vec_norm(row, l->in) < 1e-3)
			return false;
	}
	return rvd_vec_normalize(row, l->in);
}

/* Rows of A that the sum does not need, ready to be trained. */
static void
complete_rows(RvdLora *l, int used)
{
	for (int i = used; i < l->rank; i++)
	{
		float	   *row = l->a + i * l->in;
		bool		done = orthogonalize_row(l, i);

		for (int attempt = 0; !done && attempt < 4; attempt++)
		{
			for (int x = 0; x < l->in; x++)
			{
				uint64_t	h = rvd_hash_combine((uint64_t) (i + attempt * 64),
												 (uint64_t) x);

				row[x] = (float) ((double) (h >> 11) * 0x1p-52 - 1.0);
			}
			done = orthogonalize_row(l, i);
		}
		if (!done)				/* more rows than dimensions */
			memset(row, 0, sizeof(float) * (size_t) l->in);
	}
}

RvdStatus
rvd_lora_absorb(RvdLora *l, const RvdLora *m, float factor, double *lost)
{
	Stack		s;
	double		la[RVD_PACKED_SIZE(RVD_SMALL_MAX)];
	double		t[RVD_LORA_MAX_RANK * RVD_SMALL_MAX];
	double		c[RVD_LORA_MAX_RANK * RVD_SMALL_MAX];
	int			used;

	if (!stack_of(&s, l, m, factor))
		return RVD_ERR_ARGUMENT;
	factor_a(&s, la);
	*lost = solve_core(&s, la, t, &used);
	through_gram(la, t, s.k, used, c);
	replace_factors(&s, l, t, c, used);
	complete_rows(l, used);
	return RVD_OK;
}

double
rvd_lora_absorb_loss(const RvdLora *l, const RvdLora *m, float factor)
{
	Stack		s;
	double		la[RVD_PACKED_SIZE(RVD_SMALL_MAX)];
	int			used;

	if (!stack_of(&s, l, m, factor))
		return 1;
	factor_a(&s, la);
	return solve_core(&s, la, NULL, &used);
}
