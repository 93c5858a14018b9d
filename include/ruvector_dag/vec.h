/*-------------------------------------------------------------------------
 *
 * vec.h
 *	  Vectors of floats: the few loops everything else is made of.
 *	  Layer 0, pure.
 *
 * Compiled in several instruction sets chosen at load time (target_clones)
 * where the compiler can; all give bit-identical results: sums are kept in a
 * fixed number of lanes that are added in a fixed order, and multiply-adds
 * are never fused.  Lengths >= 0; pointers need no alignment.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_VEC_H
#define RVD_VEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* sum a[i] * b[i]; products and sums in float, 16 lanes.  O(n). */
extern float rvd_vec_dot(const float *a, const float *b, int n);

/*
 * out[r] = x . rows[r], rows being stride floats apart: for each the bits of
 * rvd_vec_dot(), about twice as fast.  O(n_rows * n).
 */
extern void rvd_vec_dots(const float *x, const float *rows, size_t stride,
						 int n_rows, int n, float *out);

/* x . y accumulated in double. */
extern double rvd_vec_dot_exact(const float *a, const float *b, int n);

/* sum (a[i] - b[i])^2, in double.  O(n). */
extern double rvd_vec_distance(const float *a, const float *b, int n);

/* sum += x, in double */
extern void rvd_vec_accumulate(const float *x, double *sum, int n);

/* y += alpha * x */
extern void rvd_vec_axpy(float alpha, const float *x, float *y, int n);
extern void rvd_vec_scale(float alpha, float *x, int n);

/* Euclidean norm, accumulated in double. */
extern double rvd_vec_norm(const float *x, int n);

/* Scale to norm 1; false (and unchanged) if zero or not finite. */
extern bool rvd_vec_normalize(float *x, int n);
extern bool rvd_vec_all_finite(const float *x, int n);

/* ln(exp(a) + exp(b)); -inf is the neutral element. */
extern double rvd_logaddexp(double a, double b);

/* ln sum exp(s[i]), maximum taken out first; -inf for n = 0 or all -inf. */
extern double rvd_logsumexp(const double *s, int n);

/*
 * p[i] = exp(s[i]) / sum, maximum taken out first; p may be s.  -inf is a
 * mask.  False, and p uniform, if a score is NaN or +inf, or all are masked.
 */
extern bool rvd_softmax(const double *s, double *p, int n);

#endif							/* RVD_VEC_H */
