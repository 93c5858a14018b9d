/*-------------------------------------------------------------------------
 *
 * expr_hash.h
 *	  Hashes and constant-free text of expressions.  Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_EXPR_HASH_H
#define RVD_EXPR_HASH_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/params.h"
#include "nodes/pathnodes.h"

/* Identity of relation rti in the root the expression belongs to. */
typedef bool (*RvdRelationSignature) (void *context, Index rti,
									  uint64 *sig, uint64 *exact);

typedef struct RvdExprHash
{
	uint64		sig;			/* constants removed */
	uint64		exact;			/* with constants */
	Index		own_rti;		/* Vars of this relation hash as "own" */
	RvdRelationSignature relation;	/* NULL: Vars hash by position */
	void	   *context;
	ParamListInfo params;		/* values of external parameters, or NULL */
	int			query_depth;
} RvdExprHash;

extern void rvd_expr_hash_init(RvdExprHash *h, RvdRelationSignature relation,
							   void *context);
extern void rvd_expr_hash_token(RvdExprHash *h, uint64 token);

/* Any expression, list or Query; NULL counts as a token.  O(size). */
extern void rvd_expr_hash_node(RvdExprHash *h, Node *node);

/* The (planned or not) query behind a CTE reference of this root, or NULL. */
extern Query *rvd_expr_cte_query(PlannerInfo *root, RangeTblEntry *rte);

/*
 * Append the expression as text with every constant shown as "?", preceded
 * by the separator unless buf is empty.  Looks names up in the catalogs.
 */
extern void rvd_expr_text_list(StringInfo buf, PlannerInfo *root, Node *expr,
							   const char *separator);

#endif							/* RVD_EXPR_HASH_H */
