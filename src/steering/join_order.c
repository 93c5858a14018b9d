/*-------------------------------------------------------------------------
 *
 * join_order.c
 *	  Join many relations in an order that is known, instead of searching.
 *
 * What the search would do for each join it finds is done for the joins of
 * one tree only: n - 1 of them, where the search builds up to 2^n.  The server
 * itself says whether a join is legal; what it would not refuse is a join
 * whose clause has gone, so joins that had one must have one.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "optimizer/joininfo.h"
#include "optimizer/paths.h"
#include "optimizer/pathnode.h"
#include "port/pg_bitutils.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/hash.h"
#include "ruvector_dag/settings.h"

#include "join_tree.h"

/* ---- problems ------------------------------------------------------------- */

/* Positions, kinds and tables; what is asked of them is in the memo's keys. */
static uint32
check_of(PlannerInfo *root, List *initial_rels)
{
	uint64		h = list_length(initial_rels);
	ListCell   *lc;

	foreach(lc, initial_rels)
	{
		RelOptInfo *rel = (RelOptInfo *) lfirst(lc);
		int			x = -1;

		h = rvd_hash_combine(h, bms_num_members(rel->relids));
		while ((x = bms_next_member(rel->relids, x)) >= 0)
		{
			RangeTblEntry *rte = x < root->simple_rel_array_size ?
				root->simple_rte_array[x] : NULL;

			h = rvd_hash_combine(h, x);
			if (rte == NULL)
				continue;
			h = rvd_hash_combine(h, rte->rtekind);
			h = rvd_hash_combine(h, (uint64) rte->relid << 1 | rte->inh);
		}
	}
	return (uint32) (h >> 32);
}

RvdJoinProblem *
rvd_join_order_begin(RvdPlanning *p, PlannerInfo *root, List *initial_rels)
{
	RvdJoinProblem *problem;
	MemoryContext old;

	if (list_length(initial_rels) < RVD_JOIN_ORDER_MIN ||
		list_length(initial_rels) > RVD_JOIN_RELATIONS ||
		list_length(p->join_problems) == RVD_JOIN_PROBLEMS)
		return NULL;
	old = MemoryContextSwitchTo(p->cxt);
	problem = palloc0(sizeof(RvdJoinProblem));
	problem->root = root;
	problem->initial_rels = initial_rels;
	problem->sequence = list_length(p->join_problems);
	problem->check = check_of(root, initial_rels);
	p->join_problems = lappend(p->join_problems, problem);
	MemoryContextSwitchTo(old);
	return problem;
}

uint64
rvd_join_rows_key(const RvdJoinProblem *problem, uint64 members)
{
	uint64		h = rvd_hash_combine(UINT64CONST(0x6a6f696e206f7264),
									 problem->check);

	return rvd_hash_combine(rvd_hash_combine(h, problem->sequence), members);
}

void
rvd_join_order_count(int built)
{
	RvdDatabase *db = rvd_my_database();

	if (db != NULL && built > 0)
		pg_atomic_fetch_add_u64(&db->joins_built, built);
}

/* ---- building ------------------------------------------------------------- */

typedef struct Part
{
	RelOptInfo *rel;
	uint64		members;		/* ordinals of initial relations */
} Part;

bool
rvd_join_is_connected(PlannerInfo *root, RelOptInfo *a, RelOptInfo *b)
{
	return have_relevant_joinclause(root, a, b) ||
		have_join_order_restriction(root, a, b);
}

int
rvd_join_method(const Path *path)
{
	switch (nodeTag(path))
	{
		case T_NestPath:
			return RVD_JOIN_NESTED;
		case T_MergePath:
			return RVD_JOIN_MERGED;
		case T_HashPath:
			return RVD_JOIN_HASHED;
		default:
			return 0;
	}
}

/* Those paths that join by this method, with this outer side. */
static List *
paths_like(List *paths, int method, const RelOptInfo *outer)
{
	List	   *like = NIL;
	ListCell   *lc;

	foreach(lc, paths)
	{
		Path	   *path = (Path *) lfirst(lc);

		if (rvd_join_method(path) == method &&
			((JoinPath *) path)->outerjoinpath->parent == outer)
			like = lappend(like, path);
	}
	return like;
}

static void
keep_method(RelOptInfo *rel, int method, const RelOptInfo *outer)
{
	List	   *like = paths_like(rel->pathlist, method, outer);

	if (like == NIL)
		return;
	rel->pathlist = like;
	rel->partial_pathlist = paths_like(rel->partial_pathlist, method, outer);
}

/* What follows a level of the search, for one join. */
static void
finish_join(PlannerInfo *root, RelOptInfo *rel)
{
	generate_partitionwise_join_paths(root, rel);
	if (!rvd_is_top_join(root, rel))
		generate_useful_gather_paths(root, rel, false);
	set_cheapest(rel);
}

/* The order in which standard_join_search hands them to make_join_rel. */
static bool
goes_first(const Part *a, const Part *b)
{
	int			na = pg_popcount64(a->members);
	int			nb = pg_popcount64(b->members);

	if (na != nb)
		return na == 1 || nb == 1 ? na > nb : na < nb;
	return pg_rightmost_one_pos64(a->members) <
		pg_rightmost_one_pos64(b->members);
}

/*
 * Of two paths of about the same cost the first one stays: outer side first,
 * or, in a second try, as the search has it.
 */
static RelOptInfo *
build_join(RvdPlanning *p, RvdJoinProblem *problem, Part *a, Part *b,
		   int flags)
{
	Part	   *outer = flags & RVD_JOIN_SWAPPED ? b : a;
	Part	   *first = p->same_methods ? (goes_first(a, b) ? a : b) : outer;
	Part	   *second = first == a ? b : a;
	RelOptInfo *rel;

	if (!(flags & RVD_JOIN_PRODUCT) &&
		!rvd_join_is_connected(problem->root, a->rel, b->rel))
		return NULL;
	p->known_rows = rvd_memo_rows(p->replay,
								  rvd_join_rows_key(problem,
													a->members | b->members));
	rel = make_join_rel(problem->root, first->rel, second->rel);
	p->known_rows = 0;
	if (rel == NULL || rel->pathlist == NIL)
		return NULL;
	if (p->same_methods && (flags & RVD_JOIN_METHOD))
		keep_method(rel, flags & RVD_JOIN_METHOD, outer->rel);
	finish_join(problem->root, rel);
	return rel;
}

static RelOptInfo *
build_tree(RvdPlanning *p, RvdJoinProblem *problem, const RvdJoinTree *tree)
{
	Part		stack[RVD_JOIN_RELATIONS];
	int			depth = 0;

	for (int i = 0; i < 2 * tree->relations - 1; i++)
	{
		int			element = tree->element[i];

		if (element >= 0)
		{
			stack[depth].rel = list_nth(problem->initial_rels, element);
			stack[depth++].members = UINT64CONST(1) << element;
			continue;
		}
		depth--;
		stack[depth - 1].rel = build_join(p, problem, &stack[depth - 1],
										  &stack[depth],
										  RVD_JOIN_FLAGS(element));
		if (stack[depth - 1].rel == NULL)
			return NULL;
		stack[depth - 1].members |= stack[depth].members;
	}
	return stack[0].rel;
}

/*
 * As GEQO does with each of its tries: what an attempt that failed has left
 * in the root is taken out again.
 */
static RelOptInfo *
try_tree(RvdPlanning *p, RvdJoinProblem *problem, const RvdJoinTree *tree)
{
	PlannerInfo *root = problem->root;
	int			joins_before = list_length(root->join_rel_list);
	int			decided_before = list_length(p->decided_list);
	struct HTAB *hash_before = root->join_rel_hash;
	RelOptInfo *rel;

	root->join_rel_hash = NULL;
	rel = build_tree(p, problem, tree);
	if (rel != NULL)
		return rel;
	root->join_rel_list = list_truncate(root->join_rel_list, joins_before);
	root->join_rel_hash = hash_before;
	rvd_planning_forget(p, decided_before);
	return NULL;
}

RelOptInfo *
rvd_join_order_build(RvdPlanning *p, RvdJoinProblem *problem)
{
	RvdDatabase *db = rvd_my_database();
	RelOptInfo *rel = NULL;
	RvdJoinTree tree;

	if (!rvd_dag_join_order || p->kind != RVD_PLAN_REPLAY ||
		rvd_join_tokens_get(p->replay->joins, p->replay->n_joins,
							problem->sequence, &tree) != RVD_OK)
		return NULL;
	if (tree.check == problem->check &&
		tree.relations == list_length(problem->initial_rels))
		rel = try_tree(p, problem, &tree);
	if (rel != NULL)
		p->orders_used++;
	if (db != NULL)
		pg_atomic_fetch_add_u64(rel ? &db->join_orders :
								&db->join_orders_refused, 1);
	return rel;
}

void
rvd_join_order_forget(uint64 plan_key)
{
	RvdKey		key = {plan_key, MyDatabaseId};
	RvdPlan    *plan = rvd_table_find(rvd_table(RVD_PLANS), key, true, false);
	RvdDatabase *db = rvd_my_database();

	if (plan != NULL)
	{
		plan->memo.n_joins = 0;
		plan->head.dirty = true;
		rvd_table_release(rvd_table(RVD_PLANS), key);
	}
	if (db != NULL)
		pg_atomic_fetch_add_u64(&db->join_orders_refused, 1);
}
