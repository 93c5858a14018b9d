/*-------------------------------------------------------------------------
 *
 * explain_group.c
 *	  What EXPLAIN says of a plan: the group "Neural DAG".
 *
 * With COSTS OFF it is there only where the plan is not the server's own
 * choice, and holds nothing but role and arm: such output is compared with
 * what it was, and has to stay the same as long as the plan does.
 *
 * Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "ruvector_dag/guard.h"
#include "ruvector_dag/settings.h"

#include "explain.h"

static const char *
role_text(const RvdPlanReport *r)
{
	const char *role = rvd_report_role(r->role);

	return role ? role : "unknown";
}

/* ---- TEXT: a line or two ------------------------------------------------------ */

static void
add_times(StringInfo line, const RvdPlanReport *r)
{
	if (r->expected_ms <= 0)
		return;
	appendStringInfo(line, ", %.3f ms expected", r->expected_ms);
	if (!r->stock && r->stock_ms > 0)
		appendStringInfo(line, " instead of %.3f ms", r->stock_ms);
}

static void
add_arm(StringInfo line, const RvdPlanReport *r)
{
	const char *arm = rvd_report_arm(r->arm);

	if (arm)
		appendStringInfo(line, ", arm \"%s\"", arm);
}

/* Items after the first begin with a comma; none at all: nothing. */
static void
put_line(ExplainState *es, const StringInfo items)
{
	const char *text = items->data;

	if (items->len == 0)
		return;
	while (*text == ',' || *text == ' ')
		text++;
	appendStringInfoSpaces(es->str, es->indent * 2);
	appendStringInfo(es->str, "%s\n", text);
}

static void
put_first_line(ExplainState *es, const RvdPlanReport *r)
{
	StringInfoData line;

	initStringInfo(&line);
	appendStringInfoString(&line, "Neural DAG: ");
	if (es->costs)
		appendStringInfo(&line, "plan " INT64_FORMAT " ", (int64) r->plan_id);
	appendStringInfoString(&line, role_text(r));
	if (es->costs && r->reason != RVD_REASON_NONE)
		appendStringInfo(&line, " (%s)", rvd_reason_text(r->reason));
	add_arm(&line, r);
	if (es->costs)
		add_times(&line, r);
	put_line(es, &line);
}

static void
put_second_line(ExplainState *es, const RvdPlanReport *r)
{
	StringInfoData line;

	initStringInfo(&line);
	if (r->state)
		appendStringInfo(&line, ", instance %s", r->state);
	if (r->mode != RVD_MODE_AUTO)
		appendStringInfo(&line, ", mode %s", rvd_report_mode(r->mode));
	if (r->plan_cache)
		appendStringInfo(&line, ", %s", r->plan_cache);
	if (r->predicted_ms > 0)
		appendStringInfo(&line, ", %.3f ms predicted", r->predicted_ms);
	if (r->matched)
		appendStringInfo(&line,
						 ", pattern " INT64_FORMAT " (similarity %.3f, confidence %.3f)",
						 (int64) r->pattern.id, r->pattern.similarity,
						 r->pattern.confidence);
	if (r->may_try)
		appendStringInfoString(&line, ", a run may try another plan");
	put_line(es, &line);
}

static void
put_text(ExplainState *es, const RvdPlanReport *r)
{
	put_first_line(es, r);
	if (!es->costs)
		return;
	es->indent++;
	put_second_line(es, r);
	es->indent--;
}

/* ---- the other formats: a property each -------------------------------------- */

static void
put_time(ExplainState *es, const char *label, double ms)
{
	if (ms > 0)
		ExplainPropertyFloat(label, "ms", ms, 3, es);
}

static void
put_figures(ExplainState *es, const RvdPlanReport *r)
{
	put_time(es, "Expected Time", r->expected_ms);
	put_time(es, "Stock Time", r->stock_ms);
	put_time(es, "Predicted Time", r->predicted_ms);
	if (r->expected_ms > 0 && r->stock_ms > 0)
		ExplainPropertyFloat("Speedup", NULL, r->stock_ms / r->expected_ms, 3,
							 es);
	if (r->matched)
	{
		ExplainPropertyInteger("Pattern ID", NULL, (int64) r->pattern.id, es);
		ExplainPropertyFloat("Pattern Similarity", NULL,
							 r->pattern.similarity, 3, es);
		ExplainPropertyFloat("Pattern Confidence", NULL,
							 r->pattern.confidence, 3, es);
	}
}

static void
put_properties(ExplainState *es, const RvdPlanReport *r)
{
	const char *arm = rvd_report_arm(r->arm);

	if (es->costs)
		ExplainPropertyInteger("Plan ID", NULL, (int64) r->plan_id, es);
	ExplainPropertyText("Role", role_text(r), es);
	if (es->costs && r->reason != RVD_REASON_NONE)
		ExplainPropertyText("Reason", rvd_reason_text(r->reason), es);
	if (arm)
		ExplainPropertyText("Arm", arm, es);
	if (!es->costs)
		return;
	if (r->state)
		ExplainPropertyText("Instance State", r->state, es);
	ExplainPropertyText("Mode", rvd_report_mode(r->mode), es);
	if (r->plan_cache)
		ExplainPropertyText("Plan Cache", r->plan_cache, es);
	put_figures(es, r);
	ExplainPropertyBool("May Try Another", r->may_try, es);
}

void
rvd_explain_group(ExplainState *es, const RvdPlanReport *report)
{
	if (!es->costs && report->stock)
		return;
	if (es->format == EXPLAIN_FORMAT_TEXT)
	{
		put_text(es, report);
		return;
	}
	ExplainOpenGroup("Neural DAG", "Neural DAG", true, es);
	put_properties(es, report);
	ExplainCloseGroup("Neural DAG", "Neural DAG", true, es);
}
