/*-------------------------------------------------------------------------
 *
 * plan_node.c
 *	  What one plan node is, looked at by itself: operator, variant, what it
 *	  scans, its inputs and its expressions.
 *
 * The only file that knows which field of which plan node holds what; it was
 * written along finalize_plan() of the server's subselect.c, which has to
 * visit the same things.  All of 15 to 18 have the same node kinds.
 *
 * Allocates nothing, reads only the plan.  Layer 3.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "plan_node.h"
#include "ruvector_dag/compat.h"

RvdOp
rvd_plan_node_op(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Result:
			return RVD_OP_RESULT;
		case T_ProjectSet:
			return RVD_OP_PROJECT_SET;
		case T_ModifyTable:
			return RVD_OP_MODIFY_TABLE;
		case T_Append:
			return RVD_OP_APPEND;
		case T_MergeAppend:
			return RVD_OP_MERGE_APPEND;
		case T_RecursiveUnion:
			return RVD_OP_RECURSIVE_UNION;
		case T_BitmapAnd:
			return RVD_OP_BITMAP_AND;
		case T_BitmapOr:
			return RVD_OP_BITMAP_OR;
		case T_SeqScan:
			return RVD_OP_SEQ_SCAN;
		case T_SampleScan:
			return RVD_OP_SAMPLE_SCAN;
		case T_IndexScan:
			return RVD_OP_INDEX_SCAN;
		case T_IndexOnlyScan:
			return RVD_OP_INDEX_ONLY_SCAN;
		case T_BitmapIndexScan:
			return RVD_OP_BITMAP_INDEX_SCAN;
		case T_BitmapHeapScan:
			return RVD_OP_BITMAP_HEAP_SCAN;
		case T_TidScan:
			return RVD_OP_TID_SCAN;
		case T_TidRangeScan:
			return RVD_OP_TID_RANGE_SCAN;
		case T_SubqueryScan:
			return RVD_OP_SUBQUERY_SCAN;
		case T_FunctionScan:
			return RVD_OP_FUNCTION_SCAN;
		case T_ValuesScan:
			return RVD_OP_VALUES_SCAN;
		case T_TableFuncScan:
			return RVD_OP_TABLE_FUNC_SCAN;
		case T_CteScan:
			return RVD_OP_CTE_SCAN;
		case T_NamedTuplestoreScan:
			return RVD_OP_NAMED_TUPLESTORE_SCAN;
		case T_WorkTableScan:
			return RVD_OP_WORK_TABLE_SCAN;
		case T_ForeignScan:
			return RVD_OP_FOREIGN_SCAN;
		case T_CustomScan:
			return RVD_OP_CUSTOM_SCAN;
		case T_NestLoop:
			return RVD_OP_NEST_LOOP;
		case T_MergeJoin:
			return RVD_OP_MERGE_JOIN;
		case T_HashJoin:
			return RVD_OP_HASH_JOIN;
		case T_Material:
			return RVD_OP_MATERIAL;
		case T_Memoize:
			return RVD_OP_MEMOIZE;
		case T_Sort:
			return RVD_OP_SORT;
		case T_IncrementalSort:
			return RVD_OP_INCREMENTAL_SORT;
		case T_Group:
			return RVD_OP_GROUP;
		case T_Agg:
			return RVD_OP_AGG;
		case T_WindowAgg:
			return RVD_OP_WINDOW_AGG;
		case T_Unique:
			return RVD_OP_UNIQUE;
		case T_Gather:
			return RVD_OP_GATHER;
		case T_GatherMerge:
			return RVD_OP_GATHER_MERGE;
		case T_Hash:
			return RVD_OP_HASH;
		case T_SetOp:
			return RVD_OP_SET_OP;
		case T_LockRows:
			return RVD_OP_LOCK_ROWS;
		case T_Limit:
			return RVD_OP_LIMIT;
		default:
			return RVD_OP_INVALID;
	}
}

static RvdJoinKind
join_kind(JoinType jointype)
{
	if (rvd_is_right_anti_join(jointype))
		return RVD_JOIN_RIGHT_ANTI;
	if (rvd_is_right_semi_join(jointype))
		return RVD_JOIN_RIGHT_SEMI;
	/* up to JOIN_ANTI the numbers never moved */
	return (RvdJoinKind) jointype;
}

uint16
rvd_plan_node_variant(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
			return join_kind(((const Join *) plan)->jointype);
		case T_Agg:
			return ((const Agg *) plan)->aggstrategy +
				16 * ((const Agg *) plan)->aggsplit;
		case T_SetOp:
			return ((const SetOp *) plan)->cmd +
				16 * ((const SetOp *) plan)->strategy;
		case T_ModifyTable:
			return ((const ModifyTable *) plan)->operation;
		case T_ForeignScan:
			return ((const ForeignScan *) plan)->operation;
		case T_IndexScan:
			return ((const IndexScan *) plan)->indexorderdir + 1;
		case T_IndexOnlyScan:
			return ((const IndexOnlyScan *) plan)->indexorderdir + 1;
		case T_Gather:
			return ((const Gather *) plan)->num_workers;
		case T_GatherMerge:
			return ((const GatherMerge *) plan)->num_workers;
		case T_Limit:
			return ((const Limit *) plan)->limitOption;
		case T_Result:
			return ((const Result *) plan)->resconstantqual != NULL;
		default:
			return 0;
	}
}

Index
rvd_plan_node_rti(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapIndexScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
		case T_SubqueryScan:
		case T_FunctionScan:
		case T_ValuesScan:
		case T_TableFuncScan:
		case T_CteScan:
		case T_NamedTuplestoreScan:
		case T_WorkTableScan:
		case T_ForeignScan:
		case T_CustomScan:
			return ((const Scan *) plan)->scanrelid;
		case T_ModifyTable:
			return ((const ModifyTable *) plan)->nominalRelation;
		default:
			return 0;
	}
}

Oid
rvd_plan_node_index(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_IndexScan:
			return ((const IndexScan *) plan)->indexid;
		case T_IndexOnlyScan:
			return ((const IndexOnlyScan *) plan)->indexid;
		case T_BitmapIndexScan:
			return ((const BitmapIndexScan *) plan)->indexid;
		default:
			return InvalidOid;
	}
}

List *
rvd_plan_node_members(const Plan *plan)
{
	switch (nodeTag(plan))
	{
		case T_Append:
			return ((const Append *) plan)->appendplans;
		case T_MergeAppend:
			return ((const MergeAppend *) plan)->mergeplans;
		case T_BitmapAnd:
			return ((const BitmapAnd *) plan)->bitmapplans;
		case T_BitmapOr:
			return ((const BitmapOr *) plan)->bitmapplans;
		case T_CustomScan:
			return ((const CustomScan *) plan)->custom_plans;
		default:
			return NIL;
	}
}

/* A list or an expression; NULL has nothing to visit. */
#define WALK(expr) \
	((expr) != NULL && walker((Node *) (expr), context))

static bool
walk_scan_exprs(Plan *plan, RvdExprWalker walker, void *context)
{
	switch (nodeTag(plan))
	{
		case T_SampleScan:
			return WALK(((SampleScan *) plan)->tablesample);
		case T_IndexScan:
			return WALK(((IndexScan *) plan)->indexqual) ||
				WALK(((IndexScan *) plan)->indexorderby);
		case T_IndexOnlyScan:
			return WALK(((IndexOnlyScan *) plan)->indexqual) ||
				WALK(((IndexOnlyScan *) plan)->indexorderby);
		case T_BitmapIndexScan:
			return WALK(((BitmapIndexScan *) plan)->indexqual);
		case T_BitmapHeapScan:
			return WALK(((BitmapHeapScan *) plan)->bitmapqualorig);
		case T_TidScan:
			return WALK(((TidScan *) plan)->tidquals);
		case T_TidRangeScan:
			return WALK(((TidRangeScan *) plan)->tidrangequals);
		case T_FunctionScan:
			return WALK(((FunctionScan *) plan)->functions);
		case T_ValuesScan:
			return WALK(((ValuesScan *) plan)->values_lists);
		case T_TableFuncScan:
			return WALK(((TableFuncScan *) plan)->tablefunc);
		case T_ForeignScan:
			return WALK(((ForeignScan *) plan)->fdw_exprs) ||
				WALK(((ForeignScan *) plan)->fdw_recheck_quals);
		case T_CustomScan:
			return WALK(((CustomScan *) plan)->custom_exprs);
		default:
			return false;
	}
}

static bool
walk_modify_exprs(ModifyTable *modify, RvdExprWalker walker, void *context)
{
	return WALK(modify->withCheckOptionLists) ||
		WALK(modify->returningLists) ||
		WALK(modify->onConflictSet) ||
		WALK(modify->onConflictWhere) ||
		WALK(modify->mergeActionLists) ||
		WALK(rvd_merge_join_conditions(modify));
}

static bool
walk_upper_exprs(Plan *plan, RvdExprWalker walker, void *context)
{
	switch (nodeTag(plan))
	{
		case T_Result:
			return WALK(((Result *) plan)->resconstantqual);
		case T_ModifyTable:
			return walk_modify_exprs((ModifyTable *) plan, walker, context);
		case T_NestLoop:
			return WALK(((Join *) plan)->joinqual);
		case T_MergeJoin:
			return WALK(((Join *) plan)->joinqual) ||
				WALK(((MergeJoin *) plan)->mergeclauses);
		case T_HashJoin:
			return WALK(((Join *) plan)->joinqual) ||
				WALK(((HashJoin *) plan)->hashclauses);
		case T_Hash:
			return WALK(((Hash *) plan)->hashkeys);
		case T_Memoize:
			return WALK(((Memoize *) plan)->param_exprs);
		case T_WindowAgg:
			return WALK(((WindowAgg *) plan)->startOffset) ||
				WALK(((WindowAgg *) plan)->endOffset) ||
				WALK(((WindowAgg *) plan)->runCondition);
		case T_Limit:
			return WALK(((Limit *) plan)->limitOffset) ||
				WALK(((Limit *) plan)->limitCount);
		default:
			return false;
	}
}

bool
rvd_plan_node_walk_exprs(Plan *plan, RvdExprWalker walker, void *context)
{
	return WALK(plan->targetlist) ||
		WALK(plan->qual) ||
		walk_scan_exprs(plan, walker, context) ||
		walk_upper_exprs(plan, walker, context);
}
