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
 * The outer columns whose values a parameterised path is looked up with.
 * Returns how many; 0 where there are none, or too many.
 */
static int
lookup_columns(RelOptInfo *rel, ParamPathInfo *ppi, RvdColumn *out)
{
	int			n = 0;
	ListCell   *lc;
	ListCell   *lv;

	foreach(lc, ppi->ppi_clauses)
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
		   const RvdColumn *columns, int n)
{
	RvdSubject	subject;

	if (!rvd_root_lookup_subject(root, rel->relid, columns, n, &subject))
		return -1;
	return rvd_planning_lookup(p, &subject, log(Max(estimate, 1e-3)));
}

/*
 * Learned rows per loop for this parameterisation, or -1.  With which of its
 * equals the column will have been joined when it probes is not known yet:
 * of what was counted in any such company, the largest is taken.
 */
static double
lookup_rows(RvdPlanning *p, PlannerInfo *root, RelOptInfo *rel,
			ParamPathInfo *ppi)
{
	RvdRoot    *r = rvd_planning_root(p, root);
	RvdColumn	columns[RVD_LOOKUP_COLUMNS];
	RvdColumn	equals[RVD_LOOKUP_COLUMNS];
	int			n = lookup_columns(rel, ppi, columns);
	double		most;

	if (n == 0)
		return -1;
	most = ask_lookup(p, r, rel, ppi->ppi_rows, columns, n);
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
		most = Max(most, ask_lookup(p, r, rel, ppi->ppi_rows, columns, m));
	}
	return most;
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

	foreach(lc, rel->ppilist)
	{
		ParamPathInfo *ppi = (ParamPathInfo *) lfirst(lc);
		double		learned = lookup_rows(p, root, rel, ppi);
		double		factor;
		ListCell   *lp;

		if (learned < 0)
			continue;
		factor = learned / Max(ppi->ppi_rows, 1.0);
		if (factor > 1.0 / SAME_LOOKUP && factor < SAME_LOOKUP)
			continue;
		p->corrections++;
		foreach(lp, rel->pathlist)
		{
			Path	   *path = (Path *) lfirst(lp);
			double		run = path->total_cost - path->startup_cost;

			if (path->param_info != ppi ||
				!(IsA(path, IndexPath) || IsA(path, BitmapHeapPath)))
				continue;
			/* a lookup that finds nothing still descends the index once */
			path->total_cost = path->startup_cost +
				run * Max(factor, Min(1.0, 1.0 / Max(path->rows, 1.0)));
			path->rows = clamp_row_est(learned);
		}
		ppi->ppi_rows = clamp_row_est(learned);
	}
}
