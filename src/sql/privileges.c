/*-------------------------------------------------------------------------
 *
 * privileges.c
 *	  Who may see what was learned, and who may switch it on.  Layer 7.
 *
 * Learned row counts tell how many rows a clause selects: they are shown only
 * to roles that could have counted them.  So SELECT on every relation is
 * asked for, and row level security must not be in force for the role: under
 * it a count would reveal rows the role cannot see.  Column privileges do not
 * suffice, because clauses may be on other columns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "sql_common.h"

#define ADMIN_ROLE "ruvector_dag_admin"

bool
rvd_may_read_all_stats(void)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

bool
rvd_may_read_text(Oid user)
{
	return user == GetUserId() || rvd_may_read_all_stats();
}

static bool
rvd_may_read_relation(Oid relid)
{
	bool		missing = false;

	if (pg_class_aclcheck_ext(relid, GetUserId(), ACL_SELECT,
							  &missing) != ACLCHECK_OK || missing)
		return false;
	return check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED;
}

bool
rvd_may_read_relations(const Oid *relids, int n)
{
	if (rvd_may_read_all_stats())
		return true;
	for (int i = 0; i < n; i++)
	{
		if (!rvd_may_read_relation(relids[i]))
			return false;
	}
	return true;
}

/*
 * A class keeps a bounded number of relations; when that many are there more
 * may have been left out, and nobody can say which.
 */
bool
rvd_may_read_class(const RvdClass *class)
{
	if (rvd_may_read_all_stats())
		return true;
	return class != NULL && class->n_relations < RVD_CLASS_RELATIONS &&
		rvd_may_read_relations(class->relations, class->n_relations);
}

bool
rvd_may_read_knowledge(const RvdRows *rows)
{
	if (rvd_may_read_all_stats())
		return true;
	return rows->n_relations > 0 && rows->n_relations < RVD_ROW_RELATIONS &&
		rvd_may_read_relations(rows->relations, rows->n_relations);
}

/* The whole database: its owner, superusers, members of the admin role. */
static void
rvd_require_database(void)
{
	Oid			admin = get_role_oid(ADMIN_ROLE, true);
	HeapTuple	tuple;
	Oid			owner;

	tuple = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_DATABASE),
				 errmsg("database with OID %u does not exist", MyDatabaseId)));
	owner = ((Form_pg_database) GETSTRUCT(tuple))->datdba;
	ReleaseSysCache(tuple);
	if (has_privs_of_role(GetUserId(), owner) ||
		(OidIsValid(admin) && has_privs_of_role(GetUserId(), admin)))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied to switch ruvector_dag for database \"%s\"",
					get_database_name(MyDatabaseId)),
			 errdetail("Only superusers, the database's owner and members of role \"%s\" may.",
					   ADMIN_ROLE)));
}

void
rvd_require_ownership(Oid relid)
{
	HeapTuple	tuple;
	Form_pg_class form;

	if (!OidIsValid(relid))
	{
		rvd_require_database();
		return;
	}
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	form = (Form_pg_class) GETSTRUCT(tuple);
	if (!has_privs_of_role(GetUserId(), form->relowner))
		aclcheck_error(ACLCHECK_NOT_OWNER,
					   get_relkind_objtype(form->relkind),
					   NameStr(form->relname));
	if ((form->relkind != RELKIND_RELATION &&
		 form->relkind != RELKIND_PARTITIONED_TABLE &&
		 form->relkind != RELKIND_MATVIEW &&
		 form->relkind != RELKIND_FOREIGN_TABLE) ||
		relid < FirstNormalObjectId ||
		form->relnamespace == get_namespace_oid("ruvector", true))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a user table", NameStr(form->relname)),
				 errhint("Tables, partitioned tables, materialized views and foreign tables can be enabled, except those of the system and of this extension.")));
	ReleaseSysCache(tuple);
}
