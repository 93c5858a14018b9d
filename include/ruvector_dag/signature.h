/*-------------------------------------------------------------------------
 *
 * signature.h
 *	  Identity of relations with their clauses, of joins, of parameterised
 *	  lookups, and of a statement's constants.  Layer 4.
 *
 * Every identity is a pair: sig with constants removed, exact with them.
 * Range-table numbers and aliases do not enter: a Var is hashed as the
 * signature of its relation plus the attribute number, so knowledge is
 * shared between statements, and the two sides of a self-join are told apart
 * by their clauses.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_SIGNATURE_H
#define RVD_SIGNATURE_H

#include "postgres.h"

#include "nodes/params.h"
#include "nodes/pathnodes.h"

#include "ruvector_dag/row_model.h"

typedef struct RvdSignature
{
	uint64		sig;
	uint64		exact;
} RvdSignature;

/* What the row model is asked about. */
typedef struct RvdSubject
{
	RvdSignature id;
	RvdRowKind	kind;
	int			dims;
	float		x[RVD_ROW_DIMS];
	double		log_reference;
} RvdSubject;

/* One planner root, as seen before anything in it was corrected. */
typedef struct RvdRoot RvdRoot;

/*
 * Read a root: all base relations must have their sizes (true from the first
 * set_rel_pathlist_hook call on).  In CurrentMemoryContext.
 */
extern RvdRoot *rvd_root_build(PlannerInfo *root);
extern PlannerInfo *rvd_root_planner(const RvdRoot *r);

/*
 * Subject of a set of base relations (one: the relation; more: their join).
 * False where there is none: an unsupported relation kind, or a set with
 * members that are not base relations of this root.  O(clauses).
 */
extern bool rvd_root_subject(RvdRoot *r, Relids relids, RvdSubject *subject);

/* A column of a base relation of the root. */
typedef struct RvdColumn
{
	Index		rti;
	AttrNumber	attno;
} RvdColumn;

#define RVD_LOOKUP_COLUMNS	8

/*
 * Subject "rows per loop" of relation rti looked up with values of the given
 * outer columns: rows returned or, with fetched, rows its index finds before
 * the filter, which is what the lookup costs.  Which rows a probe finds depends on where its value has
 * been: a column's equals in the outer side belong to the list, because
 * product.id probes quite other keys once it has been joined to event.
 */
extern bool rvd_root_lookup_subject(RvdRoot *r, Index rti,
									const RvdColumn *outer, int n_outer,
									bool fetched, RvdSubject *subject);

/*
 * Columns of other relations than rti known to be equal to this one by an
 * equivalence class, itself first; at most RVD_LOOKUP_COLUMNS.
 */
extern int	rvd_root_equal_columns(RvdRoot *r, Index rti, RvdColumn column,
								   RvdColumn *out);

/*
 * What a query level groups its rows by, in *exprs: GROUP BY, or DISTINCT
 * where nothing else makes groups.  False: nothing, or grouping sets.
 */
extern bool rvd_root_grouping(PlannerInfo *root, bool distinct, List **exprs);

/* Subject "groups of this set of relations by these expressions". */
extern bool rvd_root_groups_subject(RvdRoot *r, Relids relids, List *exprs,
									RvdSubject *subject);

/* Relation OIDs of the set (tables only) into out; returns how many. */
extern int	rvd_root_relations(RvdRoot *r, Relids relids, Oid *out, int max);

/* Clauses of the set as text, constants removed, into out. */
extern void rvd_root_clauses_text(RvdRoot *r, Relids relids, char *out, int size);

/* Hash of a statement's constants and of the parameter values bound to it. */
extern uint64 rvd_query_instance(Query *query, ParamListInfo params);

/* The session's planner settings; not those of an arm in force.  O(1). */
extern uint64 rvd_planner_settings_hash(void);

#endif							/* RVD_SIGNATURE_H */
