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
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

#include "scope_cache.h"
#include "ruvector_dag/errors.h"

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
