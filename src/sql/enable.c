/*-------------------------------------------------------------------------
 *
 * enable.c
 *	  Which tables are learned from: enable, disable, ask.  Layer 7.
 *
 * One row of ruvector.dag_tables per enabled table, relid 0 for the whole
 * database.  Backends cache the table; a statement trigger on it tells them
 * to read again when the change commits, whoever makes it (these functions,
 * a restore, logical replication).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/jsonb.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/scope_config.h"
#include "ruvector_dag/settings.h"
#include "sql_common.h"

PG_FUNCTION_INFO_V1(ruvector_enable_neural_dag);
PG_FUNCTION_INFO_V1(ruvector_disable_neural_dag);
PG_FUNCTION_INFO_V1(ruvector_neural_dag_enabled);
PG_FUNCTION_INFO_V1(ruvector_dag_tables_changed);

/*
 * A config must not give a table's owner what SET does not: keys of settings
 * that are the superuser's need the SET privilege on that setting.
 */
static void
rvd_enable_check_config(Datum datum)
{
	RvdScopeConfig config;

	rvd_scope_check_config(datum);
	(void) rvd_scope_config_parse(DatumGetJsonbP(datum), &config, NULL, NULL);
	for (int key = 0; key < RVD_NUM_SCOPE_KEYS; key++)
	{
		char	   *setting;

		if ((config.set & (1U << key)) == 0 ||
			!rvd_scope_config_is_privileged(key))
			continue;
		setting = psprintf("ruvector.%s", rvd_scope_config_name(key));
		if (pg_parameter_aclcheck(setting, GetUserId(), ACL_SET) !=
			ACLCHECK_OK)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied for config key \"%s\"",
							rvd_scope_config_name(key)),
					 errhint("It takes GRANT SET ON PARAMETER %s.", setting)));
	}
}

/* Keep the table from being dropped under us, and see that it is there. */
static Oid
rvd_enable_lock_argument(FunctionCallInfo fcinfo)
{
	if (!PG_ARGISNULL(0))
		LockRelationOid(PG_GETARG_OID(0), AccessShareLock);
	return rvd_sql_arg_relation(fcinfo, 0);
}

/* Run a statement on dag_tables as its owner; rows it changed. */
static uint64
rvd_enable_execute(const char *sql, int nargs, Oid relid, Datum config,
				   bool no_config)
{
	Oid			types[2] = {OIDOID, JSONBOID};
	Datum		values[2] = {ObjectIdGetDatum(relid), config};
	char		nulls[2] = {' ', no_config ? 'n' : ' '};
	RvdOwner	saved;
	uint64		changed;

	rvd_sql_become_owner(&saved);
	if (SPI_execute_with_args(sql, nargs, types, values, nulls, false, 0) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not write table \"ruvector.dag_tables\"")));
	changed = SPI_processed;
	rvd_sql_resume_caller(&saved);
	return changed;
}

Datum
ruvector_enable_neural_dag(PG_FUNCTION_ARGS)
{
	Oid			relid;

	rvd_require_preload();
	relid = rvd_enable_lock_argument(fcinfo);
	rvd_require_ownership(relid);
	if (!PG_ARGISNULL(1))
		rvd_enable_check_config(PG_GETARG_DATUM(1));
	if (!rvd_neural_dag_enabled)
		ereport(NOTICE,
				(errcode(RVD_ERRCODE_DISABLED),
				 errmsg("ruvector.neural_dag_enabled is off in this session"),
				 errhint("Nothing is learned in sessions where it is off.")));

	rvd_enable_execute("INSERT INTO ruvector.dag_tables (relid, config) "
					   "VALUES ($1, $2) ON CONFLICT (relid) "
					   "DO UPDATE SET config = EXCLUDED.config",
					   2, relid, PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1),
					   PG_ARGISNULL(1));
	PG_RETURN_BOOL(true);
}

/* Say why there was nothing to disable. */
static void
rvd_disable_warn(Oid relid)
{
	RvdScopeConfig own;
	RvdScopeConfig whole;

	if (!OidIsValid(relid))
		ereport(WARNING,
				(errcode(RVD_ERRCODE_TABLE_NOT_ENABLED),
				 errmsg("ruvector_dag is not enabled for the whole database")));
	else
		ereport(WARNING,
				(errcode(RVD_ERRCODE_TABLE_NOT_ENABLED),
				 errmsg("ruvector_dag is not enabled for table %s itself",
						rvd_sql_relation_name(relid)),
				 rvd_scope_of_table(relid, &own, &whole)
				 ? errhint("It is enabled with the whole database, or with a table it is a partition or child of; disable that.")
				 : 0));
}

Datum
ruvector_disable_neural_dag(PG_FUNCTION_ARGS)
{
	Oid			relid;
	uint64		deleted;

	rvd_require_preload();
	relid = rvd_enable_lock_argument(fcinfo);
	rvd_require_ownership(relid);
	deleted = rvd_enable_execute("DELETE FROM ruvector.dag_tables "
								 "WHERE relid = $1",
								 1, relid, (Datum) 0, true);
	if (deleted == 0)
		rvd_disable_warn(relid);
	PG_RETURN_BOOL(deleted > 0);
}

Datum
ruvector_neural_dag_enabled(PG_FUNCTION_ARGS)
{
	RvdScopeConfig own;
	RvdScopeConfig whole;
	Oid			relid;

	rvd_require_preload();
	relid = rvd_sql_arg_relation(fcinfo, 0);
	PG_RETURN_BOOL(rvd_neural_dag_enabled &&
				   rvd_scope_of_table(relid, &own, &whole));
}

/* Statement trigger on dag_tables; needs no shared memory. */
Datum
ruvector_dag_tables_changed(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"ruvector_dag_tables_changed\" must be called as a trigger")));
	rvd_scope_invalidate();

	/*
	 * Our own cache must not outlive an abort: only a message that has been
	 * processed locally is processed again when the transaction is undone.
	 */
	CommandCounterIncrement();
	return PointerGetDatum(NULL);	/* a trigger's null is not an SQL NULL */
}
