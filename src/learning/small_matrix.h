/*-------------------------------------------------------------------------
 *
 * small_matrix.h
 *	  Dense algebra of matrices no larger than two adapters' ranks.
 *	  Layer 1, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_SMALL_MATRIX_H
#define RVD_SMALL_MATRIX_H

#include <stdbool.h>

/* Two adapters stacked. */
#define RVD_SMALL_MAX		32

/* Lower triangle by rows: element (i, j), j <= i. */
#define RVD_PACKED(i, j)	((i) * ((i) + 1) / 2 + (j))
#define RVD_PACKED_SIZE(k)	((k) * ((k) + 1) / 2)

/*
 * g[packed k], positive semidefinite, becomes L with L L^T = g.  A row that
 * depends on earlier ones (to 1e-7 of its length) gets a zero diagonal and
 * nothing below it.  O(k^3).
 */
extern void rvd_small_cholesky(double *g, int k);

/*
 * One-sided Jacobi: the columns w[j * k .. j * k + k - 1] are rotated until
 * they are orthogonal to each other, then sorted, longest first; square[k]:
 * their squared lengths.  Columns = U S of an SVD, the rotations V are not
 * kept.  O(k^3) a sweep.
 */
extern void rvd_small_orthogonalize(double *w, int k, double *square);

/*
 * x[k * k], row-major, becomes the orthogonal matrix nearest to it, by
 * Newton's iteration (Higham 1986).  What is missing for full rank is taken
 * from the identity.  k <= 16.  False, and the identity, if x is not finite.
 */
extern bool rvd_small_polar(double *x, int k);

#endif							/* RVD_SMALL_MATRIX_H */
