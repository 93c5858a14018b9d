/*-------------------------------------------------------------------------
 *
 * paths.c
 *	  The path hooks: where estimates are corrected.
 *
 * They act only inside a run of the planner that steer.c began, and change
 * nothing in a run that merely watches.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "optimizer/geqo.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/hooks.h"
#include "ruvector_dag/join_order.h"
#include "ruvector_dag/planning.h"

static set_rel_pathlist_hook_type prev_set_rel_pathlist = NULL;
static set_join_pathlist_hook_type prev_set_join_pathlist = NULL;
static join_search_hook_type prev_join_search = NULL;
static create_upper_paths_hook_type prev_create_upper_paths = NULL;

static void
rvd_set_rel_pathlist(PlannerInfo *root, RelOptInfo *rel, Index rti,
					 RangeTblEntry *rte)
{
	if (prev_set_rel_pathlist)
		prev_set_rel_pathlist(root, rel, rti, rte);
	if (rvd_planning == NULL)
		return;
	rvd_planning_see(rvd_planning, root);
	if (rvd_planning->kind != RVD_PLAN_STOCK)
		rvd_rows_correct_relation(rvd_planning, root, rel, rti, rte);
}

static void
rvd_set_join_pathlist(PlannerInfo *root, RelOptInfo *joinrel,
					  RelOptInfo *outerrel, RelOptInfo *innerrel,
					  JoinType jointype, JoinPathExtraData *extra)
{
	if (prev_set_join_pathlist)
		prev_set_join_pathlist(root, joinrel, outerrel, innerrel, jointype,
							   extra);
	if (rvd_planning && rvd_planning->kind != RVD_PLAN_STOCK)
		rvd_rows_correct_join(rvd_planning, root, joinrel, outerrel, innerrel,
							  jointype, extra);
}

static RelOptInfo *
search_joins(PlannerInfo *root, int levels_needed, List *initial_rels)
{
	if (prev_join_search)
		return prev_join_search(root, levels_needed, initial_rels);
	if (enable_geqo && levels_needed >= geqo_threshold)
		return geqo(root, levels_needed, initial_rels);
	return standard_join_search(root, levels_needed, initial_rels);
}

static RelOptInfo *
rvd_join_search(PlannerInfo *root, int levels_needed, List *initial_rels)
{
	int			joins_before = list_length(root->join_rel_list);
	RvdJoinProblem *problem = NULL;
	RelOptInfo *rel = NULL;

	if (rvd_planning && rvd_planning->kind != RVD_PLAN_STOCK)
		rvd_rows_correct_pairs(rvd_planning, root, initial_rels);
	if (rvd_planning)
		problem = rvd_join_order_begin(rvd_planning, root, initial_rels);
	if (problem)
		rel = rvd_join_order_build(rvd_planning, problem);
	if (rel == NULL)
		rel = search_joins(root, levels_needed, initial_rels);
	if (problem)
	{
		problem->rel = rel;
		rvd_join_order_count(list_length(root->join_rel_list) - joins_before);
	}
	return rel;
}

static void
rvd_create_upper_paths(PlannerInfo *root, UpperRelationKind stage,
					   RelOptInfo *input_rel, RelOptInfo *output_rel,
					   void *extra)
{
	if (prev_create_upper_paths)
		prev_create_upper_paths(root, stage, input_rel, output_rel, extra);
	if (rvd_planning && rvd_planning->kind != RVD_PLAN_STOCK &&
		(stage == UPPERREL_GROUP_AGG || stage == UPPERREL_DISTINCT))
		rvd_rows_correct_groups(rvd_planning, root, input_rel, output_rel,
								stage == UPPERREL_DISTINCT);
}

void
rvd_path_hooks_init(void)
{
	prev_set_rel_pathlist = set_rel_pathlist_hook;
	set_rel_pathlist_hook = rvd_set_rel_pathlist;
	prev_set_join_pathlist = set_join_pathlist_hook;
	set_join_pathlist_hook = rvd_set_join_pathlist;
	prev_join_search = join_search_hook;
	join_search_hook = rvd_join_search;
	prev_create_upper_paths = create_upper_paths_hook;
	create_upper_paths_hook = rvd_create_upper_paths;
}
