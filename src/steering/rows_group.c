/*-------------------------------------------------------------------------
 *
 * rows_group.c
 *	  Learned numbers of groups: GROUP BY and DISTINCT.
 *
 * The server has estimated the groups itself by the time the hook is called,
 * and has dropped the paths that looked dearer for them.  So all paths of the
 * grouping are made again with the learned number: those that are left, over
 * their own inputs, and, by hash and by sort, over the cheapest input and
 * over the cheapest partial aggregation.
 *
 * Grouping sets, partitionwise aggregation, foreign and custom paths are left
 * as they are.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/prep.h"
#include "optimizer/tlist.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/planning.h"

#define SAME_GROUPS			0.05

/* One grouping to be made again. */
typedef struct Regroup
{
	PlannerInfo *root;
	RelOptInfo *rel;
	RelOptInfo *partial;		/* of partial aggregation, or NULL */
	bool		distinct;
	List	   *clause;
	List	   *having;
	double		groups;
} Regroup;

/* ---- reading what the server made -------------------------------------------- */

/* Paths we know how to make; estimate: of groups, before HAVING. */
static bool
read_path(Path *path, double *estimate)
{
	switch (nodeTag(path))
	{
		case T_AggPath:
			*estimate = ((AggPath *) path)->numGroups;
			return true;
		case T_UpperUniquePath:
			*estimate = path->rows;
			return true;
		case T_GroupPath:
			/* after HAVING, which a GroupPath seldom has */
			*estimate = path->rows;
			return ((GroupPath *) path)->qual == NIL;
		default:
			return false;
	}
}

static bool
read_paths(RelOptInfo *rel, double *estimate)
{
	ListCell   *lc;

	if (rel->pathlist == NIL || rel->partial_pathlist != NIL ||
		rel->fdwroutine != NULL)
		return false;
	foreach(lc, rel->pathlist)
		if (!read_path((Path *) lfirst(lc), estimate))
			return false;
	return true;
}

/* The server's own relation of partial aggregation, if it made one. */
static RelOptInfo *
partial_rel(PlannerInfo *root, RelOptInfo *rel)
{
	ListCell   *lc;

	foreach(lc, root->upper_rels[UPPERREL_PARTIAL_GROUP_AGG])
	{
		RelOptInfo *partial = (RelOptInfo *) lfirst(lc);

		if (bms_equal(partial->relids, rel->relids))
			return partial->partial_pathlist != NIL ? partial : NULL;
	}
	return NULL;
}

/* ---- making paths ------------------------------------------------------------- */

static void
add_aggregate(Regroup *g, Path *input, AggStrategy strategy, AggSplit split)
{
	AggClauseCosts costs;

	memset(&costs, 0, sizeof(costs));
	get_agg_clause_costs(g->root, split, &costs);
	add_path(g->rel, (Path *)
			 create_agg_path(g->root, g->rel, input,
							 g->distinct ? input->pathtarget :
							 g->rel->reltarget, strategy, split, g->clause,
							 g->having, g->distinct ? NULL : &costs,
							 g->groups));
}

/* Over an input in the right order. */
static void
add_sorted(Regroup *g, Path *input, AggSplit split)
{
	if (g->distinct)
		add_path(g->rel, (Path *)
				 create_upper_unique_path(g->root, g->rel, input,
										  list_length(g->root->distinct_pathkeys),
										  g->groups));
	else if (g->root->parse->hasAggs)
		add_aggregate(g, input, AGG_SORTED, split);
	else
		add_path(g->rel, (Path *)
				 create_group_path(g->root, g->rel, input, g->clause,
								   g->having, g->groups));
}

static bool
may_hash(const Regroup *g)
{
	return enable_hashagg && !g->root->parse->hasDistinctOn &&
		(g->distinct || g->root->numOrderedAggs == 0) &&
		grouping_is_hashable(g->clause);
}

/* By hash and by sort, over an input in any order. */
static void
add_both(Regroup *g, Path *input, AggSplit split)
{
	PlannerInfo *root = g->root;
	List	   *keys = root->group_pathkeys;

	if (g->distinct)
		keys = list_length(root->distinct_pathkeys) <
			list_length(root->sort_pathkeys) ? root->sort_pathkeys :
			root->distinct_pathkeys;
	if (may_hash(g))
		add_aggregate(g, input, AGG_HASHED, split);
	if (keys == NIL || !grouping_is_sortable(g->clause))
		return;
	if (!pathkeys_contained_in(keys, input->pathkeys))
		input = (Path *) create_sort_path(root, g->rel, input, keys, -1.0);
	add_sorted(g, input, split);
}

/* The same path with the learned number of groups. */
static void
add_again(Regroup *g, Path *path)
{
	if (IsA(path, UpperUniquePath))
		add_sorted(g, ((UpperUniquePath *) path)->subpath, AGGSPLIT_SIMPLE);
	else if (IsA(path, GroupPath))
		add_sorted(g, ((GroupPath *) path)->subpath, AGGSPLIT_SIMPLE);
	else
	{
		AggPath    *agg = (AggPath *) path;

		/* what is finalized is made again from the partial paths */
		if (g->partial == NULL || agg->aggsplit == AGGSPLIT_SIMPLE)
			add_aggregate(g, agg->subpath, agg->aggstrategy, agg->aggsplit);
	}
}

/* Each worker finds the groups that its share of the rows has. */
static void
add_partial(Regroup *g, AggPath *path)
{
	AggClauseCosts costs;
	double		groups = Min(g->groups, path->subpath->rows);
	double		total;
	Path	   *again;

	memset(&costs, 0, sizeof(costs));
	get_agg_clause_costs(g->root, AGGSPLIT_INITIAL_SERIAL, &costs);
	again = (Path *) create_agg_path(g->root, g->partial, path->subpath,
									 g->partial->reltarget, path->aggstrategy,
									 AGGSPLIT_INITIAL_SERIAL,
									 path->groupClause, NIL, &costs,
									 clamp_row_est(groups));
	total = again->rows * again->parallel_workers;
	again = (Path *) create_gather_path(g->root, g->partial, again,
										g->partial->reltarget, NULL, &total);
	add_both(g, again, AGGSPLIT_FINAL_DESERIAL);
}

static void
make_again(Regroup *g, Path *cheapest_input)
{
	List	   *before = g->rel->pathlist;
	ListCell   *lc;

	g->rel->pathlist = NIL;
	foreach(lc, before)
		add_again(g, (Path *) lfirst(lc));
	add_both(g, cheapest_input, AGGSPLIT_SIMPLE);
	if (g->partial == NULL)
		return;
	foreach(lc, g->partial->partial_pathlist)
		if (IsA(lfirst(lc), AggPath))
			add_partial(g, (AggPath *) lfirst(lc));
}

void
rvd_rows_correct_groups(RvdPlanning *p, PlannerInfo *root,
						RelOptInfo *input_rel, RelOptInfo *grouped_rel,
						bool distinct)
{
	Regroup		g = {.root = root, .rel = grouped_rel, .distinct = distinct};
	List	   *exprs;
	double		estimate = 1;

	if (IS_OTHER_REL(grouped_rel) ||
		!rvd_root_grouping(root, distinct, &exprs) ||
		!read_paths(grouped_rel, &estimate))
		return;
	g.groups = rvd_planning_groups(p, root, root->all_baserels, exprs,
								   estimate);
	if (g.groups < 0 ||
		fabs(g.groups - estimate) <= SAME_GROUPS * estimate)
		return;
	g.clause = rvd_grouping_clause(root, distinct);
	if (g.clause == NIL)
		return;
	if (!distinct)
	{
		g.having = (List *) root->parse->havingQual;
		g.partial = partial_rel(root, grouped_rel);
	}
	make_again(&g, input_rel->cheapest_total_path);
}
