/*-------------------------------------------------------------------------
 *
 * rows_join.c
 *	  Learned rows of joins on a stock planner.
 *
 * Pairs, before the join search: the cached selectivity of one join clause
 * is set so that the pair's product comes out right; supersets and the costs
 * of hash and merge joins follow by themselves.  Larger sets, in the path
 * hook: the join relation's rows are set and, while all its paths come from
 * the pair at hand, they are thrown away and built again.
 *
 * Sets that were never counted take over what is known of their parts
 * ("cover"), and pairs never counted the mean error of those that were
 * ("inflate"), so that the planner does not flee from what is known to be
 * large to what is merely not known (design page "algorithms" 12.4; Markl et
 * al., VLDB Journal 2007).
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

#include "ruvector_dag/compat.h"
#include "ruvector_dag/planning.h"
#include "ruvector_dag/settings.h"

#define SAME_ROWS			0.05
#define SAME_KNOWN_ROWS		1e-6	/* what float keeps */
#define MAX_MEAN_ERROR		3.4	/* ln 30 */

/* ---- pairs ---------------------------------------------------------------- */

typedef struct Edge
{
	RelOptInfo *a;
	RelOptInfo *b;
	Relids		both;
	RestrictInfo *clause;		/* whose selectivity is set */
	double		others;			/* selectivity of the remaining clauses */
	double		estimate;
	RvdDecidedRows *decided;
} Edge;

/* Outer, semi and anti joins are not the product of two selectivities. */
static bool
inside_special_join(PlannerInfo *root, Relids both)
{
	ListCell   *lc;

	foreach(lc, root->join_info_list)
	{
		if (bms_overlap(((SpecialJoinInfo *) lfirst(lc))->min_righthand, both))
			return true;
	}
	return false;
}

static List *
pair_clauses(PlannerInfo *root, RelOptInfo *a, RelOptInfo *b, Relids both)
{
	List	   *clauses = rvd_join_implied_equalities(root, both, a->relids, b);
	ListCell   *lc;

	foreach(lc, a->joininfo)
	{
		RestrictInfo *ri = lfirst_node(RestrictInfo, lc);

		if (bms_is_subset(ri->required_relids, both) &&
			bms_overlap(ri->required_relids, b->relids) &&
			!ri->pseudoconstant)
			clauses = lappend(clauses, ri);
	}
	return clauses;
}

static bool
measure_edge(PlannerInfo *root, RelOptInfo *a, RelOptInfo *b, Edge *e)
{
	SpecialJoinInfo sj;
	double		selectivity = 1.0;
	List	   *clauses;
	ListCell   *lc;

	memset(e, 0, sizeof(*e));
	e->a = a;
	e->b = b;
	e->both = bms_union(a->relids, b->relids);
	if (inside_special_join(root, e->both))
		return false;
	clauses = pair_clauses(root, a, b, e->both);
	if (clauses == NIL)
		return false;

	rvd_init_inner_sjinfo(&sj, a->relids, b->relids);
	e->others = 1.0;
	foreach(lc, clauses)
	{
		RestrictInfo *ri = lfirst_node(RestrictInfo, lc);
		double		s = clause_selectivity(root, (Node *) ri, 0, JOIN_INNER,
										   &sj);

		selectivity *= s;
		if (e->clause == NULL && ri->norm_selec >= 0 && ri->norm_selec <= 1)
			e->clause = ri;
		else
			e->others *= s;
	}
	e->estimate = clamp_row_est(a->rows * b->rows * selectivity);
	return e->clause != NULL;
}

/* A matched foreign key would bypass the clause's selectivity. */
static void
forget_foreign_keys(PlannerInfo *root, Relids both)
{
	List	   *keep = NIL;
	ListCell   *lc;

	foreach(lc, root->fkey_list)
	{
		ForeignKeyOptInfo *fk = (ForeignKeyOptInfo *) lfirst(lc);

		if (!(bms_is_member(fk->con_relid, both) &&
			  bms_is_member(fk->ref_relid, both)))
			keep = lappend(keep, fk);
	}
	root->fkey_list = keep;
}

static void
set_edge(PlannerInfo *root, Edge *e, double rows)
{
	double		selectivity = rows / (e->a->rows * e->b->rows * e->others);

	e->clause->norm_selec = Max(Min(1.0, selectivity), 1e-12);
	forget_foreign_keys(root, e->both);
}

void
rvd_rows_correct_pairs(RvdPlanning *p, PlannerInfo *root, List *initial_rels)
{
	int			n = list_length(initial_rels);
	Edge	   *edges = palloc(sizeof(Edge) * Max(n * (n - 1) / 2, 1));
	int			n_edges = 0;
	double		usual;
	double		inflate;
	ListCell   *la;
	ListCell   *lb;

	foreach(la, initial_rels)
		for_each_cell(lb, initial_rels, lnext(initial_rels, la))
	{
		if (measure_edge(root, lfirst(la), lfirst(lb), &edges[n_edges]))
			n_edges++;
	}

	for (int i = 0; i < n_edges; i++)
	{
		Edge	   *e = &edges[i];

		e->decided = rvd_planning_decide(p, root, e->both, e->estimate);
		if (e->decided->target < 0)
			continue;
		p->join_error_sum += log(e->decided->target / e->estimate);
		p->join_error_n++;
	}
	usual = rvd_planning_usual_error(p);
	inflate = (p->join_error_sum + usual) /
		Max(p->join_error_n + (usual > 0 ? 1 : 0), 1);
	inflate = Max(0, Min(inflate, MAX_MEAN_ERROR));

	for (int i = 0; i < n_edges; i++)
	{
		Edge	   *e = &edges[i];

		if (e->decided->target >= 0)
		{
			e->decided->flows = true;
			set_edge(root, e, e->decided->target);
		}
		else if (inflate > 0)
			set_edge(root, e, e->estimate * exp(inflate));
	}
	pfree(edges);
}

/* ---- larger sets ---------------------------------------------------------- */

static bool
only_from_pair(List *paths, RelOptInfo *outer, RelOptInfo *inner)
{
	ListCell   *lc;

	foreach(lc, paths)
	{
		JoinPath   *path = (JoinPath *) lfirst(lc);

		if (!(IsA(path, NestPath) || IsA(path, MergePath) ||
			  IsA(path, HashPath)))
			return false;
		if (path->outerjoinpath->parent != outer ||
			path->innerjoinpath->parent != inner)
			return false;
	}
	return true;
}

/*
 * Nobody counted this set.  Known parts that lie across the pair it is built
 * from (parts inside one side are already in that side's rows) hand down
 * their corrections: disjoint ones, largest first.
 */
static double
cover(RvdPlanning *p, PlannerInfo *root, Relids relids, Relids outer,
	  Relids inner)
{
	double		factor = 1.0;
	Relids		covered = NULL;
	ListCell   *lc;

	for (int size = bms_num_members(relids) - 1; size >= 2; size--)
		foreach(lc, p->decided_list)
		{
			RvdDecidedRows *d = (RvdDecidedRows *) lfirst(lc);

			if (d->root != root || d->target < 0 || d->flows ||
				bms_num_members(d->relids) != size ||
				!bms_is_subset(d->relids, relids) ||
				bms_is_subset(d->relids, outer) ||
				bms_is_subset(d->relids, inner) ||
				bms_overlap(d->relids, covered))
				continue;
			factor *= d->target / Max(d->estimate, 1.0);
			covered = bms_add_members(covered, d->relids);
		}
	bms_free(covered);
	return factor;
}

static double
decide_join(RvdPlanning *p, PlannerInfo *root, RelOptInfo *joinrel,
			RelOptInfo *outerrel, RelOptInfo *innerrel)
{
	int			before = list_length(p->decided_list);
	RvdDecidedRows *d = rvd_planning_decide(p, root, joinrel->relids,
											joinrel->rows);
	double		factor;

	if (list_length(p->decided_list) > before)
	{
		if (d->target < 0 && rvd_debug_row_factor_seed == 0)
		{
			factor = cover(p, root, joinrel->relids, outerrel->relids,
						   innerrel->relids);
			if (factor < 1 - SAME_ROWS || factor > 1 + SAME_ROWS)
			{
				d->target = clamp_row_est(joinrel->rows * factor);
				d->flows = true;	/* its parts say the same */
			}
		}
		/* no join has more rows than its product */
		if (d->target >= 0)
			d->target = Min(d->target,
							clamp_row_est(outerrel->rows * innerrel->rows));
	}
	if (p->known_rows > 0)
		d->known = clamp_row_est(p->known_rows);
	return d->known > 0 ? d->known : d->target;
}

/* A partitionwise piece follows the factor of the whole. */
static double
decide_child_join(RvdPlanning *p, PlannerInfo *root, RelOptInfo *joinrel)
{
	Relids		whole = bms_intersect(joinrel->top_parent_relids,
									  root->all_baserels);
	RvdDecidedRows *parent = rvd_planning_decided(p, root, whole);
	RvdDecidedRows *d;
	double		rows;

	bms_free(whole);
	if (parent == NULL || parent->estimate <= 0)
		return -1;
	rows = parent->known > 0 ? parent->known : parent->target;
	if (rows < 0)
		return -1;
	d = rvd_planning_decided(p, root, joinrel->relids);
	if (d == NULL)
		d = rvd_planning_add(p, root, joinrel->relids, joinrel->rows,
							 clamp_row_est(joinrel->rows * rows /
										   parent->estimate));
	return d->target;
}

static void
scale_join_paths(List *paths, double factor)
{
	ListCell   *lc;

	foreach(lc, paths)
	{
		Path	   *path = (Path *) lfirst(lc);

		path->rows = clamp_row_est(path->rows * factor);
	}
}

static void
rebuild_join_paths(RvdPlanning *p, PlannerInfo *root, RelOptInfo *joinrel,
				   RelOptInfo *outerrel, RelOptInfo *innerrel,
				   JoinType jointype, JoinPathExtraData *extra)
{
	joinrel->pathlist = NIL;
	joinrel->partial_pathlist = NIL;
	p->rebuilding++;
	PG_TRY();
	{
		add_paths_to_joinrel(root, joinrel, outerrel, innerrel, jointype,
							 extra->sjinfo, extra->restrictlist);
	}
	PG_FINALLY();
	{
		p->rebuilding--;
	}
	PG_END_TRY();
}

void
rvd_rows_correct_join(RvdPlanning *p, PlannerInfo *root, RelOptInfo *joinrel,
					  RelOptInfo *outerrel, RelOptInfo *innerrel,
					  JoinType jointype, JoinPathExtraData *extra)
{
	double		old = joinrel->rows;
	double		target;
	ListCell   *lc;

	if (p->rebuilding > 0 || IS_DUMMY_REL(joinrel))
		return;
	target = joinrel->reloptkind == RELOPT_OTHER_JOINREL ?
		decide_child_join(p, root, joinrel) :
		decide_join(p, root, joinrel, outerrel, innerrel);
	if (target < 0 || fabs(target - old) <=
		(p->known_rows > 0 ? SAME_KNOWN_ROWS : SAME_ROWS) * old)
		return;

	joinrel->rows = target;
	foreach(lc, joinrel->ppilist)
	{
		ParamPathInfo *ppi = (ParamPathInfo *) lfirst(lc);

		ppi->ppi_rows = clamp_row_est(Min(ppi->ppi_rows * target / old,
										  target));
	}
	if (only_from_pair(joinrel->pathlist, outerrel, innerrel) &&
		only_from_pair(joinrel->partial_pathlist, outerrel, innerrel))
		rebuild_join_paths(p, root, joinrel, outerrel, innerrel, jointype,
						   extra);
	else
	{
		scale_join_paths(joinrel->pathlist, target / old);
		scale_join_paths(joinrel->partial_pathlist, target / old);
	}
}
