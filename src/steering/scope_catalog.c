/*-------------------------------------------------------------------------
 *
 * scope_catalog.c
 *	  What the scope cache reads from the catalogs, and how.  Layer 4.
 *
 * In a hook: no lock is waited for, and an error must leave the user's
 * transaction usable, so reading runs in a subtransaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "commands/extension.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

#include "scope_cache.h"
#include "ruvector_dag/errors.h"

Oid
rvd_scope_own_table(const char *name)
{
	Oid			schema = get_namespace_oid(SCOPE_SCHEMA, true);

	return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
}

bool
rvd_scope_read_own(Oid table, const uint64 *invalidations,
				   void (*read_rows) (Relation rel))
{
	uint64		generation;
	Relation	rel;

	if (!ConditionalLockRelationOid(table, AccessShareLock))
		return false;
	generation = *invalidations;
	rel = try_relation_open(table, NoLock);
	if (rel == NULL)
	{
		UnlockRelationOid(table, AccessShareLock);
		return false;
	}

	/* Anyone may create a schema; only the extension's own table counts. */
	if (rel->rd_rel->relkind == RELKIND_RELATION &&
		getExtensionOfObject(RelationRelationId, table) ==
		get_extension_oid(SCOPE_EXTENSION, true))
		read_rows(rel);
	relation_close(rel, AccessShareLock);
	return generation == *invalidations;
}

bool
rvd_scope_guard(void (*work) (void *), void *arg, bool *busy)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool done = false;

	*busy = true;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(arg);
		ReleaseCurrentSubTransaction();
		done = true;
	}
	PG_CATCH();
	{
		ErrorData  *interrupt = NULL;

		MemoryContextSwitchTo(context);
		*busy = false;
		if (rvd_error_is_interrupt())
		{
			interrupt = CopyErrorData();
			FlushErrorState();
		}
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (interrupt != NULL)
			ReThrowError(interrupt);
		rvd_swallow_error("reading which tables are enabled", context);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	*busy = false;
	return done;
}

List *
rvd_scope_parents(Oid relid, bool *complete)
{
	List	   *parents = NIL;
	Relation	inherits;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (!ConditionalLockRelationOid(InheritsRelationId, AccessShareLock))
	{
		*complete = false;
		return NIL;
	}
	inherits = table_open(InheritsRelationId, NoLock);
	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(inherits, InheritsRelidSeqnoIndexId, true,
							  NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_inherits form = (Form_pg_inherits) GETSTRUCT(tuple);

		if (!form->inhdetachpending)
			parents = lappend_oid(parents, form->inhparent);
	}
	systable_endscan(scan);
	table_close(inherits, AccessShareLock);
	return parents;
}

bool
rvd_scope_is_user_table(Oid relid, Oid our_schema)
{
	HeapTuple	tuple;
	Form_pg_class form;
	bool		result;

	if (relid < FirstNormalObjectId)
		return false;
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_class) GETSTRUCT(tuple);
	result = (form->relkind == RELKIND_RELATION ||
			  form->relkind == RELKIND_PARTITIONED_TABLE ||
			  form->relkind == RELKIND_MATVIEW ||
			  form->relkind == RELKIND_FOREIGN_TABLE) &&
		form->relnamespace != our_schema;
	ReleaseSysCache(tuple);
	return result;
}
