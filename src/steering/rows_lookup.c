/*-------------------------------------------------------------------------
 *
 * rows_lookup.c
 *	  Learned rows per loop of parameterised lookups.
 *
 * Probes hit popular keys, so an inner index scan fetches more rows than the
 * average key has, and nothing in a join's size touches its cost.
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

#include "ruvector_dag/compat.h"
#include "ruvector_dag/planning.h"

/* Lookups are scaled only beyond a factor of two either way. */
#define SAME_LOOKUP			2.0

/* Equals of a lookup column considered: subsets of them are enumerated. */
#define MAX_EQUALS			4

/*
 * The outer columns a list of clauses compares the relation with.  Returns
 * how many; 0 where there are none, or too many.
 */
static int
clause_columns(RelOptInfo *rel, List *clauses, RvdColumn *out)
{
	int			n = 0;
	ListCell   *lc;
	ListCell   *lv;

	foreach(lc, clauses)
	{
		RestrictInfo *ri = lfirst_node(RestrictInfo, lc);

		foreach(lv, pull_var_clause((Node *) ri->clause,
									PVC_RECURSE_PLACEHOLDERS))
		{
			Var		   *v = (Var *) lfirst(lv);
			bool		seen = bms_is_member(v->varno, rel->relids);

			for (int i = 0; i < n; i++)
				seen |= out[i].rti == (Index) v->varno &&
					out[i].attno == v->varattno;
			if (seen)
				continue;
			if (n == RVD_LOOKUP_COLUMNS)
				return 0;
			out[n].rti = v->varno;
			out[n++].attno = v->varattno;
		}
	}
	return n;
}

static double
ask_lookup(RvdPlanning *p, RvdRoot *root, RelOptInfo *rel, double estimate,
		   const RvdColumn *columns, int n, bool fetched)
{
	RvdSubject	subject;

	if (!rvd_root_lookup_subject(root, rel->relid, columns, n, fetched,
								 &subject))
		return -1;
	return rvd_planning_lookup(p, &subject, log(Max(estimate, 1e-3)));
}

/*
 * Learned rows per loop for these columns, or -1.  With which of its equals
 * a single column will have been joined when it probes is not known yet: of
 * what was counted in any such company, the largest is taken.
 */
static double
lookup_rows(RvdPlanning *p, PlannerInfo *root, RelOptInfo *rel,
			RvdColumn *columns, int n, double estimate, bool fetched)
{
	RvdRoot    *r = rvd_planning_root(p, root);
	RvdColumn	equals[RVD_LOOKUP_COLUMNS];
	double		most;

	if (n == 0)
		return -1;
	most = ask_lookup(p, r, rel, estimate, columns, n, fetched);
	if (n > 1)
		return most;
	n = Min(rvd_root_equal_columns(r, rel->relid, columns[0], equals),
			MAX_EQUALS + 1);
	for (int subset = 1; subset < 1 << (n - 1); subset++)
	{
		int			m = 1;

		for (int i = 1; i < n; i++)
			if (subset & (1 << (i - 1)))
				columns[m++] = equals[i];
		most = Max(most, ask_lookup(p, r, rel, estimate, columns, m, fetched));
	}
	return most;
}

/*
 * What the path's index is expected to find per loop, and the columns it is
 * asked with; false for paths without a single index.
 */
static bool
index_fetch(RelOptInfo *rel, Path *path, double *rows, RvdColumn *columns,
			int *n)
{
	List	   *clauses = NIL;
	IndexPath  *index = NULL;
	ListCell   *lc;

	if (IsA(path, IndexPath))
		index = (IndexPath *) path;
	else if (IsA(path, BitmapHeapPath) &&
			 IsA(((BitmapHeapPath *) path)->bitmapqual, IndexPath))
		index = (IndexPath *) ((BitmapHeapPath *) path)->bitmapqual;
	if (index == NULL)
		return false;
	foreach(lc, index->indexclauses)
		clauses = lappend(clauses, lfirst_node(IndexClause, lc)->rinfo);
	*n = clause_columns(rel, clauses, columns);
	*rows = Max(index->indexselectivity * rel->tuples, 1.0);
	return *n > 0;
}

static bool
worth_scaling(double factor)
{
	return factor <= 1.0 / SAME_LOOKUP || factor >= SAME_LOOKUP;
}

/* Scale what a loop costs: by rows fetched, else by rows returned. */
static void
correct_path(RvdPlanning *p, PlannerInfo *root, RelOptInfo *rel, Path *path,
			 double returned)
{
	double		run = path->total_cost - path->startup_cost;
	double		expected = Max(path->rows, 1.0);
	double		counted = returned;
	double		factor;
	RvdColumn	columns[RVD_LOOKUP_COLUMNS];
	double		fetch;
	int			n;

	if (index_fetch(rel, path, &fetch, columns, &n))
	{
		double		fetched = lookup_rows(p, root, rel, columns, n, fetch, true);

		if (fetched >= 0)
		{
			counted = fetched;
			expected = fetch;
		}
	}
	if (counted >= 0)
	{
		factor = counted / expected;
		/* a lookup that finds nothing still descends the index once */
		if (worth_scaling(factor))
			path->total_cost = path->startup_cost +
				run * Max(factor, 1.0 / expected);
	}
	if (returned >= 0 && worth_scaling(returned / Max(path->rows, 1.0)))
		path->rows = clamp_row_est(returned);
}

/*
 * Probes hit popular keys, so a parameterised lookup fetches more rows than
 * the average key has.  Its estimate is never cached in a clause: scale rows
 * and run cost of the finished paths.
 */
void
rvd_rows_correct_lookups(RvdPlanning *p, PlannerInfo *root, RelOptInfo *rel)
{
	ListCell   *lc;
	ListCell   *lp;

	foreach(lc, rel->ppilist)
	{
		ParamPathInfo *ppi = (ParamPathInfo *) lfirst(lc);
		RvdColumn	columns[RVD_LOOKUP_COLUMNS];
		int			n = clause_columns(rel, ppi->ppi_clauses, columns);
		double		returned = lookup_rows(p, root, rel, columns, n,
										   ppi->ppi_rows, false);

		foreach(lp, rel->pathlist)
		{
			Path	   *path = (Path *) lfirst(lp);

			if (path->param_info == ppi &&
				(IsA(path, IndexPath) || IsA(path, BitmapHeapPath)))
				correct_path(p, root, rel, path, returned);
		}
		if (returned >= 0 && worth_scaling(returned / Max(ppi->ppi_rows, 1.0)))
			ppi->ppi_rows = clamp_row_est(returned);
	}
}
