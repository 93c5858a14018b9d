/*-------------------------------------------------------------------------
 *
 * plan_label.c
 *	  Hash of what tells two plan nodes of the same operator, variant,
 *	  relation and index apart, without any constant.
 *
 * Kept modest on purpose: grouping columns, types and number of sort keys and
 * the number of conditions in each place, but not the conditions themselves.
 * A prepared statement planned for other values, or generically, gives the
 * same label.
 * Executor parameters (PARAM_EXEC) are no constants in that sense: whether
 * an index is looked up by a value of the outer row is part of the shape.
 *
 * Allocates nothing, reads only the plan.  Layer 3.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/extensible.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"

#include "plan_node.h"
#include "ruvector_dag/hash.h"

/* Start value, so that a label over nothing but zeroes is not 0. */
#define LABEL_SEED	UINT64CONST(0x6c6162656c)

/* ---- columns ---------------------------------------------------------------- */

static Plan *
first_of(List *plans)
{
	return plans != NIL ? linitial(plans) : NULL;
}

/* The node whose target list OUTER_VAR or INNER_VAR means. */
static Plan *
input_of(Plan *plan, int varno)
{
	if (varno == INNER_VAR)
		return plan->righttree;
	if (IsA(plan, Append))
		return first_of(((Append *) plan)->appendplans);
	if (IsA(plan, MergeAppend))
		return first_of(((MergeAppend *) plan)->mergeplans);
	return plan->lefttree;
}

static uint64
label_expression(const Node *expr)
{
	uint64		label = rvd_hash_combine(LABEL_SEED, nodeTag(expr));

	if (IsA(expr, OpExpr))
		return rvd_hash_combine(label, ((const OpExpr *) expr)->opno);
	if (IsA(expr, FuncExpr))
		return rvd_hash_combine(label, ((const FuncExpr *) expr)->funcid);
	if (IsA(expr, Aggref))
		return rvd_hash_combine(label, ((const Aggref *) expr)->aggfnoid);
	return label;
}

/*
 * What stands at a position of a node's target list, followed down to the
 * scan it comes from: positions themselves depend on which pair of relations
 * the planner happened to join first, which is nothing a plan is known by.
 */
static uint64
label_column(PlannedStmt *stmt, Plan *plan, AttrNumber column)
{
	while (plan != NULL)
	{
		TargetEntry *te = get_tle_by_resno(plan->targetlist, column);
		Node	   *expr = te ? (Node *) te->expr : NULL;
		Var		   *v;

		while (expr && IsA(expr, RelabelType))
			expr = (Node *) ((RelabelType *) expr)->arg;
		if (expr == NULL)
			break;
		if (!IsA(expr, Var))
			return label_expression(expr);
		v = (Var *) expr;
		if (v->varno == OUTER_VAR || v->varno == INNER_VAR)
		{
			plan = input_of(plan, v->varno);
			column = v->varattno;
		}
		else if (v->varno > 0 && v->varno <= list_length(stmt->rtable))
		{
			RangeTblEntry *rte = rt_fetch(v->varno, stmt->rtable);

			return rvd_hash_combine(rvd_hash_combine(rte->rtekind, rte->relid),
									(uint16) v->varattno);
		}
		else
			return rvd_hash_combine((uint64) v->varno, (uint16) v->varattno);
	}
	return (uint16) column;
}

static uint64
label_columns(uint64 label, PlannedStmt *stmt, Plan *input, int n,
			  const AttrNumber *columns)
{
	label = rvd_hash_combine(label, n);
	for (int i = 0; i < n; i++)
		label = rvd_hash_combine(label, label_column(stmt, input, columns[i]));
	return label;
}

/*
 * Sort keys: operator (thus type and direction), place of nulls.  Not the
 * columns: of several that a merge join makes equal the server takes the one
 * that comes first in the target list.  What consumes an order says more.
 */
static uint64
label_sort_keys(uint64 label, int n, const Oid *operators,
				const bool *nulls_first)
{
	label = rvd_hash_combine(label, n);
	for (int i = 0; i < n; i++)
		label = rvd_hash_combine(label, (uint64) operators[i] << 1 |
								 nulls_first[i]);
	return label;
}

static uint64
label_sort(uint64 label, const Sort *sort)
{
	return label_sort_keys(label, sort->numCols, sort->sortOperators,
						   sort->nullsFirst);
}

/* ---- operators -------------------------------------------------------------- */

/* Indexed attributes and whether executor parameters are compared to them. */
static bool
label_index_walker(Node *node, void *context)
{
	uint64	   *label = context;

	if (node == NULL)
		return false;
	if (IsA(node, Var) && ((Var *) node)->varno == INDEX_VAR)
		*label = rvd_hash_combine(*label, (uint16) ((Var *) node)->varattno);
	else if (IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXEC)
		*label = rvd_hash_combine(*label, UINT64CONST(1) << 32);
	return expression_tree_walker(node, label_index_walker, context);
}

static uint64
label_index(uint64 label, List *quals, List *orderby)
{
	label = rvd_hash_combine(label, list_length(quals));
	label_index_walker((Node *) quals, &label);
	return rvd_hash_combine(label, list_length(orderby));
}

/* Relations by OID, joins and other entries of the set left out. */
static uint64
label_relids(uint64 label, PlannedStmt *stmt, const Bitmapset *relids)
{
	int			rti = -1;

	while ((rti = bms_next_member(relids, rti)) >= 0)
	{
		RangeTblEntry *rte;

		if (rti < 1 || rti > list_length(stmt->rtable))
			continue;
		rte = rt_fetch(rti, stmt->rtable);
		if (rte->rtekind == RTE_RELATION)
			label = rvd_hash_combine(label, rte->relid);
	}
	return label;
}

static uint64
label_functions(uint64 label, List *functions)
{
	ListCell   *lc;

	foreach(lc, functions)
	{
		Node	   *expr = lfirst_node(RangeTblFunction, lc)->funcexpr;

		label = rvd_hash_combine(label, IsA(expr, FuncExpr) ?
								 ((FuncExpr *) expr)->funcid : 0);
	}
	return label;
}

/*
 * Grouping columns, and those of the further passes over grouping sets,
 * which hang below the node as plans of their own but never run alone.
 */
static uint64
label_agg(uint64 label, PlannedStmt *stmt, const Agg *agg)
{
	Plan	   *input = agg->plan.lefttree;
	ListCell   *lc;

	label = label_columns(label, stmt, input, agg->numCols, agg->grpColIdx);
	label = rvd_hash_combine(label, list_length(agg->groupingSets));
	foreach(lc, agg->chain)
	{
		const Agg  *pass = lfirst_node(Agg, lc);

		label = rvd_hash_combine(label, pass->aggstrategy);
		label = label_columns(label, stmt, input, pass->numCols,
							  pass->grpColIdx);
		if (pass->plan.lefttree != NULL && IsA(pass->plan.lefttree, Sort))
			label = label_sort(label, (Sort *) pass->plan.lefttree);
	}
	return label;
}

static uint64
label_window(uint64 label, PlannedStmt *stmt, const WindowAgg *window)
{
	Plan	   *input = window->plan.lefttree;

	label = label_columns(label, stmt, input, window->partNumCols,
						  window->partColIdx);
	label = label_columns(label, stmt, input, window->ordNumCols,
						  window->ordColIdx);
	label = rvd_hash_combine(label, window->frameOptions);
	return rvd_hash_combine(label, list_length(window->runCondition));
}

/* Number of conditions by the place where they are tested. */
static uint64
label_join(uint64 label, const Join *join, List *clauses)
{
	label = rvd_hash_combine(label, list_length(clauses));
	label = rvd_hash_combine(label, list_length(join->joinqual));
	return rvd_hash_combine(label, list_length(join->plan.qual));
}

static uint64
label_foreign(uint64 label, PlannedStmt *stmt, const ForeignScan *scan)
{
	label = rvd_hash_combine(label, scan->fs_server);
	if (scan->scan.scanrelid == 0)
		label = label_relids(label, stmt, scan->fs_relids);
	return rvd_hash_combine(label, list_length(scan->fdw_scan_tlist));
}

static uint64
label_custom(uint64 label, PlannedStmt *stmt, const CustomScan *scan)
{
	const char *name = scan->methods->CustomName;

	label = rvd_hash_bytes(name, strlen(name), label);
	return label_relids(label, stmt, scan->custom_relids);
}

static uint64
label_scan(PlannedStmt *stmt, const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_SampleScan:
			{
				const SampleScan *scan = (const SampleScan *) plan;

				return rvd_hash_combine(LABEL_SEED,
										scan->tablesample->tsmhandler);
			}
		case T_IndexScan:
			return label_index(LABEL_SEED,
							   ((const IndexScan *) plan)->indexqual,
							   ((const IndexScan *) plan)->indexorderby);
		case T_IndexOnlyScan:
			return label_index(LABEL_SEED,
							   ((const IndexOnlyScan *) plan)->indexqual,
							   ((const IndexOnlyScan *) plan)->indexorderby);
		case T_BitmapIndexScan:
			return label_index(LABEL_SEED,
							   ((const BitmapIndexScan *) plan)->indexqual,
							   NIL);
		case T_FunctionScan:
			return label_functions(LABEL_SEED,
								   ((const FunctionScan *) plan)->functions);
		case T_ForeignScan:
			return label_foreign(LABEL_SEED, stmt, (const ForeignScan *) plan);
		case T_CustomScan:
			return label_custom(LABEL_SEED, stmt, (const CustomScan *) plan);
		default:
			return 0;
	}
}

static uint64
label_grouping(PlannedStmt *stmt, const Plan *plan)
{
	Plan	   *input = plan->lefttree;

	switch (nodeTag(plan))
	{
		case T_RecursiveUnion:
			return label_columns(LABEL_SEED, stmt, input,
								 ((const RecursiveUnion *) plan)->numCols,
								 ((const RecursiveUnion *) plan)->dupColIdx);
		case T_Group:
			return label_columns(LABEL_SEED, stmt, input,
								 ((const Group *) plan)->numCols,
								 ((const Group *) plan)->grpColIdx);
		case T_Unique:
			return label_columns(LABEL_SEED, stmt, input,
								 ((const Unique *) plan)->numCols,
								 ((const Unique *) plan)->uniqColIdx);
		case T_Agg:
			return label_agg(LABEL_SEED, stmt, (const Agg *) plan);
		case T_WindowAgg:
			return label_window(LABEL_SEED, stmt, (const WindowAgg *) plan);
		default:
			return 0;
	}
}

static uint64
label_ordering(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Sort:
			return label_sort(LABEL_SEED, (const Sort *) plan);
		case T_IncrementalSort:
			{
				const IncrementalSort *sort = (const IncrementalSort *) plan;

				return rvd_hash_combine(label_sort(LABEL_SEED, &sort->sort),
										sort->nPresortedCols);
			}
		case T_MergeAppend:
			{
				const MergeAppend *merge = (const MergeAppend *) plan;

				return label_sort_keys(LABEL_SEED, merge->numCols,
									   merge->sortOperators,
									   merge->nullsFirst);
			}
		case T_GatherMerge:
			{
				const GatherMerge *merge = (const GatherMerge *) plan;

				return label_sort_keys(LABEL_SEED, merge->numCols,
									   merge->sortOperators,
									   merge->nullsFirst);
			}
		default:
			return 0;
	}
}

uint64
rvd_plan_label_of(PlannedStmt *stmt, Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_ModifyTable:
			return rvd_hash_combine(LABEL_SEED,
									((ModifyTable *) plan)->onConflictAction);
		case T_NestLoop:
			return label_join(LABEL_SEED, (Join *) plan,
							  ((NestLoop *) plan)->nestParams);
		case T_MergeJoin:
			return label_join(LABEL_SEED, (Join *) plan,
							  ((MergeJoin *) plan)->mergeclauses);
		case T_HashJoin:
			return label_join(LABEL_SEED, (Join *) plan,
							  ((HashJoin *) plan)->hashclauses);
		case T_Memoize:
			return rvd_hash_combine(LABEL_SEED,
									(uint64) ((Memoize *) plan)->numKeys << 1 |
									((Memoize *) plan)->binary_mode);
		case T_Gather:
			return ((Gather *) plan)->single_copy ? LABEL_SEED : 0;
		default:
			return label_scan(stmt, plan) ^ label_grouping(stmt, plan) ^
				label_ordering(plan);
	}
}
