/*-------------------------------------------------------------------------
 *
 * plan_text.c
 *	  The plan of a statement given as text.
 *
 * The text goes through the server's parser alone and becomes part of no
 * other statement.  Privileges are checked as the executor would, because
 * row counts and costs of a plan tell about rows that the caller might not be
 * allowed to read.  The extension's planner hook takes it for an EXPLAIN:
 * what steering would choose is shown, nothing is tried or counted.
 *
 * Errors that point into the text are turned into errors of an internal
 * query, so that no client looks for the place in the statement around.
 *
 * Memory: CurrentMemoryContext.  Locks on relations are kept until the end of
 * the transaction, as by EXPLAIN.  Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "optimizer/planner.h"
#include "parser/analyze.h"
#include "parser/parse_node.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"

#include "ruvector_dag/compat.h"
#include "ruvector_dag/hooks.h"
#include "ruvector_dag/plan_dag.h"
#include "ruvector_dag/planning.h"
#include "ruvector_dag/settings.h"
#include "ruvector_dag/trial.h"

#include "plan_text.h"

static void
point_into_text(void *arg)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery((const char *) arg);
	}
	else
		errcontext("statement to be planned: \"%s\"", (const char *) arg);
}

static Node *
refuse_parameter(ParseState *pstate, ParamRef *pref)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_PARAMETER),
			 errmsg("the statement has a parameter $%d", pref->number),
			 errdetail("Its value is not known here, and the plan depends on it."),
			 errhint("Write a constant in its place."),
			 parser_errposition(pstate, pref->location)));
	return NULL;
}

static void
refuse_parameters(ParseState *pstate, void *arg)
{
	pstate->p_paramref_hook = refuse_parameter;
}

static void
refuse_command(Node *stmt)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s has no plan to look at", CreateCommandName(stmt)),
			 errhint("Give a SELECT, INSERT, UPDATE, DELETE, MERGE or VALUES statement itself, without EXPLAIN, DECLARE, PREPARE or INTO.")));
}

/* The only statement of the text, if it is of a kind that has a plan. */
static RawStmt *
parse_one(const char *query)
{
	List	   *parsed = pg_parse_query(query);
	RawStmt    *raw;

	if (list_length(parsed) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 parsed == NIL ? errmsg("there is no statement in the text") :
				 errmsg("there are %d statements in the text",
						list_length(parsed)),
				 errhint("Give exactly one statement.")));
	raw = linitial_node(RawStmt, parsed);
	switch (nodeTag(raw->stmt))
	{
		case T_SelectStmt:
		case T_InsertStmt:
		case T_UpdateStmt:
		case T_DeleteStmt:
		case T_MergeStmt:
			break;
		default:
			refuse_command(raw->stmt);
	}
	return raw;
}

static Query *
analyze_one(const char *query)
{
	Query	   *parsed = parse_analyze_withcb(parse_one(query), query,
											  refuse_parameters, NULL, NULL);
	List	   *rewritten;

	if (parsed->commandType == CMD_UTILITY)
		refuse_command(parsed->utilityStmt);	/* SELECT INTO */
	rewritten = pg_rewrite_query(parsed);
	if (list_length(rewritten) != 1 ||
		linitial_node(Query, rewritten)->commandType == CMD_UTILITY)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a rule replaces the statement by %d others",
						list_length(rewritten)),
				 errhint("Give a statement on a table without such rules.")));
	return linitial_node(Query, rewritten);
}

/* ---- three ways to plan it -------------------------------------------------- */

typedef PlannedStmt *(*PlanFunction) (Query *query, const char *text);

/* As a run of it would be: what steering would choose, but nothing tried. */
static PlannedStmt *
plan_looking(Query *query, const char *text)
{
	PlannedStmt *volatile stmt = NULL;
	int			saved = rvd_looking_begin();

	PG_TRY();
	{
		stmt = pg_plan_query(query, text, CURSOR_OPT_PARALLEL_OK, NULL);
	}
	PG_FINALLY();
	{
		rvd_looking_end(saved);
	}
	PG_END_TRY();
	return stmt;
}

static PlannedStmt *
plan_stock(Query *query, const char *text)
{
	PlannedStmt *volatile stmt = NULL;
	bool		saved = rvd_neural_dag_enabled;

	rvd_neural_dag_enabled = false;
	PG_TRY();
	{
		stmt = pg_plan_query(query, text, CURSOR_OPT_PARALLEL_OK, NULL);
	}
	PG_FINALLY();
	{
		rvd_neural_dag_enabled = saved;
	}
	PG_END_TRY();
	return stmt;
}

/* Below the planner's hook, which knows no such wish. */
static PlannedStmt *
plan_learned(Query *query, const char *text)
{
	PlannedStmt *volatile stmt = NULL;
	RvdMemo    *memo = palloc(sizeof(RvdMemo));
	RvdPlanning run;

	rvd_planning_begin(&run, RVD_PLAN_LEARNED, NULL, memo);
	PG_TRY();
	{
		stmt = standard_planner(query, text, CURSOR_OPT_PARALLEL_OK, NULL);
	}
	PG_FINALLY();
	{
		rvd_planning_end(&run);
	}
	PG_END_TRY();
	return memo->n > 0 ? stmt : NULL;
}

static void
begin_text(ErrorContextCallback *callback, const char *query)
{
	callback->callback = point_into_text;
	callback->arg = unconstify(char *, query);
	callback->previous = error_context_stack;
	error_context_stack = callback;
}

static PlannedStmt *
plan_text(const char *query, PlanFunction plan)
{
	ErrorContextCallback callback;
	PlannedStmt *stmt;

	begin_text(&callback, query);
	stmt = plan(analyze_one(query), query);
	if (stmt != NULL)
		rvd_check_permissions(stmt);

	error_context_stack = callback.previous;
	return stmt;
}

PlannedStmt *
rvd_sql_plan_text(const char *query)
{
	return plan_text(query, plan_looking);
}

PlannedStmt *
rvd_sql_plan_text_stock(const char *query)
{
	return plan_text(query, plan_stock);
}

PlannedStmt *
rvd_sql_plan_text_learned(const char *query)
{
	return plan_text(query, plan_learned);
}

bool
rvd_sql_decide_text(const char *query, RvdScope *scope, RvdDecision *d,
					bool *may_explore)
{
	ErrorContextCallback callback;
	Query	   *analyzed;
	bool		in_scope;

	begin_text(&callback, query);
	analyzed = analyze_one(query);
	error_context_stack = callback.previous;

	memset(d, 0, sizeof(*d));
	d->queryid = (int64) analyzed->queryId;
	in_scope = rvd_scope_any() && rvd_scope_of_query(analyzed, scope);
	if (in_scope && analyzed->queryId != 0)
		rvd_decide(analyzed, NULL, scope, d);
	*may_explore = d->action == RVD_ACT_EXPLORE &&
		scope->mode == RVD_MODE_AUTO && d->reference_ms > 0 &&
		rvd_trial_query_allowed(analyzed, CURSOR_OPT_PARALLEL_OK);
	return in_scope;
}

void
rvd_sql_plan_dag(PlannedStmt *stmt, RvdDag *dag)
{
	switch (rvd_plan_dag_build(stmt, dag))
	{
		case RVD_OK:
			break;
		case RVD_ERR_FULL:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("the plan has more than %d operators or %d edges",
							RVD_DAG_MAX_NODES, RVD_DAG_MAX_EDGES)));
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("the plan has an operator that ruvector_dag does not know")));
	}
}
