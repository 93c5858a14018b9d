/*-------------------------------------------------------------------------
 *
 * root.h
 *	  A planner root as root.c reads it and subject.c asks it.  Layer 4,
 *	  private.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_ROOT_H
#define RVD_ROOT_H

#include "ruvector_dag/signature.h"

typedef struct RootRel
{
	bool		valid;
	RvdSignature id;
	double		log_rows;		/* the server's own, uncorrected */
	double		log_selectivity;	/* of all its clauses together */
	int			dims;
	float		x[RVD_ROW_DIMS];	/* log selectivity per clause */
} RootRel;

/* A join clause, an equivalence class member or a special join. */
typedef struct RootClause
{
	Relids		relids;			/* base relations it needs */
	RvdSignature id;
	Node	   *clause;			/* for text; NULL: special join */
} RootClause;

typedef struct RootClass
{
	int			n;
	RootClause *members;
} RootClass;

struct RvdRoot
{
	PlannerInfo *root;
	int			n_rels;
	RootRel    *rels;			/* by range-table index */
	int			n_clauses;
	RootClause *clauses;
	int			n_classes;
	RootClass  *classes;
};

/* An expression over several relations of the root. */
extern RvdSignature rvd_root_hash_clause(RvdRoot *r, Node *clause);

#endif							/* RVD_ROOT_H */
