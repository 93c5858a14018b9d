/*-------------------------------------------------------------------------
 *
 * patterns_control.c
 *	  ruvector_dag_extract_patterns, ruvector_dag_consolidate_patterns: have
 *	  the learner make or merge patterns now.  Layer 7.
 *
 * Patterns are those of the whole database; a table is only checked for being
 * enabled.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/xlog.h"
#include "miscadmin.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/neural.h"
#include "learn.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_extract_patterns);
PG_FUNCTION_INFO_V1(ruvector_dag_consolidate_patterns);

#define MIN_CLUSTERS	10
#define MAX_CLUSTERS	1000

/* Where patterns can be changed at all; function: for the message. */
static void
rvd_patterns_check(FunctionCallInfo fcinfo, const char *function)
{
	rvd_require_preload();
	rvd_learn_check_scope(rvd_sql_arg_relation(fcinfo, 0));
	PreventCommandDuringRecovery(function);
	if (rvd_my_database() != NULL && rvd_my_neural() == NULL)
		ereport(ERROR,
				(errcode(RVD_ERRCODE_LEARNING_FAILED),
				 errmsg("shared memory has no room for this database's patterns"),
				 errhint("Raise ruvector.dag_memory_mb and restart the server.")));
}

static int
rvd_patterns_arg_clusters(FunctionCallInfo fcinfo)
{
	int			clusters;

	if (PG_ARGISNULL(1))
		return 0;
	clusters = PG_GETARG_INT32(1);
	if (clusters < MIN_CLUSTERS || clusters > MAX_CLUSTERS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of clusters %d is out of range", clusters),
				 errdetail("It must be between %d and %d.", MIN_CLUSTERS,
						   MAX_CLUSTERS),
				 errhint("NULL stands for ruvector.dag_pattern_clusters.")));
	return clusters;
}

static float4
rvd_patterns_arg_threshold(FunctionCallInfo fcinfo)
{
	float4		threshold;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"similarity_threshold\" must not be null")));
	threshold = PG_GETARG_FLOAT4(1);
	if (!(threshold > 0 && threshold <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("similarity threshold %g is out of range", threshold),
				 errdetail("It must be greater than 0 and at most 1.")));
	return threshold;
}

Datum
ruvector_dag_extract_patterns(PG_FUNCTION_ARGS)
{
	RvdCycleRequest request = {.extract = true};

	rvd_patterns_check(fcinfo, "ruvector_dag_extract_patterns()");
	request.clusters = rvd_patterns_arg_clusters(fcinfo);
	rvd_learn_request(&request);
	if (request.skipped)
		ereport(ERROR,
				(errcode(RVD_ERRCODE_INSUFFICIENT_TRAJECTORIES),
				 errmsg("there are not enough trajectories to extract patterns from"),
				 errdetail("There are " INT64_FORMAT " complete executions with an embedding, " INT64_FORMAT " of them not learned from yet; it takes %d.",
						   request.usable, request.waiting,
						   RVD_CYCLE_MIN_TRAJECTORIES),
				 errhint("Run more statements above ruvector.dag_min_cost on enabled tables.")));
	PG_RETURN_INT32(request.patterns);
}

Datum
ruvector_dag_consolidate_patterns(PG_FUNCTION_ARGS)
{
	RvdCycleRequest request = {0};

	rvd_patterns_check(fcinfo, "ruvector_dag_consolidate_patterns()");
	request.threshold = rvd_patterns_arg_threshold(fcinfo);
	rvd_learn_request(&request);
	PG_RETURN_INT32(request.merged);
}
