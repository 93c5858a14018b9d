/*-------------------------------------------------------------------------
 *
 * node_map.c
 *	  Which plan nodes' row counts teach what.
 *
 * A node's rows are the rows of a set of base relations when the node is a
 * scan or a join of that set.  The flattened range table keeps the planner's
 * eref pointers, so plan nodes map back to (root, range-table index) across
 * subqueries, also where a trivial SubqueryScan was removed.
 *
 * A count is exact only if the node is read to its end.  Limits, semi and
 * anti joins, unique inners and merge joins stop their inputs early ("cut");
 * the taint ends at a node that reads all its input before it gives a row
 * (Sort, Hash, hashed or plain Agg).  What is cut is a lower bound.  What can
 * only be known after the run (an empty hash table, an abandoned trial) is
 * left to observe.c.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/plan_dag.h"
#include "ruvector_dag/settings.h"
#include "ruvector_dag/tag.h"

#define MAX_NEST_PARAMS	32

typedef struct NestParam
{
	int			paramno;
	Index		rti;			/* flattened; 0: not a plain column */
	AttrNumber	attno;
} NestParam;

typedef struct MapContext
{
	RvdPlanning *p;
	PlannedStmt *stmt;
	RvdTag	   *tag;
	PlannerInfo **root;			/* by flattened range-table index */
	int		   *rti;			/* index within that root */
	NestParam	params[MAX_NEST_PARAMS];
	int			n_params;
} MapContext;

/* How a node is run, handed down. */
typedef struct NodeState
{
	bool		repeated;		/* once per row of something */
	bool		cut;			/* may be stopped early */
	bool		first_match;	/* each repetition stops at its first row */
	Relids		outer;			/* what it is repeated for, in outer_root */
	PlannerInfo *outer_root;
} NodeState;

/* What a node delivers, handed up. */
typedef struct NodeResult
{
	PlannerInfo *root;
	Relids		set;			/* base relations of root; NULL: no set */
	bool		divided;
} NodeResult;

static NodeResult map_node(MapContext *m, Plan *plan, NodeState st);

/* ---- range table ---------------------------------------------------------- */

static int
find_in_root(PlannerInfo *root, RangeTblEntry *rte)
{
	for (int j = 1; j < root->simple_rel_array_size; j++)
	{
		RangeTblEntry *own = root->simple_rte_array[j];
		RelOptInfo *rel = root->simple_rel_array[j];
		int			top;

		if (own == NULL || own->eref != rte->eref || own->relid != rte->relid)
			continue;
		/* a partition or child is a piece of its topmost parent */
		if (rel && rel->top_parent_relids &&
			bms_get_singleton_member(rel->top_parent_relids, &top))
			return top;
		return j;
	}
	return 0;
}

static void
map_range_table(MapContext *m)
{
	int			n = list_length(m->stmt->rtable);
	int			i = 0;
	ListCell   *lc;
	ListCell   *lr;

	m->root = palloc0(sizeof(PlannerInfo *) * (n + 1));
	m->rti = palloc0(sizeof(int) * (n + 1));
	foreach(lc, m->stmt->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		i++;
		foreach(lr, m->p->planners)
		{
			PlannerInfo *root = (PlannerInfo *) lfirst(lr);
			int			at = find_in_root(root, rte);

			if (at > 0)
			{
				m->root[i] = root;
				m->rti[i] = at;
				break;
			}
		}
	}
}

/*
 * The subquery relation of an upper root that was planned in this root; used
 * where the SubqueryScan above it was removed.
 */
static bool
lift(MapContext *m, NodeResult *r)
{
	ListCell   *lc;

	foreach(lc, m->p->planners)
	{
		PlannerInfo *root = (PlannerInfo *) lfirst(lc);

		if (root == r->root)
			continue;
		for (int j = 1; j < root->simple_rel_array_size; j++)
			if (root->simple_rel_array[j] &&
				root->simple_rel_array[j]->subroot == r->root)
			{
				r->root = root;
				r->set = bms_make_singleton(j);
				return true;
			}
	}
	return false;
}

/* ---- recording ------------------------------------------------------------ */

static void
describe(MapContext *m, const NodeResult *r, const RvdSubject *s)
{
	RvdKey		key = {s->id.sig, MyDatabaseId};
	RvdTable   *table = rvd_table(RVD_ROWS);
	RvdRoot    *root = rvd_planning_root(m->p, r->root);
	char		clauses[RVD_ROW_CLAUSES];
	Oid			relations[RVD_ROW_RELATIONS];
	int			n;
	bool		found;
	RvdRows    *entry;

	entry = rvd_table_find(table, key, false, false);
	if (entry != NULL)
	{
		rvd_table_release(table, key);
		return;
	}
	rvd_root_clauses_text(root, r->set, clauses, sizeof(clauses));
	n = rvd_root_relations(root, r->set, relations, RVD_ROW_RELATIONS);
	entry = rvd_table_enter(table, key, MyDatabaseId, &found, false);
	if (entry == NULL)
		return;
	if (!found)
	{
		entry->model.kind = s->kind;
		entry->n_relations = n;
		memcpy(entry->relations, relations, sizeof(Oid) * n);
		strlcpy(entry->clauses, clauses, RVD_ROW_CLAUSES);
	}
	rvd_table_release(table, key);
}

static void
record(MapContext *m, Plan *plan, NodeState st, const NodeResult *r,
	   const RvdSubject *s)
{
	RvdTagSubject *out;

	if (m->tag->n_subjects == RVD_TAG_SUBJECTS)
		return;
	out = &m->tag->subjects[m->tag->n_subjects++];
	out->plan_node_id = plan->plan_node_id;
	out->cut = st.cut;
	out->first_match = st.first_match;
	out->divided = r->divided;
	out->subject = *s;
	out->est_rows = plan->plan_rows;
	describe(m, r, s);
}

static void
record_set(MapContext *m, Plan *plan, NodeState st, const NodeResult *r)
{
	RvdSubject	s;

	if (st.repeated || r->root == NULL || bms_is_empty(r->set))
		return;
	if (rvd_root_subject(rvd_planning_root(m->p, r->root), r->set, &s))
		record(m, plan, st, r, &s);
}

/* ---- parameterised lookups -------------------------------------------------- */

typedef struct ParamList
{
	int			ids[MAX_NEST_PARAMS];
	int			n;
} ParamList;

static bool
collect_params(Node *node, ParamList *list)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
	{
		Param	   *param = (Param *) node;

		if (param->paramkind == PARAM_EXEC && list->n < MAX_NEST_PARAMS)
			list->ids[list->n++] = param->paramid;
		return false;
	}
	return expression_tree_walker(node, collect_params, (void *) list);
}

static void
push_nest_params(MapContext *m, NestLoop *join)
{
	ListCell   *lc;

	foreach(lc, join->nestParams)
	{
		NestLoopParam *nlp = (NestLoopParam *) lfirst(lc);
		NestParam  *out;

		if (m->n_params == MAX_NEST_PARAMS)
			return;
		out = &m->params[m->n_params++];
		out->paramno = nlp->paramno;
		out->rti = 0;
		/* the executor's OUTER_VAR keeps the column it came from */
		if (IsA(nlp->paramval, Var))
		{
			out->rti = nlp->paramval->varnosyn;
			out->attno = nlp->paramval->varattnosyn;
		}
	}
}

static void
scan_params(Plan *scan, ParamList *list)
{
	(void) collect_params((Node *) scan->qual, list);
	switch (nodeTag(scan))
	{
		case T_IndexScan:
			(void) collect_params((Node *) ((IndexScan *) scan)->indexqualorig,
								  list);
			break;
		case T_IndexOnlyScan:
			(void) collect_params((Node *) ((IndexOnlyScan *) scan)->indexqual,
								  list);
			break;
		case T_BitmapHeapScan:
			(void) collect_params((Node *) ((BitmapHeapScan *) scan)->bitmapqualorig,
								  list);
			break;
		default:
			break;
	}
}

/* The column behind an executor parameter set by a nested loop, if plain. */
static bool
param_column(MapContext *m, PlannerInfo *root, int paramno, RvdColumn *column)
{
	for (int j = 0; j < m->n_params; j++)
	{
		NestParam  *np = &m->params[j];

		if (np->paramno != paramno || np->rti == 0 ||
			np->rti > (Index) list_length(m->stmt->rtable) ||
			m->root[np->rti] != root)
			continue;
		column->rti = m->rti[np->rti];
		column->attno = np->attno;
		return true;
	}
	return false;
}

/* A single column stands together with its equals in the outer side. */
static int
add_equals(MapContext *m, RvdRoot *root, Index own, NodeState st,
		   RvdColumn *columns)
{
	RvdColumn	equals[RVD_LOOKUP_COLUMNS];
	int			n = rvd_root_equal_columns(root, own, columns[0], equals);
	int			kept = 1;

	for (int i = 1; i < n; i++)
		if (st.outer_root == rvd_root_planner(root) &&
			bms_is_member(equals[i].rti, st.outer))
			columns[kept++] = equals[i];
	return kept;
}

/* counter: the node whose rows per loop are the lookup's (a Memoize above) */
static void
record_lookup(MapContext *m, Plan *scan, Plan *counter, NodeState st,
			  const NodeResult *r)
{
	ParamList	list = {.n = 0};
	RvdColumn	columns[RVD_LOOKUP_COLUMNS];
	RvdRoot    *root = rvd_planning_root(m->p, r->root);
	int			n = 0;
	int			own;
	RvdSubject	s;

	if (!bms_get_singleton_member(r->set, &own))
		return;
	scan_params(scan, &list);
	for (int i = 0; i < list.n; i++)
	{
		RvdColumn	c;
		bool		seen = false;

		if (!param_column(m, r->root, list.ids[i], &c))
			return;				/* also depends on something else */
		for (int k = 0; k < n; k++)
			seen |= columns[k].rti == c.rti && columns[k].attno == c.attno;
		if (seen)
			continue;
		if (n == RVD_LOOKUP_COLUMNS)
			return;
		columns[n++] = c;
	}
	if (n == 1)
		n = add_equals(m, root, own, st, columns);
	if (n > 0 && rvd_root_lookup_subject(root, own, columns, n, &s))
		record(m, counter, st, r, &s);
}

static bool
is_lookup_scan(Plan *plan)
{
	return IsA(plan, IndexScan) || IsA(plan, IndexOnlyScan) ||
		IsA(plan, BitmapHeapScan);
}

/* ---- nodes ------------------------------------------------------------------ */

static NodeResult
map_scan(MapContext *m, Plan *plan, NodeState st)
{
	Index		rt = ((Scan *) plan)->scanrelid;
	NodeResult	r = {NULL, NULL, plan->parallel_aware};

	if (rt > 0 && rt <= (Index) list_length(m->stmt->rtable) && m->root[rt])
	{
		RelOptInfo *rel = m->root[rt]->simple_rel_array[m->rti[rt]];

		r.root = m->root[rt];
		r.set = bms_make_singleton(m->rti[rt]);
		/* a piece of an appended relation reports through its Append */
		if (rel && rel->rtekind == RTE_RELATION &&
			m->root[rt]->simple_rte_array[m->rti[rt]]->relid !=
			rt_fetch(rt, m->stmt->rtable)->relid)
			r.set = NULL;
	}
	if (IsA(plan, SubqueryScan))
	{
		NodeState	below = st;

		r.divided |= map_node(m, ((SubqueryScan *) plan)->subplan,
							  below).divided;
	}
	if (r.set == NULL)
		return r;
	if (!st.repeated)
		record_set(m, plan, st, &r);
	else if (is_lookup_scan(plan))
		record_lookup(m, plan, plan, st, &r);
	return r;
}

static NodeResult
map_append(MapContext *m, Plan *plan, NodeState st)
{
	bool		merge = IsA(plan, MergeAppend);
	List	   *kids = merge ? ((MergeAppend *) plan)->mergeplans :
		((Append *) plan)->appendplans;
	Relids		relids = merge ? ((MergeAppend *) plan)->apprelids :
		((Append *) plan)->apprelids;
	NodeResult	r = {NULL, NULL, plan->parallel_aware};
	ListCell   *lc;
	int			x = -1;

	while ((x = bms_next_member(relids, x)) >= 0)
		if (x <= list_length(m->stmt->rtable) && m->root[x])
		{
			r.root = m->root[x];
			r.set = bms_add_member(r.set, m->rti[x]);
		}
	/* pieces of subqueries (UNION ALL) teach by themselves, partitions not */
	foreach(lc, kids)
	{
		Plan	   *kid = (Plan *) lfirst(lc);

		if (r.set == NULL || IsA(kid, SubqueryScan))
			r.divided |= map_node(m, kid, st).divided;
		else if (kid->parallel_aware)
			r.divided = true;
	}
	if (r.set)
		record_set(m, plan, st, &r);
	return r;
}

static NodeResult
map_join(MapContext *m, Plan *plan, NodeState st)
{
	Join	   *join = (Join *) plan;
	bool		nest = IsA(plan, NestLoop);
	bool		merge = IsA(plan, MergeJoin);
	bool		first_match = join->inner_unique ||
		join->jointype == JOIN_SEMI || join->jointype == JOIN_ANTI;
	int			params_before = m->n_params;
	NodeState	outer = st;
	NodeState	inner = st;
	NodeResult	o;
	NodeResult	i;
	NodeResult	r = {NULL, NULL, false};

	outer.cut |= merge;
	inner.cut |= merge || (nest && first_match);
	inner.first_match |= nest && first_match;
	o = map_node(m, plan->lefttree, outer);
	if (nest)
	{
		/* an uncorrelated inner is a whole set read once per outer row */
		if (((NestLoop *) plan)->nestParams != NIL ||
			IsA(plan->righttree, Memoize))
			inner.repeated = true;
		push_nest_params(m, (NestLoop *) plan);
		if (inner.outer_root == NULL || inner.outer_root == o.root)
			inner.outer = bms_union(inner.outer, o.set);
		inner.outer_root = o.root;
	}
	i = map_node(m, plan->righttree, inner);
	m->n_params = params_before;
	r.divided = o.divided;
	if (o.root && i.root && o.root != i.root && !lift(m, &i))
		(void) lift(m, &o);
	if (o.root == NULL || o.root != i.root || !o.set || !i.set)
		return r;
	r.root = o.root;
	r.set = bms_union(o.set, i.set);
	record_set(m, plan, st, &r);
	return r;
}

static NodeResult
map_memoize(MapContext *m, Plan *plan, NodeState st)
{
	NodeState	below = st;
	NodeResult	r;
	int			before = m->tag->n_subjects;

	below.cut = true;
	below.repeated = true;
	r = map_node(m, plan->lefttree, below);
	/* below, keys are counted once each; what probes fetch is counted here */
	m->tag->n_subjects = before;
	if (r.set && is_lookup_scan(plan->lefttree))
		record_lookup(m, plan->lefttree, plan, st, &r);
	return r;
}

/* Joins above an Agg or Unique of the same root: a subquery made unique. */
static NodeResult
map_upper(MapContext *m, Plan *plan, NodeState st)
{
	NodeResult	r;

	if (IsA(plan, Agg) && (((Agg *) plan)->aggstrategy == AGG_HASHED ||
						   ((Agg *) plan)->aggstrategy == AGG_PLAIN))
		st.cut = false;
	if (IsA(plan, WindowAgg))
		st.cut |= ((WindowAgg *) plan)->runCondition != NIL;
	if (IsA(plan, Limit))
		st.cut = true;
	r = map_node(m, plan->lefttree, st);
	if (plan->righttree)
		(void) map_node(m, plan->righttree, st);
	if (!IsA(plan, Agg) && !IsA(plan, Unique))
		r.set = NULL;
	return r;
}

/* Plans run once whose value the node uses; their readers may stop early. */
static void
map_init_plans(MapContext *m, Plan *plan)
{
	NodeState	once = {.cut = true};
	ListCell   *lc;

	foreach(lc, plan->initPlan)
	{
		SubPlan    *sub = (SubPlan *) lfirst(lc);

		if (sub->parParam == NIL && sub->plan_id > 0 &&
			sub->plan_id <= list_length(m->stmt->subplans))
			(void) map_node(m, (Plan *) list_nth(m->stmt->subplans,
												 sub->plan_id - 1), once);
	}
}

static NodeResult
map_node(MapContext *m, Plan *plan, NodeState st)
{
	NodeResult	none = {NULL, NULL, false};
	NodeResult	r;

	if (plan == NULL)
		return none;
	check_stack_depth();
	map_init_plans(m, plan);
	switch (nodeTag(plan))
	{
		case T_SeqScan:
		case T_SampleScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapHeapScan:
		case T_TidScan:
		case T_TidRangeScan:
		case T_FunctionScan:
		case T_ValuesScan:
		case T_CteScan:
		case T_SubqueryScan:
			return map_scan(m, plan, st);
		case T_Append:
		case T_MergeAppend:
			return map_append(m, plan, st);
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
			return map_join(m, plan, st);
		case T_Memoize:
			return map_memoize(m, plan, st);
		case T_Hash:
		case T_Sort:
			/* read to their end before the first row comes out */
			st.cut = false;
			return map_node(m, plan->lefttree, st);
		case T_Gather:
		case T_GatherMerge:
			r = map_node(m, plan->lefttree, st);
			r.divided = false;
			return r;
		case T_Material:
		case T_IncrementalSort:
			return map_node(m, plan->lefttree, st);
		case T_Result:
			/* a one-time filter that is false reads nothing */
			st.cut |= ((Result *) plan)->resconstantqual != NULL;
			return map_node(m, plan->lefttree, st);
		default:
			return map_upper(m, plan, st);
	}
}

/* ---- the tag ---------------------------------------------------------------- */

static void
note_nodes(RvdTag *tag, const RvdDag *dag)
{
	for (int i = 0; i < dag->n_nodes && i < RVD_TRAJECTORY_NODES; i++)
	{
		const RvdDagNode *n = &dag->nodes[i];

		tag->nodes[i].plan_node_id = n->plan_node_id;
		tag->nodes[i].op = (int16) n->op;
		tag->nodes[i].depth = (int16) n->depth;
		tag->nodes[i].est_rows = (float) n->est_rows;
		tag->n_nodes = i + 1;
	}
}

void
rvd_tag_map_nodes(RvdTag *tag, PlannedStmt *stmt, RvdPlanning *p)
{
	MapContext	m;
	NodeState	top = {.cut = false};
	RvdDag		dag;

	if (rvd_plan_dag_build(stmt, &dag) == RVD_OK)
		note_nodes(tag, &dag);

	memset(&m, 0, sizeof(m));
	m.p = p;
	m.stmt = stmt;
	m.tag = tag;
	map_range_table(&m);
	(void) map_node(&m, stmt->planTree, top);
}
