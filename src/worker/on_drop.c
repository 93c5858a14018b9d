/*-------------------------------------------------------------------------
 *
 * on_drop.c
 *	  Event trigger: a dropped relation is no longer enabled.
 *
 * Runs with the rights of the extension's owner (SECURITY DEFINER, fixed
 * search_path), whoever dropped the relation.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "commands/event_trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(ruvector_dag_on_drop);

/* DROP EXTENSION may have taken the table already. */
static bool
table_exists(void)
{
	Oid			schema = get_namespace_oid("ruvector", true);

	return OidIsValid(schema) &&
		OidIsValid(get_relname_relid("dag_tables", schema));
}

#define DROPPED "pg_catalog.pg_event_trigger_dropped_objects() AS d"
#define MATCHES "d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass" \
	" AND d.objsubid = 0 AND t.relid = d.objid"

/*
 * Looked for first because a DELETE, even of nothing, fires the statement
 * trigger that makes every backend read the table again.  Not read-only: a
 * row committed while the DROP waited for its lock must be seen.
 */
static bool
any_enabled(void)
{
	if (SPI_execute("SELECT 1 FROM ruvector.dag_tables AS t, " DROPPED
					" WHERE " MATCHES, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read ruvector.dag_tables");
	return SPI_processed > 0;
}

Datum
ruvector_dag_on_drop(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by the event trigger manager",
						"ruvector.dag_on_drop")));
	if (!table_exists())
		PG_RETURN_NULL();

	SPI_connect();
	if (any_enabled() &&
		SPI_execute("DELETE FROM ruvector.dag_tables AS t USING " DROPPED
					" WHERE " MATCHES, false, 0) != SPI_OK_DELETE)
		elog(ERROR, "could not delete from ruvector.dag_tables");
	SPI_finish();
	PG_RETURN_NULL();
}
