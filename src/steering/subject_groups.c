/*-------------------------------------------------------------------------
 *
 * subject_groups.c
 *	  What the row model is asked about: groups of a query level.
 *
 * The same expressions over the same relations and clauses make the same
 * groups, whether GROUP BY or DISTINCT asks for them and in whatever order.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "optimizer/optimizer.h"

#include "ruvector_dag/hash.h"

#include "root.h"

bool
rvd_root_grouping(PlannerInfo *root, bool distinct, List **exprs)
{
	Query	   *parse = root->parse;
	List	   *clause = distinct ? parse->distinctClause : parse->groupClause;

	if (clause == NIL || parse->groupingSets != NIL)
		return false;
	/* distinct values of what was grouped or computed from many rows */
	if (distinct && (parse->groupClause != NIL || parse->hasAggs ||
					 root->hasHavingQual || parse->hasWindowFuncs ||
					 parse->hasTargetSRFs))
		return false;
	*exprs = get_sortgrouplist_exprs(clause, parse->targetList);
	return true;
}

bool
rvd_root_groups_subject(RvdRoot *r, Relids relids, List *exprs, RvdSubject *s)
{
	RvdSignature by = {0, 0};
	ListCell   *lc;

	if (!rvd_root_subject(r, relids, s))
		return false;
	foreach(lc, exprs)
	{
		RvdSignature id = rvd_root_hash_clause(r, (Node *) lfirst(lc));

		by.sig = rvd_hash_add(by.sig, id.sig);
		by.exact = rvd_hash_add(by.exact, id.exact);
	}
	s->id.sig = rvd_hash_combine(s->id.sig ^ RVD_ROW_GROUP, by.sig);
	s->id.exact = rvd_hash_combine(s->id.exact ^ RVD_ROW_GROUP, by.exact);
	s->kind = RVD_ROW_GROUP;
	s->log_reference = 0;
	return true;
}
