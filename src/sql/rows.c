/*-------------------------------------------------------------------------
 *
 * rows.c
 *	  ruvector_dag_rows: learned cardinalities.  Layer 7.
 *
 * Rows about relations the caller cannot read are left out altogether.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/fmgrprotos.h"

#include "ruvector_dag/errors.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_rows);

/* max(e / l, l / e), both at least one row (Moerkotte et al., VLDB 2009). */
static double
rvd_rows_q_error(double estimated, double learned)
{
	double		e = Max(estimated, 1.0);
	double		l = Max(learned, 1.0);

	return Max(e / l, l / e);
}

Datum
ruvector_dag_rows(PG_FUNCTION_ARGS)
{
	Oid			tab;
	List	   *family = NIL;
	RvdRows    *rows;
	int			n;

	rvd_require_preload();
	tab = rvd_sql_arg_relation(fcinfo, 0);
	if (OidIsValid(tab))
		family = rvd_sql_relation_family(tab);
	rows = rvd_knowledge_rows(&n);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n; i++)
	{
		RvdRows    *r = &rows[i];
		RvdRow		row = {0};

		if (r->model.n == 0 ||
			(family != NIL &&
			 !rvd_sql_touches(r->relations, r->n_relations, family)) ||
			!rvd_may_read_knowledge(r))
			continue;
		rvd_row_add(&row, rvd_sql_relation_names(r->relations,
												 r->n_relations));
		rvd_row_add_text(&row, r->clauses);
		rvd_row_add_float(&row, r->last_estimate);
		rvd_row_add_float(&row, r->last_rows);
		rvd_row_add_float(&row, rvd_rows_q_error(r->last_estimate,
												 r->last_rows));
		rvd_row_add(&row, Int32GetDatum(Min(r->model.sequence, PG_INT32_MAX)));
		rvd_row_add_time(&row, r->updated_at);
		rvd_row_put(&row, fcinfo);
	}
	return (Datum) 0;
}
