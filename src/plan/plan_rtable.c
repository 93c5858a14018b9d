/*-------------------------------------------------------------------------
 *
 * plan_rtable.c
 *	  Which of several range-table entries of one relation is scanned.
 *
 * The two sides of a self-join scan the same relation; what tells them apart
 * in every plan of a statement is the order of their range-table entries,
 * which comes from the query and not from the plan.  (Subqueries that were
 * planned by themselves are appended to the range table in plan order; there
 * the number says no more than the order of the plan nodes.)
 *
 * Memory: the result in CurrentMemoryContext.  Layer 3.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/parsenodes.h"

#include "plan_node.h"

/* What range-table entries are counted by. */
typedef struct RteKey
{
	int			kind;			/* RTEKind */
	Oid			relid;			/* InvalidOid unless a relation */
	int			at;				/* position in the range table */
} RteKey;

static int
compare_rte_keys(const void *a, const void *b)
{
	const RteKey *x = a;
	const RteKey *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->relid != y->relid)
		return x->relid < y->relid ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

int32 *
rvd_plan_rtable_number(List *rtable)
{
	int			n = list_length(rtable);
	int32	   *ordinal = palloc(sizeof(int32) * Max(n, 1));
	RteKey	   *keys = palloc(sizeof(RteKey) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		RangeTblEntry *rte = list_nth(rtable, i);

		keys[i].kind = rte->rtekind;
		keys[i].relid = rte->rtekind == RTE_RELATION ? rte->relid : InvalidOid;
		keys[i].at = i;
	}
	qsort(keys, n, sizeof(RteKey), compare_rte_keys);
	for (int i = 0; i < n; i++)
	{
		bool		same = i > 0 && keys[i].kind == keys[i - 1].kind &&
		keys[i].relid == keys[i - 1].relid;

		ordinal[keys[i].at] = same ? ordinal[keys[i - 1].at] + 1 : 0;
	}
	pfree(keys);
	return ordinal;
}
