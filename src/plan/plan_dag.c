/*-------------------------------------------------------------------------
 *
 * plan_dag.c
 *	  PlannedStmt -> plan graph.
 *
 * Walks the plan tree as the executor will run it and adds what makes it a
 * graph: InitPlans and SubPlans, which hang in stmt->subplans and are linked
 * by number from the nodes that use them; CTEs, whose producer is an
 * InitPlan of some node and which every CteScan reads; worktables, which are
 * written by a RecursiveUnion above their scan, so that the edge comes from
 * its non-recursive term instead of from itself, which would be a cycle.
 * A subplan enters the graph when it is first met; those that nobody refers
 * to any more stay out.
 *
 * Nodes and edges are collected in growing arrays, because neither number is
 * known before the expressions were searched for SubPlans; the graph proper
 * is then one block of exactly the size needed.
 *
 * Memory: everything in CurrentMemoryContext, the arrays freed at the end.
 * Layer 3.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"

#include "jit/jit.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/hash.h"
#include "plan_node.h"

typedef struct PlanEdge
{
	int32		child;
	int32		parent;
	RvdEdgeKind kind;
} PlanEdge;

/* The worktable of a RecursiveUnion while its recursive term is built. */
typedef struct Worktable
{
	int			param;			/* RecursiveUnion.wtParam */
	int32		producer;		/* node of the non-recursive term */
} Worktable;

typedef struct PlanBuild
{
	PlannedStmt *stmt;
	RvdStatus	status;			/* the first failure ends it all */
	RvdDagNode *nodes;
	int32		n_nodes;
	int32		max_nodes;
	PlanEdge   *edges;
	int32		n_edges;
	int32		max_edges;
	int32	   *subplan_node;	/* [subplans] root of each, -1: not yet met */
	int32	   *rte_ordinal;	/* [rtable] by rvd_plan_rtable_number() */
	List	   *worktables;		/* Worktable, innermost last */
} PlanBuild;

static int32 build_plan(PlanBuild *b, Plan *plan);

static void
add_edge(PlanBuild *b, int32 child, int32 parent, RvdEdgeKind kind)
{
	if (b->status != RVD_OK || child < 0)
		return;
	if (b->n_edges == RVD_DAG_MAX_EDGES)
	{
		b->status = RVD_ERR_FULL;
		return;
	}
	if (b->n_edges == b->max_edges)
	{
		b->max_edges *= 2;
		b->edges = repalloc(b->edges, sizeof(PlanEdge) * b->max_edges);
	}
	b->edges[b->n_edges].child = child;
	b->edges[b->n_edges].parent = parent;
	b->edges[b->n_edges].kind = kind;
	b->n_edges++;
}

/* Relation, its ordinal and the index. */
static void
set_source(PlanBuild *b, const Plan *plan, RvdDagNode *node)
{
	Index		rti = rvd_plan_node_rti(plan);

	if (rti > 0 && rti <= list_length(b->stmt->rtable))
	{
		RangeTblEntry *rte = rt_fetch(rti, b->stmt->rtable);

		if (rte->rtekind == RTE_RELATION)
			node->relation = rte->relid;
		node->scan_ordinal = b->rte_ordinal[rti - 1];
	}
	node->index = rvd_plan_node_index(plan);
}

/* Returns the position, or -1 with the status set. */
static int32
add_node(PlanBuild *b, Plan *plan)
{
	RvdDagNode *node;
	RvdOp		op = rvd_plan_node_op(plan);

	if (op == RVD_OP_INVALID || b->n_nodes == RVD_DAG_MAX_NODES)
	{
		b->status = op == RVD_OP_INVALID ? RVD_ERR_ARGUMENT : RVD_ERR_FULL;
		return -1;
	}
	if (b->n_nodes == b->max_nodes)
	{
		b->max_nodes *= 2;
		b->nodes = repalloc(b->nodes, sizeof(RvdDagNode) * b->max_nodes);
	}

	node = &b->nodes[b->n_nodes];
	memset(node, 0, sizeof(*node));
	node->plan_node_id = plan->plan_node_id;
	node->op = op;
	node->flags = (plan->parallel_aware ? RVD_NODE_PARALLEL_AWARE : 0) |
		(plan->async_capable ? RVD_NODE_ASYNC : 0);
	node->variant = rvd_plan_node_variant(plan);
	node->width = plan->plan_width;
	node->label = rvd_plan_label_of(b->stmt, plan);
	node->est_rows = plan->plan_rows;
	node->startup_cost = rvd_cost_without_disabled(plan->startup_cost);
	node->total_cost = rvd_cost_without_disabled(plan->total_cost);
	set_source(b, plan, node);
	return b->n_nodes++;
}

/*
 * Root of the subplan of that number (from 1), built when first asked for;
 * -1 if the planner dropped it.
 */
static int32
build_subplan(PlanBuild *b, int plan_id)
{
	Plan	   *plan;

	if (b->status != RVD_OK)
		return -1;
	if (plan_id < 1 || plan_id > list_length(b->stmt->subplans))
	{
		b->status = RVD_ERR_ARGUMENT;
		return -1;
	}
	if (b->subplan_node[plan_id - 1] >= 0)
		return b->subplan_node[plan_id - 1];

	plan = list_nth(b->stmt->subplans, plan_id - 1);
	if (plan == NULL)
		return -1;

	/* known before it is built: a subplan may not wait for itself */
	b->subplan_node[plan_id - 1] = b->n_nodes;
	return build_plan(b, plan);
}

static void
build_init_plans(PlanBuild *b, Plan *plan, int32 parent)
{
	ListCell   *lc;

	foreach(lc, plan->initPlan)
	{
		SubPlan    *sub = lfirst_node(SubPlan, lc);
		int32		child = build_subplan(b, sub->plan_id);

		if (child >= 0 && sub->subLinkType == CTE_SUBLINK)
			b->nodes[child].flags |= RVD_NODE_CTE;
		add_edge(b, child, parent, RVD_EDGE_INITPLAN);
	}
}

static void
build_recursive_union(PlanBuild *b, Plan *plan, int32 parent)
{
	Worktable	worktable;

	worktable.param = ((RecursiveUnion *) plan)->wtParam;
	worktable.producer = build_plan(b, outerPlan(plan));
	add_edge(b, worktable.producer, parent, RVD_EDGE_OUTER);

	b->worktables = lappend(b->worktables, &worktable);
	add_edge(b, build_plan(b, innerPlan(plan)), parent, RVD_EDGE_INNER);
	b->worktables = list_delete_last(b->worktables);
}

static int32
find_worktable(PlanBuild *b, int param)
{
	ListCell   *lc;

	foreach(lc, b->worktables)
	{
		Worktable  *worktable = lfirst(lc);

		if (worktable->param == param)
			return worktable->producer;
	}
	return -1;
}

static void
build_inputs(PlanBuild *b, Plan *plan, int32 parent)
{
	ListCell   *lc;

	if (IsA(plan, RecursiveUnion))
	{
		build_recursive_union(b, plan, parent);
		return;
	}
	if (outerPlan(plan) != NULL)
		add_edge(b, build_plan(b, outerPlan(plan)), parent, RVD_EDGE_OUTER);
	if (innerPlan(plan) != NULL)
		add_edge(b, build_plan(b, innerPlan(plan)), parent, RVD_EDGE_INNER);
	foreach(lc, rvd_plan_node_members(plan))
		add_edge(b, build_plan(b, lfirst(lc)), parent, RVD_EDGE_MEMBER);

	if (IsA(plan, SubqueryScan))
		add_edge(b, build_plan(b, ((SubqueryScan *) plan)->subplan), parent,
				 RVD_EDGE_SUBQUERY);
	else if (IsA(plan, CteScan))
		add_edge(b, build_subplan(b, ((CteScan *) plan)->ctePlanId), parent,
				 RVD_EDGE_SHARED);
	else if (IsA(plan, WorkTableScan))
		add_edge(b, find_worktable(b, ((WorkTableScan *) plan)->wtParam),
				 parent, RVD_EDGE_SHARED);
}

/* SubPlans of one node, in the order in which its expressions mention them. */
static bool
collect_sub_plans(Node *node, void *context)
{
	List	  **found = context;

	if (node == NULL)
		return false;
	if (IsA(node, SubPlan))
		*found = lappend(*found, node);
	return expression_tree_walker(node, collect_sub_plans, context);
}

static void
build_sub_plans(PlanBuild *b, Plan *plan, int32 parent)
{
	List	   *found = NIL;
	List	   *seen = NIL;		/* plan_ids linked to this parent already */
	ListCell   *lc;

	if (b->stmt->subplans == NIL)
		return;
	rvd_plan_node_walk_exprs(plan, collect_sub_plans, &found);
	foreach(lc, found)
	{
		SubPlan    *sub = lfirst_node(SubPlan, lc);
		int32		child;

		if (list_member_int(seen, sub->plan_id))
			continue;
		seen = lappend_int(seen, sub->plan_id);
		child = build_subplan(b, sub->plan_id);
		if (child >= 0 && sub->useHashTable)
			b->nodes[child].flags |= RVD_NODE_HASHED;
		add_edge(b, child, parent, RVD_EDGE_SUBPLAN);
	}
	list_free(found);
	list_free(seen);
}

/* Returns the position of the plan's top node, or -1 with the status set. */
static int32
build_plan(PlanBuild *b, Plan *plan)
{
	int32		index;

	if (b->status != RVD_OK)
		return -1;
	check_stack_depth();

	index = add_node(b, plan);
	if (index >= 0)
	{
		build_init_plans(b, plan, index);
		build_inputs(b, plan, index);
		build_sub_plans(b, plan, index);
	}
	return b->status == RVD_OK ? index : -1;
}

/* Copy what was collected into a block of its size. */
static RvdStatus
finish_dag(PlanBuild *b, RvdDag *dag)
{
	size_t		size = rvd_dag_size(b->n_nodes, b->n_edges);
	RvdStatus	status;

	status = rvd_dag_init(dag, palloc(size), size, b->n_nodes, b->n_edges);
	for (int32 i = 0; i < b->n_nodes && status == RVD_OK; i++)
		status = rvd_dag_add_node(dag, &b->nodes[i], NULL);
	for (int32 i = 0; i < b->n_edges && status == RVD_OK; i++)
		status = rvd_dag_add_edge(dag, b->edges[i].child, b->edges[i].parent,
								  b->edges[i].kind);
	return status == RVD_OK ? rvd_dag_finish(dag) : status;
}

RvdStatus
rvd_plan_dag_build(PlannedStmt *stmt, RvdDag *dag)
{
	PlanBuild	b = {0};
	int			n_subplans = list_length(stmt->subplans);

	if (stmt->planTree == NULL)
		return RVD_ERR_ARGUMENT;

	b.stmt = stmt;
	b.status = RVD_OK;
	b.max_nodes = 32;
	b.max_edges = 32;
	b.nodes = palloc(sizeof(RvdDagNode) * b.max_nodes);
	b.edges = palloc(sizeof(PlanEdge) * b.max_edges);
	b.subplan_node = palloc(sizeof(int32) * Max(n_subplans, 1));
	for (int i = 0; i < n_subplans; i++)
		b.subplan_node[i] = -1;
	b.rte_ordinal = rvd_plan_rtable_number(stmt->rtable);

	build_plan(&b, stmt->planTree);
	if (b.status == RVD_OK)
		b.status = finish_dag(&b, dag);

	pfree(b.nodes);
	pfree(b.edges);
	pfree(b.subplan_node);
	pfree(b.rte_ordinal);
	return b.status;
}

/* Marks of what the shape does not show. */
#define COMPILED	UINT64CONST(0x6a6974)
#define AT_RUN		UINT64CONST(0x61726d00)

/* Has it operators that take memory? */
static bool
takes_memory(const RvdDag *dag)
{
	for (int i = 0; i < dag->n_nodes; i++)
		switch (dag->nodes[i].op)
		{
			case RVD_OP_SORT:
			case RVD_OP_INCREMENTAL_SORT:
			case RVD_OP_HASH:
			case RVD_OP_MATERIAL:
			case RVD_OP_MEMOIZE:
			case RVD_OP_WINDOW_AGG:
			case RVD_OP_RECURSIVE_UNION:
			case RVD_OP_BITMAP_HEAP_SCAN:
				return true;
			default:
				break;
		}
	return false;
}

uint64
rvd_plan_fingerprint(const PlannedStmt *stmt, const RvdDag *dag,
					 uint16 arm_at_run)
{
	uint64		h = rvd_dag_fingerprint(dag);

	if (stmt->jitFlags & PGJIT_PERFORM)
		h = rvd_hash_combine(h, COMPILED);
	if (arm_at_run != 0 && takes_memory(dag))
		h = rvd_hash_combine(h, AT_RUN + arm_at_run);
	return h;
}
