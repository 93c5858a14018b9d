/*-------------------------------------------------------------------------
 *
 * selectivity.c
 *	  Make the clauses of a relation multiply out to a wanted row count.
 *
 * A path's cost does not follow its relation's rows: index cost estimators
 * read the clauses' cached selectivity (RestrictInfo.norm_selec), so the
 * figure is written there.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_statistic_ext.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/planning.h"

#define MIN_SELECTIVITY		1e-12

/* A clause that lets more through is taken to let this much through. */
#define MOVABLE				0.9

/* Is there an index that this clause could use on its leading column? */
static bool
clause_has_index(RelOptInfo *rel, RestrictInfo *ri)
{
	ListCell   *lc;
	ListCell   *la;

	if (!is_opclause(ri->clause))
		return false;
	foreach(lc, rel->indexlist)
	{
		foreach(la, ((OpExpr *) ri->clause)->args)
		{
			if (match_index_to_operand((Node *) lfirst(la), 0,
									   (IndexOptInfo *) lfirst(lc)))
				return true;
		}
	}
	return false;
}

static bool
clause_is_plain(RestrictInfo *ri)
{
	return !ri->pseudoconstant && ri->norm_selec >= 0 && ri->norm_selec <= 1;
}

/*
 * Extended statistics would be used instead of the cached selectivities.
 * Keep those that speak of distinct values: grouping needs them.
 */
static void
drop_clause_statistics(RelOptInfo *rel)
{
	List	   *keep = NIL;
	ListCell   *lc;

	foreach(lc, rel->statlist)
	{
		if (((StatisticExtInfo *) lfirst(lc))->kind == STATS_EXT_NDISTINCT)
			keep = lappend(keep, lfirst(lc));
	}
	rel->statlist = keep;
}

/*
 * The product of n selectivities is too low (correlated columns): raise them
 * towards 1, those without an index first and the least selective first, so
 * that an index on the selective column keeps its own, statistics-backed
 * cost.
 */
static void
raise_selectivities(RelOptInfo *rel, double *s, double need)
{
	int			n = list_length(rel->baserestrictinfo);
	bool	   *indexed = palloc(sizeof(bool) * n);
	ListCell   *lc;

	foreach(lc, rel->baserestrictinfo)
		indexed[foreach_current_index(lc)] =
			clause_has_index(rel, lfirst_node(RestrictInfo, lc));

	while (need > 1.0001)
	{
		int			best = -1;
		double		by;

		for (int i = 0; i < n; i++)
			if (s[i] < 1.0 &&
				(best < 0 || indexed[i] < indexed[best] ||
				 (indexed[i] == indexed[best] && s[i] > s[best])))
				best = i;
		if (best < 0)
			break;
		by = Min(need, 1.0 / s[best]);
		s[best] = Min(1.0, s[best] * by);
		need /= by;
	}
	foreach(lc, rel->baserestrictinfo)
		lfirst_node(RestrictInfo, lc)->norm_selec = s[foreach_current_index(lc)];
}

/* Otherwise: one exponent over all clauses, found by bisection. */
static void
bend_selectivities(PlannerInfo *root, RelOptInfo *rel, const double *s,
				   double want)
{
	double		lo = 0.0;
	double		hi = 512.0;
	ListCell   *lc;

	for (int step = 0; step < 50; step++)
	{
		double		exponent = (lo + hi) / 2;
		double		got;

		foreach(lc, rel->baserestrictinfo)
		{
			RestrictInfo *ri = lfirst_node(RestrictInfo, lc);
			double		v = Max(s[foreach_current_index(lc)], 1e-9);

			if (ri->pseudoconstant || ri->norm_selec > 1)
				continue;
			/* 1, and what is next to it, cannot be moved by an exponent */
			if (want < MOVABLE)
				v = Min(v, MOVABLE);
			ri->norm_selec = pow(v, exponent);
		}
		got = clauselist_selectivity(root, rel->baserestrictinfo, 0,
									 JOIN_INNER, NULL);
		if (fabs(got - want) < 1e-3 * want)
			break;
		if (got > want)
			lo = exponent;
		else
			hi = exponent;
	}
}

void
rvd_selectivity_push(PlannerInfo *root, RelOptInfo *rel, double target)
{
	double		want;
	double		product = 1.0;
	bool		plain = true;
	double	   *s;
	ListCell   *lc;

	if (rel->tuples <= 0)
		return;
	want = target / rel->tuples;
	if (rel->baserestrictinfo == NIL || want > 1.0)
	{
		rel->tuples = target;	/* the size of the table itself is wrong */
		want = 1.0;
	}
	if (rel->baserestrictinfo == NIL)
		return;
	want = Max(want, MIN_SELECTIVITY);
	drop_clause_statistics(rel);

	s = palloc(sizeof(double) * list_length(rel->baserestrictinfo));
	foreach(lc, rel->baserestrictinfo)
	{
		RestrictInfo *ri = lfirst_node(RestrictInfo, lc);
		double		v = clause_selectivity(root, (Node *) ri, 0, JOIN_INNER,
										   NULL);

		s[foreach_current_index(lc)] = v;
		product *= v;
		if (!clause_is_plain(ri))
			plain = false;
	}
	if (plain && product > 0 && want > product &&
		fabs(product - clauselist_selectivity(root, rel->baserestrictinfo, 0,
											  JOIN_INNER, NULL)) <=
		0.01 * product)
		raise_selectivities(rel, s, want / product);
	else
		bend_selectivities(root, rel, s, want);
	pfree(s);
}
