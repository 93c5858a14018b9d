/*-------------------------------------------------------------------------
 *
 * rows_base.c
 *	  Learned rows of base relations and of parameterised lookups, on a
 *	  stock planner.
 *
 * Order of events in the server, per root: sizes of all base relations, then
 * per relation its paths, set_rel_pathlist_hook, gather, set_cheapest.  So
 * the first hook call of a root finds every size in place and corrects all
 * of them in one sweep; relations whose paths come later need nothing else,
 * only the one being hooked has its paths rebuilt.
 *
 * The row count alone does not move an index path's cost: the same figure
 * must stand in the clauses' cached selectivity (RestrictInfo.norm_selec),
 * which the index cost estimators read.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_class.h"
#include "catalog/pg_statistic_ext.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/planning.h"

#define MIN_SELECTIVITY		1e-12

/* Corrections closer to the estimate than this are not worth a rebuild. */
#define SAME_ROWS			0.05

/* Lookups are scaled only beyond a factor of two either way. */
#define SAME_LOOKUP			2.0

/* Equals of a lookup column considered: subsets of them are enumerated. */
#define MAX_EQUALS			4

/* ---- selectivity -------------------------------------------------------- */

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
	double		hi = 64.0;
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
			/* 1 cannot be moved by an exponent */
			if (v > 0.999999 && want < 0.999)
				v = 0.999999;
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

/*
 * Make the relation's clauses multiply out to target rows, so that index
 * costs and everything else derived from them follow.
 */
static void
push_selectivity(PlannerInfo *root, RelOptInfo *rel, double target)
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
	p->corrections++;
	if (is_plain_table(rel, rte))
	{
		push_selectivity(root, rel, d->target);
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

/* ---- parameterised lookups ---------------------------------------------- */

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
static void
correct_lookups(RvdPlanning *p, PlannerInfo *root, RelOptInfo *rel)
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

/* ---- the hook's work ------------------------------------------------------ */

void
rvd_rows_correct_relation(RvdPlanning *p, PlannerInfo *root, RelOptInfo *rel,
						  Index rti, RangeTblEntry *rte)
{
	RvdDecidedRows *d;
	ListCell   *lc;

	/* read the root's own figures before anything in it is touched */
	(void) rvd_planning_root(p, root);

	for (int i = 1; i < root->simple_rel_array_size; i++)
	{
		RelOptInfo *r = root->simple_rel_array[i];

		if (r != NULL && r->reloptkind == RELOPT_BASEREL && !IS_DUMMY_REL(r) &&
			rvd_planning_decided(p, root, r->relids) == NULL)
			correct_one(p, root, i);
	}
	if (rel->reloptkind != RELOPT_BASEREL || IS_DUMMY_REL(rel))
		return;
	if (is_plain_table(rel, rte))
		correct_lookups(p, root, rel);

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
