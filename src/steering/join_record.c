/*-------------------------------------------------------------------------
 *
 * join_record.c
 *	  Which order of joins the plan that was chosen has.
 *
 * Read after the run from the paths the plan was made of, not right after
 * the search: what is above a join problem (an order, a limit) may choose
 * another of its paths than the cheapest.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "optimizer/pathnode.h"
#include "optimizer/planner.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/settings.h"

#include "join_tree.h"

/* One problem's tree being read. */
typedef struct Walk
{
	RvdJoinProblem *problem;
	RvdJoinTree tree;
	int			n;				/* elements read */
	int			n_joins;
	uint64		members[RVD_JOIN_RELATIONS];	/* of each join */
	double		rows[RVD_JOIN_RELATIONS];
} Walk;

/* ---- from paths to a tree --------------------------------------------------- */

/* The relation of the problem's own level that a path is for. */
static RelOptInfo *
whole_relation(PlannerInfo *root, RelOptInfo *rel)
{
	int			only;

	if (!IS_OTHER_REL(rel) || rel->top_parent_relids == NULL)
		return rel;
	if (bms_get_singleton_member(rel->top_parent_relids, &only))
		return only < root->simple_rel_array_size ?
			root->simple_rel_array[only] : NULL;
	return find_join_rel(root, rel->top_parent_relids);
}

static int
ordinal(const Walk *w, const RelOptInfo *rel)
{
	ListCell   *lc;

	foreach(lc, w->problem->initial_rels)
		if (lfirst(lc) == rel)
			return foreach_current_index(lc);
	return -1;
}

/* The one path below, of nodes that leave the set of relations alone. */
static Path *
path_below(Path *path)
{
	switch (nodeTag(path))
	{
		case T_MaterialPath:
			return ((MaterialPath *) path)->subpath;
		case T_MemoizePath:
			return ((MemoizePath *) path)->subpath;
		case T_UniquePath:
			return ((UniquePath *) path)->subpath;
		case T_GatherPath:
			return ((GatherPath *) path)->subpath;
		case T_GatherMergePath:
			return ((GatherMergePath *) path)->subpath;
		case T_ProjectionPath:
			return ((ProjectionPath *) path)->subpath;
		case T_ProjectSetPath:
			return ((ProjectSetPath *) path)->subpath;
		case T_SortPath:
		case T_IncrementalSortPath:
			return ((SortPath *) path)->subpath;
		default:
			return NULL;
	}
}

static List *
append_members(Path *path)
{
	if (IsA(path, AppendPath))
		return ((AppendPath *) path)->subpaths;
	if (IsA(path, MergeAppendPath))
		return ((MergeAppendPath *) path)->subpaths;
	return NIL;
}

static bool
add_element(Walk *w, int element)
{
	if (w->n == 2 * w->tree.relations - 1)
		return false;
	w->tree.element[w->n++] = (int8) element;
	return true;
}

static uint64 read_path(Walk *w, Path *path);

/* A side that is a join itself comes first: that takes fewer tokens. */
static uint64
read_join(Walk *w, JoinPath *join)
{
	PlannerInfo *root = w->problem->root;
	RelOptInfo *rel = whole_relation(root, join->path.parent);
	RelOptInfo *a = whole_relation(root, join->outerjoinpath->parent);
	RelOptInfo *b = whole_relation(root, join->innerjoinpath->parent);
	bool		inner_first = ordinal(w, a) >= 0;
	int			flags = rvd_join_method(&join->path);
	uint64		left;
	uint64		right;

	if (rel == NULL || a == NULL || b == NULL ||
		w->n_joins == RVD_JOIN_RELATIONS)
		return 0;
	left = read_path(w, inner_first ? join->innerjoinpath :
					 join->outerjoinpath);
	right = left == 0 ? 0 : read_path(w, inner_first ? join->outerjoinpath :
									  join->innerjoinpath);
	if (inner_first)
		flags |= RVD_JOIN_SWAPPED;
	if (!rvd_join_is_connected(root, a, b))
		flags |= RVD_JOIN_PRODUCT;
	if (right == 0 || !add_element(w, RVD_JOIN(flags)))
		return 0;
	w->members[w->n_joins] = left | right;
	w->rows[w->n_joins++] = rel->rows;
	return left | right;
}

/* Partitions joined one by one: their order, if it is the same for all. */
static uint64
read_pieces(Walk *w, List *pieces)
{
	int			n_before = w->n;
	int			joins_before = w->n_joins;
	Walk		other;
	uint64		members = 0;
	ListCell   *lc;

	foreach(lc, pieces)
	{
		if (members == 0)
		{
			members = read_path(w, lfirst(lc));
			if (members == 0)
				return 0;
			continue;
		}
		other = *w;
		other.n = n_before;
		other.n_joins = joins_before;
		if (read_path(&other, lfirst(lc)) != members || other.n != w->n ||
			memcmp(other.tree.element, w->tree.element, w->n) != 0)
			return 0;
	}
	return members;
}

/* The tree below a path, appended; returns its relations, 0: none. */
static uint64
read_path(Walk *w, Path *path)
{
	RelOptInfo *rel = whole_relation(w->problem->root, path->parent);
	int			k = rel ? ordinal(w, rel) : -1;

	if (k >= 0)
		return add_element(w, k) ? UINT64CONST(1) << k : 0;
	if (rvd_join_method(path) != 0)
		return read_join(w, (JoinPath *) path);
	if (path_below(path))
		return read_path(w, path_below(path));
	return read_pieces(w, append_members(path));
}

/* ---- into the memo ---------------------------------------------------------- */

static void
record_tree(Walk *w, RvdMemo *memo)
{
	int32		used = memo->n_joins;

	if (w->n_joins > RVD_MEMO_ROWS - memo->n ||
		rvd_join_tokens_put(memo->joins, RVD_MEMO_JOINS, &used,
							&w->tree) != RVD_OK)
		return;
	memo->n_joins = (uint16) used;
	for (int i = 0; i < w->n_joins; i++)
	{
		memo->key[memo->n] = rvd_join_rows_key(w->problem, w->members[i]);
		memo->rows[memo->n++] = (float) w->rows[i];
	}
}

static void
record_problem(RvdJoinProblem *problem, Path *path, RvdMemo *memo)
{
	PlannerInfo *root = problem->root;
	List	   *initial_rels = root->initial_rels;
	Walk		w;

	memset(&w, 0, sizeof(w));
	w.problem = problem;
	w.tree.sequence = problem->sequence;
	w.tree.check = problem->check;
	w.tree.relations = list_length(problem->initial_rels);
	/* the server asks it when told to say what is connected */
	root->initial_rels = problem->initial_rels;
	if (read_path(&w, path) != 0 && w.n == 2 * w.tree.relations - 1)
		record_tree(&w, memo);
	root->initial_rels = initial_rels;
}

/* ---- all paths of a statement ----------------------------------------------- */

typedef struct Visit
{
	List	   *left;			/* problems not met yet */
	RvdMemo    *memo;
} Visit;

static void visit_path(Visit *v, Path *path);

/* Does the path give the problem's rows, or those of a partition of them? */
static bool
solves(const RvdJoinProblem *problem, const Path *path)
{
	RelOptInfo *rel = path->parent;

	if (rel->reloptkind != RELOPT_OTHER_JOINREL)
		return rel == problem->rel;
	/* relids alone would not tell it from another root's */
	return find_join_rel(problem->root, rel->relids) == rel &&
		whole_relation(problem->root, rel) == problem->rel;
}

static void
meet_problem(Visit *v, Path *path)
{
	ListCell   *lc;

	foreach(lc, v->left)
	{
		RvdJoinProblem *problem = (RvdJoinProblem *) lfirst(lc);

		if (solves(problem, path))
		{
			v->left = list_delete_cell(v->left, lc);
			record_problem(problem, path, v->memo);
			return;
		}
	}
}

static void
visit_list(Visit *v, List *paths)
{
	ListCell   *lc;

	foreach(lc, paths)
		visit_path(v, (Path *) lfirst(lc));
}

/* Nodes above the joins of a query level. */
static Path *
upper_path_below(Path *path)
{
	switch (nodeTag(path))
	{
		case T_SubqueryScanPath:
			return ((SubqueryScanPath *) path)->subpath;
		case T_GroupPath:
			return ((GroupPath *) path)->subpath;
		case T_UpperUniquePath:
			return ((UpperUniquePath *) path)->subpath;
		case T_AggPath:
			return ((AggPath *) path)->subpath;
		case T_GroupingSetsPath:
			return ((GroupingSetsPath *) path)->subpath;
		case T_WindowAggPath:
			return ((WindowAggPath *) path)->subpath;
		case T_LockRowsPath:
			return ((LockRowsPath *) path)->subpath;
		case T_ModifyTablePath:
			return ((ModifyTablePath *) path)->subpath;
		case T_LimitPath:
			return ((LimitPath *) path)->subpath;
		default:
			return path_below(path);
	}
}

static void
visit_path(Visit *v, Path *path)
{
	Path	   *below = upper_path_below(path);
	Path	   *left;
	Path	   *right;

	if (v->left == NIL)
		return;
	meet_problem(v, path);
	if (below)
		visit_path(v, below);
	else if (rvd_join_method(path) != 0)
	{
		visit_path(v, ((JoinPath *) path)->outerjoinpath);
		visit_path(v, ((JoinPath *) path)->innerjoinpath);
	}
	else if (rvd_set_operation_inputs(path, &left, &right))
	{
		visit_path(v, left);
		if (right)
			visit_path(v, right);
	}
	else
		visit_list(v, append_members(path));
}

/*
 * The path a query level contributed, where no path above leads to it.  The
 * whole statement's is the cheapest: LIMIT has its own path node.
 */
static void
visit_root(Visit *v, PlannerInfo *root)
{
	RelOptInfo *final = fetch_upper_rel(root, UPPERREL_FINAL, NULL);

	if (final->cheapest_total_path == NULL)
		return;
	visit_path(v, root->parent_root == NULL ? final->cheapest_total_path :
			   get_cheapest_fractional_path(final, root->tuple_fraction));
}

void
rvd_join_order_record(RvdPlanning *p, RvdMemo *memo)
{
	Visit		v = {NIL, memo};
	PlannerInfo *top;
	ListCell   *lc;

	memo->n_joins = 0;
	if (!rvd_dag_join_order || p->join_problems == NIL || p->memo_overflow)
		return;
	top = ((RvdJoinProblem *) linitial(p->join_problems))->root;
	while (top->parent_root)
		top = top->parent_root;
	v.left = list_copy(p->join_problems);
	visit_root(&v, top);
	foreach(lc, top->glob->subroots)
		visit_root(&v, lfirst_node(PlannerInfo, lc));
	list_free(v.left);
}
