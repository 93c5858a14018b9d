/*-------------------------------------------------------------------------
 *
 * trajectories.c
 *	  ruvector_dag_trajectories: single executions, newest first.  Layer 7.
 *
 * Read from the table the learner writes every second.  Row counts are shown
 * to those who may read the relations of the query class.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "ruvector_dag/attention.h"
#include "ruvector_dag/errors.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_trajectories);

/* Columns of the query that are looked at on the way. */
#define COLUMN_QUERYID	2
#define COLUMN_ATTENTION	5
#define COLUMN_ROWS		8

static const char *const trajectories_query =
	"SELECT id, queryid, recorded_at, plan_id, attention, "
	"planning_ms * 1000::float8, execution_ms * 1000::float8, rows, "
	"shared_hit, shared_read, temp_blocks, NULL::bigint, quality::float8, "
	"CASE WHEN predicted_ms > 0 THEN predicted_ms * 1000::float8 END "
	"FROM ruvector.dag_trajectories "
	"WHERE recorded_at >= now() - $1 AND ($2 IS NULL OR queryid = ANY ($2)) "
	"ORDER BY recorded_at DESC, id DESC LIMIT $3";

static Datum
rvd_trajectories_classes(const RvdKnowledge *k)
{
	Datum	   *ids = palloc(sizeof(Datum) * (k->n_classes + 1));

	for (int i = 0; i < k->n_classes; i++)
		ids[i] = Int64GetDatum((int64) k->classes[i].head.key.a);
	return PointerGetDatum(construct_array(ids, k->n_classes, INT8OID, 8,
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* From the number of a kernel to its name; NULL if there is none. */
static void
rvd_trajectories_name_kernel(Datum *value, bool *isnull)
{
	int			kind = *isnull ? -1 : DatumGetInt16(*value);

	*isnull = kind < 0 || kind >= RVD_NUM_ATTENTIONS;
	if (!*isnull)
		*value = CStringGetTextDatum(rvd_attention_name(kind));
}

/* Put the rows SPI found into the result. */
static void
rvd_trajectories_put(FunctionCallInfo fcinfo, const bool *readable)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum		values[RVD_SQL_COLUMNS];
		bool		nulls[RVD_SQL_COLUMNS];

		heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
						  values, nulls);
		rvd_trajectories_name_kernel(&values[COLUMN_ATTENTION - 1],
									 &nulls[COLUMN_ATTENTION - 1]);
		if (!readable[i])
			nulls[COLUMN_ROWS - 1] = true;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc,
							 values, nulls);
	}
}

static void
rvd_trajectories_check(FunctionCallInfo fcinfo)
{
	Interval	zero = {0};

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null",
						PG_ARGISNULL(1) ? "since" : "max_rows")));
	if (DatumGetBool(DirectFunctionCall2(interval_lt, PG_GETARG_DATUM(1),
										 IntervalPGetDatum(&zero))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"since\" must not be negative")));
	if (PG_GETARG_INT32(2) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("argument \"max_rows\" must be at least 1")));
}

Datum
ruvector_dag_trajectories(PG_FUNCTION_ARGS)
{
	Oid			types[3] = {INTERVALOID, INT8ARRAYOID, INT4OID};
	Datum		values[3];
	char		nulls[3] = {' ', ' ', ' '};
	RvdKnowledge k;
	RvdOwner	saved;
	bool	   *readable;
	Oid			tab;

	rvd_require_preload();
	tab = rvd_sql_arg_relation(fcinfo, 0);
	rvd_trajectories_check(fcinfo);
	rvd_knowledge_load(&k, tab);
	values[0] = PG_GETARG_DATUM(1);
	values[1] = rvd_trajectories_classes(&k);
	values[2] = PG_GETARG_DATUM(2);
	if (!OidIsValid(tab))
		nulls[1] = 'n';
	InitMaterializedSRF(fcinfo, 0);

	rvd_sql_become_owner(&saved);
	if (SPI_execute_with_args(trajectories_query, 3, types, values, nulls,
							  true, 0) != SPI_OK_SELECT)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not read table \"ruvector.dag_trajectories\"")));
	/* privileges are those of the caller, not of the tables' owner */
	SetUserIdAndSecContext(saved.user, saved.security);
	readable = palloc(sizeof(bool) * (SPI_processed + 1));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		int64		queryid =
			DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[i],
										SPI_tuptable->tupdesc,
										COLUMN_QUERYID, &isnull));

		readable[i] = rvd_may_read_class(rvd_knowledge_class(&k, queryid));
	}
	rvd_trajectories_put(fcinfo, readable);
	rvd_sql_resume_caller(&saved);
	return (Datum) 0;
}
