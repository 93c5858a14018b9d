/*-------------------------------------------------------------------------
 *
 * scope_cache.h
 *	  What the files of the scope module share.  Layer 4, private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_SCOPE_CACHE_H
#define RVD_SCOPE_CACHE_H

#include "postgres.h"

#include "utils/hsearch.h"
#include "utils/rel.h"

#include "ruvector_dag/scope_config.h"

#define SCOPE_SCHEMA		"ruvector"
#define SCOPE_TABLE			"dag_tables"
#define SCOPE_EXTENSION		"ruvector_dag"
#define SCOPE_MAX_RESOLVED	4096
#define SCOPE_MAX_DEPTH		100 /* of subqueries looked into, of ancestors */

/* A row of dag_tables, and of the cache of relations resolved. */
typedef struct ScopeRelation
{
	Oid			relid;			/* hash key, must be first */
	bool		enabled;
	RvdScopeConfig config;
} ScopeRelation;

/* What stands in dag_tables. */
typedef struct ScopeContents
{
	bool		any;			/* a row at all */
	bool		whole;			/* the database as a whole */
	RvdScopeConfig whole_config;
	HTAB	   *tables;			/* relid -> ScopeRelation */
} ScopeContents;

/* ---- scope_table.c ----------------------------------------------------- */

/* Read every row of the opened table into *contents.  May raise. */
extern void rvd_scope_table_read(Relation rel, ScopeContents *contents);

/* ---- scope_catalog.c --------------------------------------------------- */

/*
 * Run work(arg) so that an error in it leaves the transaction usable.
 * Returns whether it ran to its end.  Cancel and shutdown pass through.
 * *busy is true meanwhile, however it ends.
 */
extern bool rvd_scope_guard(void (*work) (void *), void *arg, bool *busy);

/* A table of the extension's schema; InvalidOid if it is not there. */
extern Oid	rvd_scope_own_table(const char *name);

/*
 * Read a table if it is the extension's own, without waiting for its lock.
 * *invalidations is the caller's counter; true if it stood still from when
 * the lock was had to the end: what was read is current.  May raise.
 */
extern bool rvd_scope_read_own(Oid table, const uint64 *invalidations,
							   void (*read_rows) (Relation rel));

/* Parents of a relation, detached ones left out; *complete: all were read. */
extern List *rvd_scope_parents(Oid relid, bool *complete);

/* Is it a table users keep data in, and not one of ours? */
extern bool rvd_scope_is_user_table(Oid relid, Oid our_schema);

/* ---- scope_cache.c ----------------------------------------------------- */

/*
 * What is known of a relation, NULL if it has to be resolved first.  Valid
 * until the next call that reads a catalog.  O(1).
 */
extern const ScopeRelation *rvd_scope_cache_lookup(Oid relid);

/* Resolve relations not known yet.  False if that is not possible now. */
extern bool rvd_scope_cache_resolve(List *relids);

/* Have tables overrides or rows of their own, or is it all or nothing? */
extern bool rvd_scope_cache_has_tables(void);

extern const RvdScopeConfig *rvd_scope_cache_whole_config(void);

#endif							/* RVD_SCOPE_CACHE_H */
