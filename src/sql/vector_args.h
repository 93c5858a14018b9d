/*-------------------------------------------------------------------------
 *
 * vector_args.h
 *	  Arrays of numbers as arguments, checked.  Layer 7, private.
 *
 * Every error is 22023 and names the argument.  Results point into the
 * array.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_VECTOR_ARGS_H
#define RVD_VECTOR_ARGS_H

#include "postgres.h"

#include "utils/array.h"

#include "ruvector_dag/on_vectors.h"

/* Query and ancestors, the first two arguments of every kernel. */
extern void rvd_arg_on_vectors(FunctionCallInfo fcinfo, RvdOnVectors *in);

/* A real[][] with rows as long as the query; returns its number of rows. */
extern int	rvd_arg_matrix(ArrayType *array, const char *name, int d,
						   const float **rows);

/* One-dimensional, without nulls, n elements: one per ancestor. */
extern void *rvd_arg_per_ancestor(ArrayType *array, const char *name, int n);

/* Every element of a vector; raises at the first that is not finite. */
extern void rvd_arg_finite4(const float4 *x, int n, const char *name);
extern void rvd_arg_finite8(const float8 *x, int n, const char *name);

extern double rvd_arg_positive(double x, const char *name);
extern double rvd_arg_not_negative(double x, const char *name);

/* Refuse what would compute for longer than about a second uncancelled. */
extern void rvd_arg_work(double products);

/* Weights as real[]; raises if the kernel gave none. */
extern Datum rvd_weights_result(RvdStatus status, const double *weight, int n);

#endif							/* RVD_VECTOR_ARGS_H */
