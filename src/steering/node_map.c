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

#include "node_map.h"

static NodeResult map_node(MapContext *m, Plan *plan, NodeState st);

#define MAX_RANGE_TABLE	500

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

void
rvd_node_record(MapContext *m, Plan *plan, NodeState st, const NodeResult *r,
	   const RvdSubject *s, bool fetched)
{
	RvdTagSubject *out;

	if (m->tag->n_subjects == RVD_TAG_SUBJECTS)
		return;
	out = &m->tag->subjects[m->tag->n_subjects++];
	out->plan_node_id = plan->plan_node_id;
	out->cut = st.cut;
	out->first_match = st.first_match;
	out->divided = r->divided;
	out->fetched = fetched;
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
		rvd_node_record(m, plan, st, r, &s, false);
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
	NodeResult	r = {.divided = plan->parallel_aware};

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
		rvd_node_record_lookup(m, plan, plan, st, &r);
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
	NodeResult	r = {.divided = plan->parallel_aware};
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
	NodeResult	r = {.divided = false};

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
		rvd_node_push_params(m, (NestLoop *) plan);
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
		rvd_node_record_lookup(m, plan->lefttree, plan, st, &r);
	return r;
}

/*
 * The groups of a query level: counted with those that HAVING throws away,
 * and only where all of them are read.
 */
static void
record_groups(MapContext *m, Plan *plan, NodeState st, NodeResult *r)
{
	List	   *exprs;
	RvdSubject	s;

	if (r->root == NULL || r->grouped ||
		(IsA(plan, Agg) && DO_AGGSPLIT_SKIPFINAL(((Agg *) plan)->aggsplit)) ||
		!bms_is_subset(r->root->all_baserels, r->set) ||
		!(rvd_root_grouping(r->root, false, &exprs) ||
		  rvd_root_grouping(r->root, true, &exprs)))
		return;
	r->grouped = true;
	if (!st.cut && !st.repeated &&
		rvd_root_groups_subject(rvd_planning_root(m->p, r->root), r->set,
								exprs, &s))
		rvd_node_record(m, plan, st, r, &s, true);
}

/* Joins above an Agg or Unique of the same root: a subquery made unique. */
static NodeResult
map_upper(MapContext *m, Plan *plan, NodeState st)
{
	NodeState	own = st;
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
	if (IsA(plan, Agg) || IsA(plan, Unique) || IsA(plan, Group))
		record_groups(m, plan, own, &r);
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
	NodeResult	none = {.divided = false};
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

	/* mapping is quadratic in it: leave crowds of partitions alone */
	if (list_length(stmt->rtable) > MAX_RANGE_TABLE)
		return;
	memset(&m, 0, sizeof(m));
	m.p = p;
	m.stmt = stmt;
	m.tag = tag;
	map_range_table(&m);
	(void) map_node(&m, stmt->planTree, top);
}
