/*-------------------------------------------------------------------------
 *
 * config.c
 *	  ruvector_dag_config: the settings in force, and where from.  Layer 7.
 *
 * Read through pg_settings as the caller, so that nobody sees more of the
 * server's settings than SHOW ALL tells; what is stored with tables is laid
 * over it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "executor/spi.h"
#include "utils/builtins.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/scope_config.h"
#include "ruvector_dag/settings.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_dag_config);

/* pg_settings knows more kinds of sources than anyone cares for here. */
static const char *const config_query =
	"SELECT name::pg_catalog.text, setting, "
	"CASE WHEN source IN ('default', 'override') THEN 'default' "
	"WHEN source IN ('configuration file', 'command line', 'global', "
	"'environment variable') THEN 'file' "
	"WHEN source IN ('session', 'client', 'interactive') THEN 'session' "
	"ELSE source END "
	"FROM pg_catalog.pg_settings "
	"WHERE name LIKE 'ruvector.%' ORDER BY name COLLATE \"C\"";

/* Position of a setting among the config keys, or -1. */
static int
rvd_config_key(const char *setting)
{
	const char *name = strchr(setting, '.');

	for (int i = 0; name != NULL && i < RVD_NUM_SCOPE_KEYS; i++)
	{
		if (strcmp(name + 1, rvd_scope_config_name(i)) == 0)
			return i;
	}
	return -1;
}

/* One setting; an override by the table or the database takes its place. */
static void
rvd_config_add(FunctionCallInfo fcinfo, char **column,
			   const RvdScopeConfig *own, const RvdScopeConfig *whole)
{
	int			key = rvd_config_key(column[0]);
	const RvdScopeConfig *from = NULL;
	RvdRow		row = {0};

	if (key >= 0 && (own->set & (1U << key)) != 0)
		from = own;
	else if (key >= 0 && (whole->set & (1U << key)) != 0)
		from = whole;
	rvd_row_add_text(&row, column[0]);
	if (from == NULL)
		rvd_row_add_text(&row, column[1]);
	else
		rvd_row_add_text(&row, rvd_scope_config_show(key, from->value[key]));
	rvd_row_add_text(&row, from == NULL ? column[2] :
					 from == own ? "table" : "database");
	rvd_row_put(&row, fcinfo);
}

Datum
ruvector_dag_config(PG_FUNCTION_ARGS)
{
	RvdScopeConfig own;
	RvdScopeConfig whole;

	rvd_require_preload();
	(void) rvd_scope_of_table(rvd_sql_arg_relation(fcinfo, 0), &own, &whole);
	InitMaterializedSRF(fcinfo, 0);

	if (SPI_connect() != SPI_OK_CONNECT ||
		SPI_execute(config_query, true, 0) != SPI_OK_SELECT)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not read the server's settings")));
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		char	   *column[3];

		for (int j = 0; j < 3; j++)
			column[j] = SPI_getvalue(SPI_tuptable->vals[i],
									 SPI_tuptable->tupdesc, j + 1);
		rvd_config_add(fcinfo, column, &own, &whole);
	}
	SPI_finish();
	return (Datum) 0;
}
