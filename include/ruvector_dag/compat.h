/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  Differences between the PostgreSQL versions we build for.  Layer 2.
 *
 * The only file that may look at PG_VERSION_NUM (scripts/check-layers
 * enforces it).  Each wrapper names the upstream change, has the shape of
 * the newest version, and can be deleted when the older ones are dropped.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_COMPAT_H
#define RVD_COMPAT_H

#include "postgres.h"

#include <math.h>

#include "commands/explain.h"
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif
#include "executor/executor.h"
#include "nodes/pathnodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/planmain.h"
#include "pgstat.h"
#include "utils/guc.h"
#include "utils/timeout.h"
#if PG_VERSION_NUM >= 160000
#include "nodes/queryjumble.h"
#else
#include "utils/queryjumble.h"
#endif
/* SET_VARSIZE and the like left postgres.h in 16 (upstream d952373a987). */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#if PG_VERSION_NUM < 150000 || PG_VERSION_NUM >= 190000
#error "ruvector_dag needs PostgreSQL 15, 16, 17 or 18"
#endif

/*
 * ExecutorRun lost its argument execute_once in 18 (upstream 3eea7a0c97e).
 * Define a hook as
 *		static void rvd_ExecutorRun(RVD_EXECUTOR_RUN_PARAMS)
 * and pass on with
 *		prev_ExecutorRun(RVD_EXECUTOR_RUN_ARGS)
 */
#if PG_VERSION_NUM >= 180000
#define RVD_EXECUTOR_RUN_PARAMS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count
#define RVD_EXECUTOR_RUN_ARGS	queryDesc, direction, count
#else
#define RVD_EXECUTOR_RUN_PARAMS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count, \
	bool execute_once
#define RVD_EXECUTOR_RUN_ARGS	queryDesc, direction, count, execute_once
#endif

/* Run a QueryDesc of our own, once, to its end or to count rows. */
static inline void
rvd_executor_run_once(QueryDesc *queryDesc, uint64 count)
{
#if PG_VERSION_NUM >= 180000
	standard_ExecutorRun(queryDesc, ForwardScanDirection, count);
#else
	standard_ExecutorRun(queryDesc, ForwardScanDirection, count, true);
#endif
}

/* Rows processed are also summed over several runs since 16. */
static inline void
rvd_set_processed(EState *estate, uint64 rows)
{
	estate->es_processed = rows;
#if PG_VERSION_NUM >= 160000
	estate->es_total_processed = rows;
#endif
}

/*
 * Since 18 a query id knows a relation by its alias or name (the jumble of
 * RangeTblEntry.eref), no longer by its OID: statements on different tables
 * may share one.
 */
#if PG_VERSION_NUM >= 180000
#define RVD_QUERYID_BY_NAME	true
#else
#define RVD_QUERYID_BY_NAME	false
#endif

/*
 * Does a statement name that relation, or a view in it?  Partitions and other
 * children, which the planner adds, bear no permissions; those moved out of
 * the range table in 16 (upstream a61b1f74823).
 */
static inline bool
rvd_rte_is_named(const RangeTblEntry *rte)
{
#if PG_VERSION_NUM >= 160000
	return rte->perminfoindex != 0;
#else
	return rte->requiredPerms != 0;
#endif
}

/*
 * The planner's switches that 15 does not have: presorted aggregates in 16,
 * the order of GROUP BY in 17, the order of DISTINCT and self-joins in 18.
 */
static inline uint64
rvd_newer_planner_switches(void)
{
	uint64		bits = 0;

#if PG_VERSION_NUM >= 160000
	bits |= (uint64) enable_presorted_aggregate;
#endif
#if PG_VERSION_NUM >= 170000
	bits |= (uint64) enable_group_by_reordering << 1;
#endif
#if PG_VERSION_NUM >= 180000
	bits |= (uint64) enable_distinct_reordering << 2;
	bits |= (uint64) enable_self_join_elimination << 3;
#endif
	return bits;
}

/* Since 18 TID paths are made before the others, and may be all there are. */
#if PG_VERSION_NUM >= 180000
#define RVD_TID_PATHS_FIRST	true
#else
#define RVD_TID_PATHS_FIRST	false
#endif

/*
 * create_tidscan_paths answers since 18 whether the TID path is the only one
 * wanted (upstream e2225346229); before, index paths were always built too.
 */
static inline bool
rvd_create_tidscan_paths(PlannerInfo *root, RelOptInfo *rel)
{
#if PG_VERSION_NUM >= 180000
	return create_tidscan_paths(root, rel);
#else
	create_tidscan_paths(root, rel);
	return false;
#endif
}

/*
 * Right anti joins came in 16 (upstream 16dc2703c54), right semi joins in 18
 * (upstream aa86129e19d), which also moved the numbers of JoinType.
 */
static inline bool
rvd_is_right_anti_join(JoinType jointype)
{
#if PG_VERSION_NUM >= 160000
	return jointype == JOIN_RIGHT_ANTI;
#else
	return false;
#endif
}

static inline bool
rvd_is_right_semi_join(JoinType jointype)
{
#if PG_VERSION_NUM >= 180000
	return jointype == JOIN_RIGHT_SEMI;
#else
	return false;
#endif
}

/* MERGE keeps its join conditions apart since 17 (upstream 0294df2f1f8). */
static inline List *
rvd_merge_join_conditions(const ModifyTable *modify)
{
#if PG_VERSION_NUM >= 170000
	return modify->mergeJoinConditions;
#else
	return NIL;
#endif
}

/* The special join, if any, became an argument in 16 (2489d76c4906). */
static inline List *
rvd_join_implied_equalities(PlannerInfo *root, Relids join_relids,
							Relids outer_relids, RelOptInfo *inner_rel)
{
#if PG_VERSION_NUM >= 160000
	return generate_join_implied_equalities(root, join_relids, outer_relids,
											inner_rel, NULL);
#else
	return generate_join_implied_equalities(root, join_relids, outer_relids,
											inner_rel);
#endif
}

/* All there is to join in a query level, outer joins included since 16. */
static inline bool
rvd_is_top_join(PlannerInfo *root, RelOptInfo *rel)
{
#if PG_VERSION_NUM >= 160000
	return bms_equal(rel->relids, root->all_query_rels);
#else
	return bms_equal(rel->relids, root->all_baserels);
#endif
}

/*
 * Inputs of a set operation or recursive union, if the path is one; *right is
 * NULL where there is one input only, as EXCEPT had before 18 (upstream
 * 27627929528).
 */
static inline bool
rvd_set_operation_inputs(Path *path, Path **left, Path **right)
{
	*right = NULL;
	if (IsA(path, RecursiveUnionPath))
	{
		*left = ((RecursiveUnionPath *) path)->leftpath;
		*right = ((RecursiveUnionPath *) path)->rightpath;
		return true;
	}
	if (!IsA(path, SetOpPath))
		return false;
#if PG_VERSION_NUM >= 180000
	*left = ((SetOpPath *) path)->leftpath;
	*right = ((SetOpPath *) path)->rightpath;
#else
	*left = ((SetOpPath *) path)->subpath;
#endif
	return true;
}

/*
 * What is grouped by, without redundant columns since 16 (upstream
 * 8d83a5d0a26).
 */
static inline List *
rvd_grouping_clause(PlannerInfo *root, bool distinct)
{
#if PG_VERSION_NUM >= 160000
	return distinct ? root->processed_distinctClause :
		root->processed_groupClause;
#else
	return distinct ? root->parse->distinctClause : root->parse->groupClause;
#endif
}

/* A SpecialJoinInfo for a plain inner join, as selectivity estimators want it. */
static inline void
rvd_init_inner_sjinfo(SpecialJoinInfo *sj, Relids left, Relids right)
{
	memset(sj, 0, sizeof(*sj));
	sj->type = T_SpecialJoinInfo;
	sj->min_lefthand = left;
	sj->min_righthand = right;
	sj->syn_lefthand = left;
	sj->syn_righthand = right;
	sj->jointype = JOIN_INNER;
}

/* When the statement will be timed out; 0: never.  17 can time transactions. */
static inline TimestampTz
rvd_statement_deadline(void)
{
	TimestampTz deadline = 0;

	if (get_timeout_active(STATEMENT_TIMEOUT))
		deadline = get_timeout_finish_time(STATEMENT_TIMEOUT);
#if PG_VERSION_NUM >= 170000
	if (get_timeout_active(TRANSACTION_TIMEOUT) &&
		(deadline == 0 ||
		 get_timeout_finish_time(TRANSACTION_TIMEOUT) < deadline))
		deadline = get_timeout_finish_time(TRANSACTION_TIMEOUT);
#endif
	return deadline;
}

/*
 * Before 18 (upstream e22253467942) a method that is switched off but cannot be
 * done without costs disable_cost more each time; what is left is the cost.
 */
static inline double
rvd_cost_without_disabled(Cost cost)
{
#if PG_VERSION_NUM >= 180000
	return cost;
#else
	return cost >= disable_cost ? fmod(cost, disable_cost) : cost;
#endif
}

/* Times of the last ANALYZE were renamed in 16 (upstream a9c70b46dbe). */
#if PG_VERSION_NUM >= 160000
#define rvd_analyze_time(stats)		((stats)->last_analyze_time)
#define rvd_autoanalyze_time(stats)	((stats)->last_autoanalyze_time)
#else
#define rvd_analyze_time(stats)		((stats)->analyze_timestamp)
#define rvd_autoanalyze_time(stats)	((stats)->autovac_analyze_timestamp)
#endif

/* Memory for a setting's extra: the server frees it; its own call since 16. */
static inline void *
rvd_guc_extra(size_t size)
{
#if PG_VERSION_NUM >= 160000
	return guc_malloc(LOG, size);
#else
	return malloc(size);
#endif
}

/*
 * Raise unless the caller may run a plan, as the executor's start would; what
 * is checked moved out of the range table in 16 (upstream a61b1f74823).
 */
static inline void
rvd_check_permissions(const PlannedStmt *stmt)
{
#if PG_VERSION_NUM >= 160000
	(void) ExecCheckPermissions(stmt->rtable, stmt->permInfos, true);
#else
	(void) ExecCheckRTPerms(stmt->rtable, true);
#endif
}

/*
 * EXPLAIN calls whoever wants to add to a plan since 18 (upstream
 * 4fd02bf7cf9).  False, and nothing is installed, where it does not.
 */
typedef void (*rvd_per_plan_hook_type) (PlannedStmt *stmt, IntoClause *into,
										struct ExplainState *es,
										const char *text,
										ParamListInfo params,
										QueryEnvironment *env);

static inline bool
rvd_install_per_plan_hook(rvd_per_plan_hook_type hook,
						  rvd_per_plan_hook_type *previous)
{
#if PG_VERSION_NUM >= 180000
	*previous = explain_per_plan_hook;
	explain_per_plan_hook = hook;
	return true;
#else
	return false;
#endif
}

#endif							/* RVD_COMPAT_H */
