/*-------------------------------------------------------------------------
 *
 * scope.c
 *	  Which statements the user has let us see.  Layer 4.
 *
 * Walks the relations of one statement and works out the settings in force.
 * The usual case, everything known already, costs a hash probe per relation;
 * with the whole database enabled and no table on its own, the first one
 * settles it.
 *
 * Memory: nothing outlives the call but the cache of scope_cache.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/transam.h"
#include "nodes/nodeFuncs.h"

#include "scope_cache.h"
#include "ruvector_dag/settings.h"

/* State of a walk through one statement. */
typedef struct ScopeWalk
{
	bool		hit;			/* a relation that is enabled */
	int			depth;
	List	   *missing;		/* relations not resolved yet */
	RvdScopeConfig own;			/* overrides of the tables met */
} ScopeWalk;

static bool rvd_scope_walk_query(Query *query, ScopeWalk *walk);

/* Take one relation into account; true when nothing more need be looked at. */
static bool
rvd_scope_walk_relation(Oid relid, ScopeWalk *walk)
{
	const ScopeRelation *rel;

	if (relid < FirstNormalObjectId)
		return false;
	rel = rvd_scope_cache_lookup(relid);
	if (rel == NULL)
	{
		walk->missing = lappend_oid(walk->missing, relid);
		return false;
	}
	if (!rel->enabled)
		return false;
	walk->hit = true;
	if (rel->config.set != 0)
		rvd_scope_config_merge_careful(&walk->own, &rel->config);

	/* Only other tables' overrides could still change the answer. */
	return !rvd_scope_cache_has_tables();
}

static bool
rvd_scope_walk_expression(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return rvd_scope_walk_query((Query *) node, (ScopeWalk *) context);
	return expression_tree_walker(node, rvd_scope_walk_expression, context);
}

/* Range table, subqueries, CTEs; expressions only if they hold sublinks. */
static bool
rvd_scope_walk_query(Query *query, ScopeWalk *walk)
{
	bool		stop = false;
	ListCell   *lc;

	if (walk->depth >= SCOPE_MAX_DEPTH)
		return false;
	walk->depth++;
	foreach(lc, query->rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		if (rte->rtekind == RTE_RELATION)
			stop = rvd_scope_walk_relation(rte->relid, walk);
		else if (rte->rtekind == RTE_SUBQUERY)
			stop = rvd_scope_walk_query(rte->subquery, walk);
		if (stop)
			break;
	}
	foreach(lc, query->cteList)
	{
		CommonTableExpr *cte = lfirst_node(CommonTableExpr, lc);

		if (stop)
			break;
		if (IsA(cte->ctequery, Query))
			stop = rvd_scope_walk_query((Query *) cte->ctequery, walk);
	}
	if (!stop && query->hasSubLinks)
		stop = query_tree_walker(query, rvd_scope_walk_expression, walk,
								 QTW_IGNORE_RC_SUBQUERIES);
	walk->depth--;
	return stop;
}

/* Settings in force: the tables' over the database's over the session's. */
static void
rvd_scope_fill(RvdScope *scope, RvdScopeConfig *own)
{
	rvd_scope_config_inherit(own, rvd_scope_cache_whole_config());
	scope->mode = rvd_dag_mode;
	scope->min_cost = rvd_dag_min_cost;
	scope->trial_budget = rvd_dag_trial_budget;
	scope->regret_limit = rvd_dag_regret_limit;
	if (own->set == 0)
		return;
	if (own->set & (1U << RVD_SCOPE_MODE))
		scope->mode = (int) own->value[RVD_SCOPE_MODE];
	if (own->set & (1U << RVD_SCOPE_MIN_COST))
		scope->min_cost = own->value[RVD_SCOPE_MIN_COST];
	if (own->set & (1U << RVD_SCOPE_TRIAL_BUDGET))
		scope->trial_budget = own->value[RVD_SCOPE_TRIAL_BUDGET];
	if (own->set & (1U << RVD_SCOPE_REGRET_LIMIT))
		scope->regret_limit = own->value[RVD_SCOPE_REGRET_LIMIT];
}

static void
rvd_scope_walk_start(ScopeWalk *walk)
{
	walk->hit = false;
	walk->depth = 0;
	walk->missing = NIL;
	memset(&walk->own, 0, sizeof(walk->own));
}

/* Resolve what a walk met for the first time; false if there was nothing. */
static bool
rvd_scope_walk_again(ScopeWalk *walk)
{
	List	   *missing = walk->missing;

	if (missing == NIL || !rvd_scope_cache_resolve(missing))
		return false;
	rvd_scope_walk_start(walk);

	/* An invalidation in between may have emptied the cache again. */
	return rvd_scope_any();
}

bool
rvd_scope_of_query(Query *query, RvdScope *scope)
{
	ScopeWalk	walk;

	if (!rvd_scope_any())
		return false;
	rvd_scope_walk_start(&walk);
	rvd_scope_walk_query(query, &walk);
	if (rvd_scope_walk_again(&walk))
		rvd_scope_walk_query(query, &walk);
	if (walk.hit)
		rvd_scope_fill(scope, &walk.own);
	return walk.hit;
}

static void
walk_range_table(List *rtable, ScopeWalk *walk)
{
	ListCell   *lc;

	foreach(lc, rtable)
	{
		RangeTblEntry *rte = lfirst_node(RangeTblEntry, lc);

		if (rte->rtekind == RTE_RELATION &&
			rvd_scope_walk_relation(rte->relid, walk))
			break;
	}
}

bool
rvd_scope_of_plan(PlannedStmt *stmt, RvdScope *scope)
{
	ScopeWalk	walk;

	if (!rvd_scope_any())
		return false;
	rvd_scope_walk_start(&walk);
	walk_range_table(stmt->rtable, &walk);
	if (rvd_scope_walk_again(&walk))
		walk_range_table(stmt->rtable, &walk);
	if (walk.hit)
		rvd_scope_fill(scope, &walk.own);
	return walk.hit;
}
