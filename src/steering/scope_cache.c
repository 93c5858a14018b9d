/*-------------------------------------------------------------------------
 *
 * scope_cache.c
 *	  Which relations are enabled, as this backend knows it.  Layer 4.
 *
 * Two caches of this backend, both filled on demand and thrown away by
 * invalidation messages:
 *
 *	 scope_*	what stands in ruvector.dag_tables, and that it is not there
 *				where the extension is not installed;
 *	 resolved	relation -> enabled or not, with its overrides: a relation is
 *				enabled by a row of its own, of a table it is a partition or
 *				child of, or by the whole database being enabled.
 *
 * Filling them reads catalogs, which can fail; it runs in a subtransaction so
 * that a failure costs this statement our attention and nothing else.  The
 * fast path is a hash probe per relation and takes no lock.
 *
 * Callbacks may arrive in the middle of anything that takes a lock, so they
 * only mark a cache as stale; it is dropped when next looked at.
 *
 * Memory: one context below CacheMemoryContext; at most
 * SCOPE_MAX_RESOLVED relations are remembered.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "scope_cache.h"

/* What dag_tables says. */
static bool scope_loaded = false;
static bool scope_busy = false; /* being filled: do not recurse */
static bool scope_watch_all = false;	/* schema is there, table is not */
static uint64 scope_generation = 0; /* counts invalidations */
static Oid	scope_schema_oid = InvalidOid;
static Oid	scope_table_oid = InvalidOid;
static ScopeContents scope_contents;
static HTAB *scope_resolved = NULL; /* relid -> ScopeRelation */
static bool scope_resolved_stale = false;
static MemoryContext scope_context = NULL;

/* ---- invalidation ------------------------------------------------------ */

static void
rvd_scope_relcache_callback(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || scope_watch_all || relid == scope_table_oid)
	{
		scope_generation++;
		scope_loaded = false;
	}
	if (scope_resolved != NULL && !scope_resolved_stale &&
		(!OidIsValid(relid) ||
		 hash_search(scope_resolved, &relid, HASH_FIND, NULL) != NULL))
		scope_resolved_stale = true;
}

/* Schemas come and go rarely: any such event makes us look again. */
static void
rvd_scope_namespace_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	scope_generation++;
	scope_loaded = false;
}

void
rvd_scope_init(void)
{
	CacheRegisterRelcacheCallback(rvd_scope_relcache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, rvd_scope_namespace_callback,
								  (Datum) 0);
}

void
rvd_scope_invalidate(void)
{
	Oid			table = rvd_scope_own_table(SCOPE_TABLE);

	if (OidIsValid(table))
		CacheInvalidateRelcacheByRelid(table);
}

/* ---- filling the caches ------------------------------------------------ */

/* Filling needs a transaction that can have subtransactions. */
static bool
rvd_scope_may_read(void)
{
	return !scope_busy && IsTransactionState() && !IsInParallelMode() &&
		OidIsValid(MyDatabaseId);
}

static HTAB *
rvd_scope_make_hash(const char *name)
{
	HASHCTL		ctl;

	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(ScopeRelation);
	ctl.hcxt = scope_context;
	return hash_create(name, 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Forget everything and start with empty tables. */
static void
rvd_scope_forget(void)
{
	scope_watch_all = false;
	scope_schema_oid = scope_table_oid = InvalidOid;
	scope_resolved = NULL;
	memset(&scope_contents, 0, sizeof(scope_contents));
	if (scope_context == NULL)
		scope_context = AllocSetContextCreate(CacheMemoryContext,
											  "ruvector_dag scope",
											  ALLOCSET_SMALL_SIZES);
	else
		MemoryContextReset(scope_context);
	scope_contents.tables = rvd_scope_make_hash("ruvector_dag enabled tables");
	scope_resolved = rvd_scope_make_hash("ruvector_dag resolved relations");
	scope_resolved_stale = false;
}

static void
read_contents(Relation rel)
{
	rvd_scope_table_read(rel, &scope_contents);
}

/*
 * Read ruvector.dag_tables.  Leaves scope_loaded false if its lock is not to
 * be had or something changed meanwhile.
 */
static void
rvd_scope_read(void *arg)
{
	Oid			table;
	uint64		generation;

	rvd_scope_forget();
	generation = scope_generation;
	scope_schema_oid = get_namespace_oid(SCOPE_SCHEMA, true);
	if (!OidIsValid(scope_schema_oid))
	{
		scope_loaded = (generation == scope_generation);
		return;
	}
	table = get_relname_relid(SCOPE_TABLE, scope_schema_oid);
	if (!OidIsValid(table))
	{
		scope_watch_all = true;
		scope_loaded = (generation == scope_generation);
		return;
	}

	scope_table_oid = table;
	scope_loaded = rvd_scope_read_own(table, &scope_generation, read_contents);
}

bool
rvd_scope_any(void)
{
	if (likely(scope_loaded))
		return scope_contents.any;
	if (!rvd_scope_may_read())
		return false;
	return rvd_scope_guard(rvd_scope_read, NULL, &scope_busy) &&
		scope_contents.any;
}

/* ---- one relation ------------------------------------------------------ */

/*
 * Resolve a relation and, below it, its ancestors, which stay in the cache so
 * that a change of theirs is noticed.  The row nearest to the relation has the
 * first word on each setting.
 */
static bool
rvd_scope_resolve(Oid relid, int depth, ScopeRelation *result)
{
	ScopeRelation *row;
	bool		complete = true;
	List	   *parents;
	ListCell   *lc;

	memset(result, 0, sizeof(*result));
	result->relid = relid;
	row = hash_search(scope_contents.tables, &relid, HASH_FIND, NULL);
	if (row != NULL)
		*result = *row;
	result->enabled = row != NULL ||
		(scope_contents.whole &&
		 rvd_scope_is_user_table(relid, scope_schema_oid));

	if (rvd_scope_cache_has_tables() && depth < SCOPE_MAX_DEPTH)
	{
		parents = rvd_scope_parents(relid, &complete);
		foreach(lc, parents)
		{
			ScopeRelation parent;

			complete &= rvd_scope_resolve(lfirst_oid(lc), depth + 1, &parent);
			result->enabled |= parent.enabled;
			rvd_scope_config_inherit(&result->config, &parent.config);
		}
		list_free(parents);
	}
	if (complete)
	{
		row = hash_search(scope_resolved, &relid, HASH_ENTER, NULL);
		*row = *result;
	}
	return complete;
}

/* Work of rvd_scope_guard: resolve a list of relations. */
static void
rvd_scope_resolve_list(void *arg)
{
	List	   *relids = (List *) arg;
	ListCell   *lc;

	if (scope_resolved_stale ||
		hash_get_num_entries(scope_resolved) > SCOPE_MAX_RESOLVED)
	{
		HTAB	   *old = scope_resolved;

		scope_resolved = NULL;
		hash_destroy(old);
		scope_resolved = rvd_scope_make_hash("ruvector_dag resolved relations");
		scope_resolved_stale = false;
	}
	foreach(lc, relids)
	{
		ScopeRelation unused;

		rvd_scope_resolve(lfirst_oid(lc), 0, &unused);
	}
}

bool
rvd_scope_of_table(Oid relid, RvdScopeConfig *own, RvdScopeConfig *whole)
{
	ScopeRelation result;

	memset(own, 0, sizeof(*own));
	memset(whole, 0, sizeof(*whole));
	if (!rvd_scope_any())
		return false;
	*whole = scope_contents.whole_config;
	if (!OidIsValid(relid))
		return scope_contents.whole;
	rvd_scope_resolve(relid, 0, &result);
	*own = result.config;
	return result.enabled;
}

const ScopeRelation *
rvd_scope_cache_lookup(Oid relid)
{
	if (scope_resolved == NULL || scope_resolved_stale)
		return NULL;
	return hash_search(scope_resolved, &relid, HASH_FIND, NULL);
}

bool
rvd_scope_cache_resolve(List *relids)
{
	if (!rvd_scope_may_read())
		return false;
	return rvd_scope_guard(rvd_scope_resolve_list, relids, &scope_busy);
}

bool
rvd_scope_cache_has_tables(void)
{
	return hash_get_num_entries(scope_contents.tables) > 0;
}

const RvdScopeConfig *
rvd_scope_cache_whole_config(void)
{
	return &scope_contents.whole_config;
}
