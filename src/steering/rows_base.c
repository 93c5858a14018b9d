/*-------------------------------------------------------------------------
 *
 * rows_base.c
 *	  Learned rows of base relations, on a stock planner.
 *
 * Order of events in the server, per root: sizes of all base relations, then
 * per relation its paths, set_rel_pathlist_hook, gather, set_cheapest.  So
 * the first hook call of a root finds every size in place and corrects all
 * of them in one sweep; relations whose paths come later need nothing else,
 * only the one being hooked has its paths rebuilt.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_class.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/planning.h"

/* Corrections closer to the estimate than this are not worth a rebuild. */
#define SAME_ROWS			0.05

/* ---- paths -------------------------------------------------------------- */

static bool
is_plain_table(RelOptInfo *rel, RangeTblEntry *rte)
{
	return rel->rtekind == RTE_RELATION && !rte->inh &&
		rte->tablesample == NULL &&
		(rte->relkind == RELKIND_RELATION || rte->relkind == RELKIND_MATVIEW);
}

/*
 * What the server's static set_plain_rel_pathlist does, by exported calls.
 * Custom and foreign paths added by other hooks would be lost: then the
 * rows of the existing paths are scaled instead.
 */
static void
rebuild_paths(PlannerInfo *root, RelOptInfo *rel)
{
	Relids		required_outer = rel->lateral_relids;
	ListCell   *lc;

	/* cached per parameterisation and reused by the new paths */
	foreach(lc, rel->ppilist)
	{
		ParamPathInfo *ppi = (ParamPathInfo *) lfirst(lc);

		ppi->ppi_rows = get_parameterized_baserel_size(root, rel,
													   ppi->ppi_clauses);
	}
	rel->pathlist = NIL;
	rel->partial_pathlist = NIL;

	if (RVD_TID_PATHS_FIRST && rvd_create_tidscan_paths(root, rel))
		return;
	add_path(rel, create_seqscan_path(root, rel, required_outer, 0));
	if (rel->consider_parallel && required_outer == NULL)
	{
		int			workers = compute_parallel_worker(rel, rel->pages, -1,
													  max_parallel_workers_per_gather);

		if (workers > 0)
			add_partial_path(rel, create_seqscan_path(root, rel, NULL,
													  workers));
	}
	create_index_paths(root, rel);
	if (!RVD_TID_PATHS_FIRST)
		(void) rvd_create_tidscan_paths(root, rel);
}

static void
scale_path_rows(List *paths, double factor)
{
	ListCell   *lc;

	foreach(lc, paths)
	{
		Path	   *path = (Path *) lfirst(lc);

		path->rows = clamp_row_est(path->rows * factor);
	}
}

static bool
has_foreign_hands(List *paths)
{
	ListCell   *lc;

	foreach(lc, paths)
	{
		if (IsA(lfirst(lc), CustomPath) || IsA(lfirst(lc), ForeignPath))
			return true;
	}
	return false;
}

static void
correct_one(RvdPlanning *p, PlannerInfo *root, Index rti)
{
	RelOptInfo *rel = root->simple_rel_array[rti];
	RangeTblEntry *rte = root->simple_rte_array[rti];
	double		old = rel->rows;
	RvdDecidedRows *d = rvd_planning_decide(p, root, rel->relids, old);

	if (d->target < 0 || fabs(d->target - old) <= SAME_ROWS * old)
		return;
	rel->rows = d->target;
	if (is_plain_table(rel, rte))
	{
		rvd_selectivity_push(root, rel, d->target);
		if (rel->pathlist != NIL && !has_foreign_hands(rel->pathlist))
		{
			rebuild_paths(root, rel);
			return;
		}
	}
	/* subqueries, CTEs, functions, appends: cost does not follow rows */
	scale_path_rows(rel->pathlist, d->target / old);
	scale_path_rows(rel->partial_pathlist, d->target / old);
}

/* ---- the hook's work ------------------------------------------------------ */

void
rvd_rows_correct_relation(RvdPlanning *p, PlannerInfo *root, RelOptInfo *rel,
						  Index rti, RangeTblEntry *rte)
{
	bool		sweep = !list_member_ptr(p->swept, root);
	RvdDecidedRows *d;
	ListCell   *lc;

	if (sweep)
	{
		MemoryContext old = MemoryContextSwitchTo(p->cxt);

		p->swept = lappend(p->swept, root);
		MemoryContextSwitchTo(old);
	}
	/* read the root's own figures before anything in it is touched */
	(void) rvd_planning_root(p, root);

	for (int i = 1; i < root->simple_rel_array_size && sweep; i++)
	{
		RelOptInfo *r = root->simple_rel_array[i];

		if (r != NULL && r->reloptkind == RELOPT_BASEREL && !IS_DUMMY_REL(r) &&
			rvd_planning_decided(p, root, r->relids) == NULL)
			correct_one(p, root, i);
	}
	if (rel->reloptkind != RELOPT_BASEREL || IS_DUMMY_REL(rel))
		return;
	if (is_plain_table(rel, rte))
		rvd_rows_correct_lookups(p, root, rel);

	/* an append's paths sum up its children's: give them the parent's rows */
	d = rvd_planning_decided(p, root, rel->relids);
	if (rte->inh && d && d->target >= 0)
		foreach(lc, rel->pathlist)
		{
			Path	   *path = (Path *) lfirst(lc);

			if (path->param_info == NULL)
				path->rows = d->target;
		}
}
