/*-------------------------------------------------------------------------
 *
 * attention_vectors.c
 *	  ruvector_attention_*: the seven kernels on vectors of the caller's.
 *
 * What each computes is in on_vectors.h and docs/attention.md.  Arguments
 * are checked here one by one, so that the error can name the one that is
 * wrong.
 *
 * Memory: CurrentMemoryContext.  Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "vector_args.h"

PG_FUNCTION_INFO_V1(ruvector_attention_topological);
PG_FUNCTION_INFO_V1(ruvector_attention_causal_cone);
PG_FUNCTION_INFO_V1(ruvector_attention_critical_path);
PG_FUNCTION_INFO_V1(ruvector_attention_mincut_gated);
PG_FUNCTION_INFO_V1(ruvector_attention_hierarchical_lorentz);
PG_FUNCTION_INFO_V1(ruvector_attention_parallel_branch);
PG_FUNCTION_INFO_V1(ruvector_attention_temporal_btsp);

static double *
new_weights(const RvdOnVectors *in)
{
	return palloc(sizeof(double) * in->n);
}

/* ---- topological ------------------------------------------------------- */

typedef struct TopologicalConfig
{
	double		decay_rate;
	double		temperature;
} TopologicalConfig;

static double
config_number(const JsonbValue *value, const char *key)
{
	Datum		number;

	if (value->type != jbvNumeric)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key \"%s\" of argument \"config\" must be a number",
						key)));
	/* what is out of a double's range becomes infinite, and is refused so */
	number = NumericGetDatum(value->val.numeric);
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											  number));
}

static void
config_set(TopologicalConfig *config, const char *key,
		   const JsonbValue *value)
{
	if (strcmp(key, "decay_rate") == 0)
		config->decay_rate = rvd_arg_not_negative(config_number(value, key),
												  "config.decay_rate");
	else if (strcmp(key, "temperature") == 0)
		config->temperature = rvd_arg_positive(config_number(value, key),
											   "config.temperature");
	else
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"config\" has an unknown key \"%s\"", key),
				 errhint("Keys are decay_rate and temperature.")));
}

static void
read_config(Jsonb *json, TopologicalConfig *config)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *key = NULL;

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"config\" must be a JSON object"),
				 errhint("For example '{\"decay_rate\": 0.2}'.")));
	it = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			config_set(config, key, &value);
	}
}

Datum
ruvector_attention_topological(PG_FUNCTION_ARGS)
{
	TopologicalConfig config = {RVD_ON_DECAY, RVD_ON_TEMPERATURE};
	RvdOnVectors in;
	double	   *weight;

	/* not strict: only the configuration may be left out */
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	rvd_arg_on_vectors(fcinfo, &in);
	if (!PG_ARGISNULL(2))
		read_config(PG_GETARG_JSONB_P(2), &config);
	weight = new_weights(&in);
	return rvd_weights_result(rvd_on_topological(&in, config.decay_rate,
												 config.temperature, weight),
							  weight, in.n);
}

/* ---- kernels with one number or flag per ancestor ---------------------- */

static const int32 *
arg_depths(FunctionCallInfo fcinfo, int n)
{
	const int32 *depth = rvd_arg_per_ancestor(PG_GETARG_ARRAYTYPE_P(2),
											  "depths", n);

	for (int i = 0; i < n; i++)
		if (depth[i] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"depths\" must not contain negative numbers"),
					 errdetail("Number %d of it is %d.", i + 1, depth[i])));
	return depth;
}

Datum
ruvector_attention_causal_cone(PG_FUNCTION_ARGS)
{
	RvdOnVectors in;
	const int32 *depth;
	double		decay_rate;
	int32		max_depth = PG_GETARG_INT32(4);
	double	   *weight;

	rvd_arg_on_vectors(fcinfo, &in);
	depth = arg_depths(fcinfo, in.n);
	decay_rate = rvd_arg_not_negative(PG_GETARG_FLOAT4(3), "decay_rate");
	(void) rvd_arg_not_negative(max_depth, "max_depth");
	weight = new_weights(&in);
	return rvd_weights_result(rvd_on_causal_cone(&in, depth, decay_rate,
												 max_depth, weight),
							  weight, in.n);
}

Datum
ruvector_attention_critical_path(PG_FUNCTION_ARGS)
{
	RvdOnVectors in;
	const bool *critical;
	double		boost;
	double	   *weight;

	rvd_arg_on_vectors(fcinfo, &in);
	critical = rvd_arg_per_ancestor(PG_GETARG_ARRAYTYPE_P(2), "is_critical",
									in.n);
	boost = rvd_arg_positive(PG_GETARG_FLOAT4(3), "boost");
	weight = new_weights(&in);
	return rvd_weights_result(rvd_on_critical_path(&in, critical, boost,
												   weight),
							  weight, in.n);
}

Datum
ruvector_attention_mincut_gated(PG_FUNCTION_ARGS)
{
	RvdOnVectors in;
	const float4 *criticality;
	float4		threshold = PG_GETARG_FLOAT4(3);
	double	   *weight;

	rvd_arg_on_vectors(fcinfo, &in);
	criticality = rvd_arg_per_ancestor(PG_GETARG_ARRAYTYPE_P(2),
									   "criticalities", in.n);
	for (int i = 0; i < in.n; i++)
		if (!(criticality[i] >= 0 && criticality[i] <= 1))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("argument \"criticalities\" must contain numbers from 0 to 1"),
					 errdetail("Number %d of it is %g.", i + 1,
							   criticality[i])));
	if (!(threshold >= 0 && threshold <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"threshold\" must be from 0 to 1"),
				 errdetail("It is %g.", threshold)));
	weight = new_weights(&in);
	return rvd_weights_result(rvd_on_mincut_gated(&in, criticality, threshold,
												  weight),
							  weight, in.n);
}

Datum
ruvector_attention_hierarchical_lorentz(PG_FUNCTION_ARGS)
{
	RvdOnVectors in;
	const int32 *depth;
	float4		curvature = PG_GETARG_FLOAT4(3);
	double		temperature;
	double	   *weight;

	rvd_arg_on_vectors(fcinfo, &in);
	depth = arg_depths(fcinfo, in.n);
	if (!(curvature < 0) || isinf(curvature))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"curvature\" must be negative and finite"),
				 errdetail("It is %g.", curvature),
				 errhint("Hyperbolic space has negative curvature; -1 is usual.")));
	temperature = rvd_arg_positive(PG_GETARG_FLOAT4(4), "temperature");
	weight = new_weights(&in);
	return rvd_weights_result(rvd_on_lorentz(&in, depth, curvature,
											 temperature, weight),
							  weight, in.n);
}

Datum
ruvector_attention_temporal_btsp(PG_FUNCTION_ARGS)
{
	RvdOnVectors in;
	const float8 *time_ms;
	double		window_ms;
	double		boost;
	double	   *weight;

	rvd_arg_on_vectors(fcinfo, &in);
	time_ms = rvd_arg_per_ancestor(PG_GETARG_ARRAYTYPE_P(2), "timestamps",
								   in.n);
	rvd_arg_finite8(time_ms, in.n, "timestamps");
	window_ms = rvd_arg_positive(PG_GETARG_FLOAT4(3), "window_ms");
	boost = rvd_arg_positive(PG_GETARG_FLOAT4(4), "boost");
	weight = new_weights(&in);
	return rvd_weights_result(rvd_on_temporal_btsp(&in, time_ms, window_ms,
												   boost, weight),
							  weight, in.n);
}

/* ---- parallel branch --------------------------------------------------- */

Datum
ruvector_attention_parallel_branch(PG_FUNCTION_ARGS)
{
	RvdOnVectors in;
	const float *parallel;
	int			m;
	const bool *common;
	double		cross_weight;
	double		common_boost;
	double	   *work;
	double	   *weight;

	rvd_arg_on_vectors(fcinfo, &in);
	m = rvd_arg_matrix(PG_GETARG_ARRAYTYPE_P(2), "parallel_nodes", in.d,
					   &parallel);
	common = rvd_arg_per_ancestor(PG_GETARG_ARRAYTYPE_P(3),
								  "common_ancestor_mask", in.n);
	cross_weight = rvd_arg_not_negative(PG_GETARG_FLOAT4(4), "cross_weight");
	common_boost = rvd_arg_positive(PG_GETARG_FLOAT4(5), "common_boost");
	rvd_arg_work((double) m * in.n * in.d);
	work = palloc(sizeof(double) * ((Size) in.n + m));
	weight = new_weights(&in);
	return rvd_weights_result(rvd_on_parallel_branch(&in, parallel, m, common,
													 cross_weight,
													 common_boost, work,
													 weight),
							  weight, in.n);
}
