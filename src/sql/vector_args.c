/*-------------------------------------------------------------------------
 *
 * vector_args.c
 *	  Arrays of numbers as arguments, checked.  See vector_args.h.
 *
 * The arrays' elements are read in place: of a fixed length and without
 * nulls, they lie side by side.
 *
 * Memory: CurrentMemoryContext.  Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"

#include "vector_args.h"

#define MAX_PRODUCTS	1e8

static void
refuse_nulls(ArrayType *array, const char *name)
{
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not contain nulls", name)));
}

static void
refuse_empty(ArrayType *array, const char *name)
{
	if (ARR_NDIM(array) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must not be empty", name)));
}

/* A vector; returns its length. */
static int
vector_length(ArrayType *array, const char *name)
{
	refuse_empty(array, name);
	if (ARR_NDIM(array) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be a one-dimensional array",
						name),
				 errdetail("It has %d dimensions.", ARR_NDIM(array))));
	refuse_nulls(array, name);
	return ARR_DIMS(array)[0];
}

static void
refuse_number(double x, int position, const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"%s\" must not contain NaN or infinity", name),
			 errdetail("Number %d of it is %s.", position + 1,
					   isnan(x) ? "NaN" : x > 0 ? "Infinity" : "-Infinity")));
}

void
rvd_arg_finite4(const float4 *x, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!isfinite(x[i]))
			refuse_number(x[i], i, name);
}

void
rvd_arg_finite8(const float8 *x, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!isfinite(x[i]))
			refuse_number(x[i], i, name);
}

int
rvd_arg_matrix(ArrayType *array, const char *name, int d, const float **rows)
{
	int			n;

	refuse_empty(array, name);
	if (ARR_NDIM(array) != 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be a two-dimensional array",
						name),
				 errdetail("It has %d dimension(s).", ARR_NDIM(array)),
				 errhint("A single vector is written ARRAY[[1, 2, 3]].")));
	refuse_nulls(array, name);
	if (ARR_DIMS(array)[1] != d)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("vectors in argument \"%s\" must be as long as \"query\"",
						name),
				 errdetail("They have %d elements, the query has %d.",
						   ARR_DIMS(array)[1], d)));
	n = ARR_DIMS(array)[0];
	*rows = (const float *) ARR_DATA_PTR(array);
	rvd_arg_finite4(*rows, n * d, name);
	return n;
}

void
rvd_arg_on_vectors(FunctionCallInfo fcinfo, RvdOnVectors *in)
{
	ArrayType  *query = PG_GETARG_ARRAYTYPE_P(0);

	in->d = vector_length(query, "query");
	in->query = (const float *) ARR_DATA_PTR(query);
	rvd_arg_finite4(in->query, in->d, "query");
	in->n = rvd_arg_matrix(PG_GETARG_ARRAYTYPE_P(1), "ancestors", in->d,
						   &in->ancestors);
}

void *
rvd_arg_per_ancestor(ArrayType *array, const char *name, int n)
{
	int			length = vector_length(array, name);

	if (length != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must have one element per ancestor",
						name),
				 errdetail("It has %d, and there are %d ancestors.",
						   length, n)));
	return ARR_DATA_PTR(array);
}

double
rvd_arg_positive(double x, const char *name)
{
	if (!(x > 0) || isinf(x))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be positive and finite", name),
				 errdetail("It is %g.", x)));
	return x;
}

double
rvd_arg_not_negative(double x, const char *name)
{
	if (!(x >= 0) || isinf(x))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"%s\" must be finite and not negative",
						name),
				 errdetail("It is %g.", x)));
	return x;
}

void
rvd_arg_work(double products)
{
	if (products > MAX_PRODUCTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many numbers to multiply in one call"),
				 errdetail("%.0f products are needed, the limit is %.0f.",
						   products, MAX_PRODUCTS)));
}

Datum
rvd_weights_result(RvdStatus status, const double *weight, int n)
{
	Datum	   *values;

	if (status == RVD_ERR_EMPTY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"depths\" leaves no ancestor within \"max_depth\""),
				 errhint("There is nothing to give weight to; raise \"max_depth\".")));
	if (status != RVD_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an argument is out of range")));
	values = palloc(sizeof(Datum) * n);
	for (int i = 0; i < n; i++)
		values[i] = Float4GetDatum((float4) weight[i]);
	return PointerGetDatum(construct_array(values, n, FLOAT4OID,
										   sizeof(float4), true,
										   TYPALIGN_INT));
}
