/*-------------------------------------------------------------------------
 *
 * skeleton.c
 *	  A plan graph as an indented list of operators, for people.
 *
 * Follows EXPLAIN in words and order as far as the graph knows, which is
 * without conditions, keys and constants.  Edges of kind "shared" are shown
 * as a reference in the line of the reader ("CTE Scan on CTE 1"), so that
 * the text is a tree although the plan is not.
 *
 * Memory: appends to the caller's string; a work array in
 * CurrentMemoryContext.  Names come from the catalogs; what was dropped since
 * shows by OID.  Layer 3.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/lsyscache.h"

#include "ruvector_dag/plan_dag.h"

static const char *const op_names[RVD_NUM_OPS] = {
	[RVD_OP_RESULT] = "Result",
	[RVD_OP_PROJECT_SET] = "ProjectSet",
	[RVD_OP_MODIFY_TABLE] = "ModifyTable",
	[RVD_OP_APPEND] = "Append",
	[RVD_OP_MERGE_APPEND] = "Merge Append",
	[RVD_OP_RECURSIVE_UNION] = "Recursive Union",
	[RVD_OP_BITMAP_AND] = "BitmapAnd",
	[RVD_OP_BITMAP_OR] = "BitmapOr",
	[RVD_OP_SEQ_SCAN] = "Seq Scan",
	[RVD_OP_SAMPLE_SCAN] = "Sample Scan",
	[RVD_OP_INDEX_SCAN] = "Index Scan",
	[RVD_OP_INDEX_ONLY_SCAN] = "Index Only Scan",
	[RVD_OP_BITMAP_INDEX_SCAN] = "Bitmap Index Scan",
	[RVD_OP_BITMAP_HEAP_SCAN] = "Bitmap Heap Scan",
	[RVD_OP_TID_SCAN] = "Tid Scan",
	[RVD_OP_TID_RANGE_SCAN] = "Tid Range Scan",
	[RVD_OP_SUBQUERY_SCAN] = "Subquery Scan",
	[RVD_OP_FUNCTION_SCAN] = "Function Scan",
	[RVD_OP_VALUES_SCAN] = "Values Scan",
	[RVD_OP_TABLE_FUNC_SCAN] = "Table Function Scan",
	[RVD_OP_CTE_SCAN] = "CTE Scan",
	[RVD_OP_NAMED_TUPLESTORE_SCAN] = "Named Tuplestore Scan",
	[RVD_OP_WORK_TABLE_SCAN] = "WorkTable Scan",
	[RVD_OP_FOREIGN_SCAN] = "Foreign Scan",
	[RVD_OP_CUSTOM_SCAN] = "Custom Scan",
	[RVD_OP_NEST_LOOP] = "Nested Loop",
	[RVD_OP_MERGE_JOIN] = "Merge Join",
	[RVD_OP_HASH_JOIN] = "Hash Join",
	[RVD_OP_MATERIAL] = "Materialize",
	[RVD_OP_MEMOIZE] = "Memoize",
	[RVD_OP_SORT] = "Sort",
	[RVD_OP_INCREMENTAL_SORT] = "Incremental Sort",
	[RVD_OP_GROUP] = "Group",
	[RVD_OP_AGG] = "Aggregate",
	[RVD_OP_WINDOW_AGG] = "WindowAgg",
	[RVD_OP_UNIQUE] = "Unique",
	[RVD_OP_GATHER] = "Gather",
	[RVD_OP_GATHER_MERGE] = "Gather Merge",
	[RVD_OP_HASH] = "Hash",
	[RVD_OP_SET_OP] = "SetOp",
	[RVD_OP_LOCK_ROWS] = "LockRows",
	[RVD_OP_LIMIT] = "Limit"
};

static const char *const join_names[RVD_NUM_JOIN_KINDS] = {
	[RVD_JOIN_INNER] = "inner",
	[RVD_JOIN_LEFT] = "left",
	[RVD_JOIN_FULL] = "full",
	[RVD_JOIN_RIGHT] = "right",
	[RVD_JOIN_SEMI] = "semi",
	[RVD_JOIN_ANTI] = "anti",
	[RVD_JOIN_RIGHT_ANTI] = "right anti",
	[RVD_JOIN_RIGHT_SEMI] = "right semi"
};

typedef struct Skeleton
{
	const RvdDag *dag;
	StringInfo	out;
	int		   *number;			/* [n_nodes] of a CTE or subplan, 0: none */
	int			n_ctes;
	int			n_init_plans;
	int			n_sub_plans;
} Skeleton;

const char *
rvd_op_name(int op)
{
	if (op <= RVD_OP_INVALID || op >= RVD_NUM_OPS)
		return "?";
	return op_names[op];
}

static void
append_agg(StringInfo out, int variant)
{
	AggSplit	split = variant / 16;

	if (DO_AGGSPLIT_SKIPFINAL(split))
		appendStringInfoString(out, "Partial ");
	else if (DO_AGGSPLIT_COMBINE(split))
		appendStringInfoString(out, "Finalize ");

	switch (variant % 16)
	{
		case AGG_SORTED:
			appendStringInfoString(out, "GroupAggregate");
			break;
		case AGG_HASHED:
			appendStringInfoString(out, "HashAggregate");
			break;
		case AGG_MIXED:
			appendStringInfoString(out, "MixedAggregate");
			break;
		default:
			appendStringInfoString(out, "Aggregate");
			break;
	}
}

static const char *
command_name(int command)
{
	switch (command)
	{
		case CMD_INSERT:
			return "Insert";
		case CMD_UPDATE:
			return "Update";
		case CMD_DELETE:
			return "Delete";
		case CMD_MERGE:
			return "Merge";
		default:
			return "?";
	}
}

static const char *
set_op_name(int command)
{
	switch (command)
	{
		case SETOPCMD_INTERSECT:
			return "intersect";
		case SETOPCMD_INTERSECT_ALL:
			return "intersect all";
		case SETOPCMD_EXCEPT:
			return "except";
		case SETOPCMD_EXCEPT_ALL:
			return "except all";
		default:
			return "?";
	}
}

/* The operator with its variant, as EXPLAIN words it where it does. */
static void
append_operator(StringInfo out, const RvdDagNode *node)
{
	const char *name = rvd_op_name(node->op);

	if (node->flags & RVD_NODE_PARALLEL_AWARE)
		appendStringInfoString(out, "Parallel ");
	if (node->flags & RVD_NODE_ASYNC)
		appendStringInfoString(out, "Async ");

	switch (node->op)
	{
		case RVD_OP_AGG:
			append_agg(out, node->variant);
			break;
		case RVD_OP_MODIFY_TABLE:
			appendStringInfoString(out, command_name(node->variant));
			break;
		case RVD_OP_FOREIGN_SCAN:
			if (node->variant == CMD_SELECT)
				appendStringInfoString(out, name);
			else
				appendStringInfo(out, "Foreign %s",
								 command_name(node->variant));
			break;
		case RVD_OP_SET_OP:
			appendStringInfo(out, "%s%s (%s)",
							 node->variant / 16 == SETOP_HASHED ? "Hash" : "",
							 name, set_op_name(node->variant % 16));
			break;
		case RVD_OP_NEST_LOOP:
		case RVD_OP_MERGE_JOIN:
		case RVD_OP_HASH_JOIN:
			appendStringInfo(out, "%s (%s)", name,
							 node->variant < RVD_NUM_JOIN_KINDS ?
							 join_names[node->variant] : "?");
			break;
		case RVD_OP_GATHER:
		case RVD_OP_GATHER_MERGE:
			appendStringInfo(out, "%s (%d workers)", name, node->variant);
			break;
		default:
			appendStringInfoString(out, name);
			break;
	}
}

static void
append_relation_name(StringInfo out, Oid relation)
{
	char	   *name = get_rel_name(relation);

	if (name != NULL)
		appendStringInfoString(out, name);
	else
		appendStringInfo(out, "%u", relation);
}

static void
append_source(StringInfo out, const RvdDagNode *node)
{
	if (OidIsValid(node->relation))
	{
		appendStringInfoString(out, " on ");
		append_relation_name(out, node->relation);
		if (node->scan_ordinal > 0)
			appendStringInfo(out, "#%d", node->scan_ordinal + 1);
	}
	if (OidIsValid(node->index))
	{
		appendStringInfoString(out, " using ");
		append_relation_name(out, node->index);
		if (node->op != RVD_OP_BITMAP_INDEX_SCAN && node->variant == 0)
			appendStringInfoString(out, " backward");
	}
}

/*
 * Head line of a CTE, InitPlan or SubPlan; false if it was shown before.
 * Returns it numbered.
 */
static bool
append_subplan_head(Skeleton *s, int32 node, RvdEdgeKind kind, int indent)
{
	int			flags = s->dag->nodes[node].flags;
	const char *title;
	int		   *counter;

	if (s->number[node] > 0)
		return false;
	if (flags & RVD_NODE_CTE)
	{
		title = "CTE";
		counter = &s->n_ctes;
	}
	else if (kind == RVD_EDGE_INITPLAN)
	{
		title = "InitPlan";
		counter = &s->n_init_plans;
	}
	else
	{
		title = (flags & RVD_NODE_HASHED) ? "Hashed SubPlan" : "SubPlan";
		counter = &s->n_sub_plans;
	}
	s->number[node] = ++(*counter);
	appendStringInfoSpaces(s->out, indent);
	appendStringInfo(s->out, "%s %d\n", title, s->number[node]);
	return true;
}

static void
append_node(Skeleton *s, int32 index, int indent)
{
	const RvdDag *dag = s->dag;
	const RvdDagNode *node = &dag->nodes[index];
	int32		end = dag->child_start[index + 1];

	check_stack_depth();
	appendStringInfoSpaces(s->out, indent);
	append_operator(s->out, node);
	append_source(s->out, node);
	for (int32 e = dag->child_start[index]; e < end; e++)
	{
		if (dag->child_kind[e] == RVD_EDGE_SHARED &&
			s->number[dag->child[e]] > 0)
			appendStringInfo(s->out, " on CTE %d", s->number[dag->child[e]]);
	}
	appendStringInfoChar(s->out, '\n');

	for (int32 e = dag->child_start[index]; e < end; e++)
	{
		RvdEdgeKind kind = dag->child_kind[e];

		if (kind == RVD_EDGE_SHARED)
			continue;
		if (kind != RVD_EDGE_INITPLAN && kind != RVD_EDGE_SUBPLAN)
			append_node(s, dag->child[e], indent + 2);
		else if (append_subplan_head(s, dag->child[e], kind, indent + 2))
			append_node(s, dag->child[e], indent + 4);
	}
}

void
rvd_plan_dag_skeleton(const RvdDag *dag, StringInfo out)
{
	Skeleton	s = {0};

	s.dag = dag;
	s.out = out;
	s.number = palloc0(sizeof(int) * dag->n_nodes);
	append_node(&s, dag->root, 0);
	pfree(s.number);
}
