/*-------------------------------------------------------------------------
 *
 * common.c
 *	  Arguments in, rows out: what the SQL functions share.  Layer 7.
 *
 * Tables in schema ruvector are closed to everybody but their owner.  The
 * functions check who asks and then read or change them as that owner, with
 * a search_path of pg_catalog alone, so that nothing the caller can create is
 * ever run with the owner's rights.
 *
 * Memory: CurrentMemoryContext.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "sql_common.h"

Oid
rvd_sql_arg_relation(FunctionCallInfo fcinfo, int n)
{
	Oid			relid;

	if (PG_ARGISNULL(n))
		return InvalidOid;
	relid = PG_GETARG_OID(n);
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid),
				 errhint("NULL stands for the whole database.")));
	return relid;
}

char *
rvd_sql_relation_name(Oid relid)
{
	char	   *name = get_rel_name(relid);
	char	   *schema;

	if (name == NULL)
		return pstrdup("(dropped)");
	if (RelationIsVisible(relid))
		return quote_qualified_identifier(NULL, name);
	schema = get_namespace_name(get_rel_namespace(relid));
	return quote_qualified_identifier(schema, name);
}

Datum
rvd_sql_relation_names(const Oid *relids, int n)
{
	Datum	   *names = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		names[i] = CStringGetTextDatum(rvd_sql_relation_name(relids[i]));
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

List *
rvd_sql_relation_family(Oid relid)
{
	return find_all_inheritors(relid, NoLock, NULL);
}

bool
rvd_sql_touches(const Oid *relids, int n, List *family)
{
	for (int i = 0; i < n; i++)
	{
		if (list_member_oid(family, relids[i]))
			return true;
	}
	return false;
}

static Oid
rvd_sql_dag_tables(void)
{
	Oid			schema = get_namespace_oid("ruvector", true);

	return OidIsValid(schema) ? get_relname_relid("dag_tables", schema)
		: InvalidOid;
}

bool
rvd_sql_installed(void)
{
	return OidIsValid(rvd_sql_dag_tables());
}

/* Owner of the extension's tables; raises if the extension is not there. */
static Oid
rvd_sql_owner(void)
{
	HeapTuple	tuple;
	Oid			owner;

	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(rvd_sql_dag_tables()));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"ruvector.dag_tables\" does not exist"),
				 errhint("Run CREATE EXTENSION ruvector_dag in this database.")));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

void
rvd_sql_become_owner(RvdOwner *saved)
{
	Oid			owner = rvd_sql_owner();

	if (SPI_connect() != SPI_OK_CONNECT)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not connect to the server programming interface")));
	GetUserIdAndSecContext(&saved->user, &saved->security);
	SetUserIdAndSecContext(owner,
						   saved->security | SECURITY_LOCAL_USERID_CHANGE);
	saved->nest_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

void
rvd_sql_resume_caller(RvdOwner *saved)
{
	AtEOXact_GUC(false, saved->nest_level);
	SetUserIdAndSecContext(saved->user, saved->security);
	SPI_finish();
}

/* ---- rows -------------------------------------------------------------- */

void
rvd_row_add(RvdRow *row, Datum value)
{
	Assert(row->n < RVD_SQL_COLUMNS);
	row->values[row->n] = value;
	row->nulls[row->n++] = false;
}

void
rvd_row_add_null(RvdRow *row)
{
	Assert(row->n < RVD_SQL_COLUMNS);
	row->values[row->n] = (Datum) 0;
	row->nulls[row->n++] = true;
}

void
rvd_row_add_text(RvdRow *row, const char *value)
{
	if (value == NULL)
		rvd_row_add_null(row);
	else
		rvd_row_add(row, CStringGetTextDatum(value));
}

void
rvd_row_add_float(RvdRow *row, double value)
{
	if (isnan(value))
		rvd_row_add_null(row);
	else
		rvd_row_add(row, Float8GetDatum(value));
}

void
rvd_row_add_time(RvdRow *row, TimestampTz value)
{
	if (value == 0)
		rvd_row_add_null(row);
	else
		rvd_row_add(row, TimestampTzGetDatum(value));
}

void
rvd_row_put(RvdRow *row, FunctionCallInfo fcinfo)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	Assert(row->n == rsinfo->setDesc->natts);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc,
						 row->values, row->nulls);
	row->n = 0;
}
