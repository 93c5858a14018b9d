/*-------------------------------------------------------------------------
 *
 * attention_ensemble.c
 *	  ruvector_attention_ensemble: a mixture of kernels on vectors of the
 *	  caller's.
 *
 * Memory: CurrentMemoryContext.  Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "ruvector_dag/attention.h"

#include "vector_args.h"

PG_FUNCTION_INFO_V1(ruvector_attention_ensemble);

/* Number of a kernel by name; an ensemble may not contain itself. */
static int
kind_by_name(const char *name)
{
	int			kind = rvd_attention_by_name(name);
	StringInfoData names;

	if (kind >= 0 && kind < RVD_NUM_KERNELS)
		return kind;
	initStringInfo(&names);
	for (int i = 0; i < RVD_NUM_KERNELS; i++)
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "",
						 rvd_attention_name(i));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("argument \"attention_types\" names an unknown type \"%s\"",
					name),
			 errhint("Types are %s.", names.data)));
	return -1;
}

/* Returns their number; a name may occur more than once. */
static int
arg_kinds(ArrayType *array, int **kind)
{
	Datum	   *names;
	bool	   *nulls;
	int			n;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, &nulls,
					  &n);
	if (n == 0 || ARR_NDIM(array) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"attention_types\" must be a one-dimensional array and not empty")));
	*kind = palloc(sizeof(int) * n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"attention_types\" must not contain nulls")));
		(*kind)[i] = kind_by_name(TextDatumGetCString(names[i]));
	}
	return n;
}

static double *
arg_mix(ArrayType *array, int k)
{
	const float4 *given;
	double	   *mix = palloc(sizeof(double) * k);
	double		sum = 0;

	if (ARR_NDIM(array) != 1 || ARR_DIMS(array)[0] != k)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"weights\" must have one element per attention type"),
				 errhint("NULL gives all the same weight.")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"weights\" must not contain nulls")));
	given = (const float4 *) ARR_DATA_PTR(array);
	rvd_arg_finite4(given, k, "weights");
	for (int i = 0; i < k; i++)
		sum += mix[i] = rvd_arg_not_negative(given[i], "weights");
	if (sum == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"weights\" must not be all zero")));
	return mix;
}

Datum
ruvector_attention_ensemble(PG_FUNCTION_ARGS)
{
	RvdOnVectors in;
	int		   *kind;
	int			k;
	double	   *mix;
	double	   *work;
	double	   *weight;

	/* not strict: only the weights may be left out */
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_NULL();
	rvd_arg_on_vectors(fcinfo, &in);
	k = arg_kinds(PG_GETARG_ARRAYTYPE_P(2), &kind);
	mix = PG_ARGISNULL(3) ? NULL : arg_mix(PG_GETARG_ARRAYTYPE_P(3), k);
	rvd_arg_work((double) k * in.n * in.d);
	work = palloc(sizeof(double) * in.n);
	weight = palloc(sizeof(double) * in.n);
	return rvd_weights_result(rvd_on_ensemble(&in, kind, mix, k, work, weight),
							  weight, in.n);
}
