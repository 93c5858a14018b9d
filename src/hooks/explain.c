/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  EXPLAIN and what it says of steering: the order of events.
 *
 * ProcessUtility begins an EXPLAIN; every plan it explains comes by at the
 * start of the executor, where what is known of it is noted (later, functions
 * that EXPLAIN ANALYZE runs may have taken its tag's slot).  Then the notes
 * are written: since 18 by the server's own hook, within the query's group;
 * before, by a receiver that puts them into the finished text, which leaves
 * the server's EXPLAIN and other libraries' hooks in it as they are, and also
 * reaches EXPLAIN EXECUTE.
 *
 * Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/defrem.h"

#include "ruvector_dag/errors.h"
#include "ruvector_dag/hooks.h"
#include "ruvector_dag/settings.h"

#include "explain.h"

typedef struct RvdExplainedPlan
{
	PlannedStmt *stmt;
	bool		known;			/* report is set */
	RvdPlanReport report;
} RvdExplainedPlan;

static RvdExplainRun *current = NULL;
static rvd_per_plan_hook_type prev_per_plan = NULL;
static bool per_plan = false;	/* the server calls us by itself */

/* ---- options -------------------------------------------------------------------- */

/*
 * Of several, the last one counts, as for the server.  Only for options the
 * server has accepted already.
 */
static DefElem *
find_option(const ExplainStmt *stmt, const char *name)
{
	DefElem    *found = NULL;
	ListCell   *lc;

	foreach(lc, stmt->options)
	{
		DefElem    *option = (DefElem *) lfirst(lc);

		if (strcmp(option->defname, name) == 0)
			found = option;
	}
	return found;
}

static bool
option_is_on(const ExplainStmt *stmt, const char *name, bool otherwise)
{
	DefElem    *option = find_option(stmt, name);

	return option ? defGetBoolean(option) : otherwise;
}

static ExplainFormat
format_option(const ExplainStmt *stmt)
{
	DefElem    *option = find_option(stmt, "format");
	const char *name = option && option->arg ? defGetString(option) : "text";

	if (strcmp(name, "json") == 0)
		return EXPLAIN_FORMAT_JSON;
	if (strcmp(name, "xml") == 0)
		return EXPLAIN_FORMAT_XML;
	if (strcmp(name, "yaml") == 0)
		return EXPLAIN_FORMAT_YAML;
	return EXPLAIN_FORMAT_TEXT;
}

/* ---- what is explained ------------------------------------------------------------ */

/*
 * Functions that run while the statement is planned come by here, too.  They
 * are not instrumented and want their rows.
 */
static bool
is_explained(const QueryDesc *query_desc, int eflags)
{
	if (!option_is_on(current->stmt, "analyze", false))
		return (eflags & EXEC_FLAG_EXPLAIN_ONLY) != 0;
	return query_desc->instrument_options != 0 &&
		query_desc->dest->mydest != DestSPI &&
		query_desc->dest->mydest != DestSQLFunction;
}

static void
note_plan(QueryDesc *query_desc)
{
	RvdExplainedPlan *plan = palloc0(sizeof(RvdExplainedPlan));
	RvdTag	   *tag = rvd_neural_dag_enabled && rvd_dag_explain ?
		rvd_tag_find(query_desc->plannedstmt) : NULL;

	plan->stmt = query_desc->plannedstmt;
	if (tag)
	{
		rvd_report_plan(tag, plan->stmt, &plan->report);
		plan->known = true;
	}
	current->plans = lappend(current->plans, plan);
}

void
rvd_explain_note(QueryDesc *query_desc, int eflags)
{
	MemoryContext cxt = CurrentMemoryContext;

	if (current == NULL || !rvd_in_explain())
		return;
	PG_TRY();
	{
		MemoryContextSwitchTo(current->cxt);
		if (is_explained(query_desc, eflags))
			note_plan(query_desc);
		MemoryContextSwitchTo(cxt);
	}
	PG_CATCH();
	{
		if (rvd_error_is_interrupt())
			PG_RE_THROW();
		rvd_swallow_error("explaining a decision", cxt);
	}
	PG_END_TRY();
}

/* ---- writing ---------------------------------------------------------------------- */

/* As text, one per plan; NIL if there is nothing to say of any. */
static List *
write_groups(RvdExplainRun *run, ExplainFormat *format)
{
	List	   *groups = NIL;
	bool		any = false;
	ListCell   *lc;

	*format = format_option(run->stmt);

	foreach(lc, run->plans)
	{
		RvdExplainedPlan *plan = lfirst(lc);
		ExplainState *es = rvd_explain_state(*format);

		es->costs = option_is_on(run->stmt, "costs", true);
		if (plan->known)
			rvd_explain_group(es, &plan->report);
		any |= es->str->len > 0;
		groups = lappend(groups, es->str->len > 0 ? es->str->data : NULL);
	}
	return any ? groups : NIL;
}

/* The server's hook, within the group of the query. */
static void
rvd_per_plan(PlannedStmt *stmt, IntoClause *into, struct ExplainState *es,
			 const char *text, ParamListInfo params, QueryEnvironment *env)
{
	ListCell   *lc;

	if (prev_per_plan)
		prev_per_plan(stmt, into, es, text, params, env);
	if (current == NULL)
		return;
	foreach(lc, current->plans)
	{
		RvdExplainedPlan *plan = lfirst(lc);

		if (plan->stmt == stmt && plan->known)
		{
			rvd_explain_group(es, &plan->report);
			break;
		}
	}
}

/* ---- around an EXPLAIN -------------------------------------------------------------- */

DestReceiver *
rvd_explain_begin(RvdExplainRun *run, PlannedStmt *pstmt, DestReceiver *dest)
{
	run->outer = current;
	run->stmt = castNode(ExplainStmt, pstmt->utilityStmt);
	run->cxt = CurrentMemoryContext;
	run->plans = NIL;
	current = run;
	if (per_plan || !rvd_neural_dag_enabled || !rvd_dag_explain)
		return dest;
	return rvd_explain_receiver(run, write_groups, dest);
}

void
rvd_explain_end(RvdExplainRun *run)
{
	current = run->outer;
}

void
rvd_explain_init(void)
{
	per_plan = rvd_install_per_plan_hook(rvd_per_plan, &prev_per_plan);
}
