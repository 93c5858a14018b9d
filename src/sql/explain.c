/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  ruvector_dag_explain: the decision about a statement, step by step.
 *
 * The statement is planned as the server alone would, and as a run would
 * (nothing is tried or counted); the decision is made as the planner's hook
 * makes it, and told with all it rests on.
 *
 * Costs of plans that follow from learned row counts tell of rows: they are
 * for those who could count them; see privileges.c.  Times, roles and reasons
 * are for everybody who may run the statement.
 *
 * Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"

#include "ruvector_dag/choice.h"
#include "ruvector_dag/errors.h"
#include "ruvector_dag/guard.h"
#include "ruvector_dag/plan_cache.h"
#include "ruvector_dag/plan_dag.h"
#include "ruvector_dag/settings.h"

#include "explained.h"
#include "plan_text.h"

PG_FUNCTION_INFO_V1(ruvector_dag_explain);

/* A ratio below this is a gain worth having. */
#define GAIN				0.95

/* ---- gathering --------------------------------------------------------------------- */

static bool
may_read_relations(const PlannedStmt *stmt)
{
	int			n = list_length(stmt->relationOids);
	Oid		   *relids = palloc(sizeof(Oid) * Max(n, 1));

	for (int i = 0; i < n; i++)
		relids[i] = list_nth_oid(stmt->relationOids, i);
	return rvd_may_read_relations(relids, n);
}

static void
look_at_stock(RvdExplained *x, const char *query)
{
	rvd_query_view_plan(&x->stock, rvd_sql_plan_text_stock(query));
	x->may_read = may_read_relations(x->stock.stmt);
	x->stock_plan = rvd_plan_fingerprint(x->stock.stmt, &x->stock.dag, 0);
	rvd_look(&x->look, &x->stock.dag, x->stock_plan,
			 rvd_query_view_kernel(&x->stock, RVD_ATTENTION_AUTO), true);
	x->n_patterns = rvd_report_patterns(&x->look, x->patterns);
	x->recalled = rvd_report_memory(&x->look, &x->memory, &x->distance);
}

static void
find_what_is_known(RvdExplained *x)
{
	RvdDecision *d = &x->decision;

	rvd_decide_expect(d, x->look.total_cost);
	rvd_knowledge_load(&x->known, InvalidOid);
	x->class = rvd_knowledge_class(&x->known, d->queryid);
	if (d->action == RVD_ACT_PASS || x->class == NULL)
		return;
	x->instance =
		rvd_knowledge_instance(&x->known,
							   rvd_knowledge_instance_index(&x->known),
							   d->queryid, d->instance);
}

static RvdExplained *
gather(const char *query)
{
	RvdExplained *x = palloc0(sizeof(RvdExplained));
	PlannedStmt *now;
	RvdTag	   *tag;
	bool		may_explore;

	look_at_stock(x, query);
	x->in_scope = rvd_sql_decide_text(query, &x->scope, &x->decision,
									  &may_explore);
	if (x->in_scope && x->decision.queryid != 0)
		find_what_is_known(x);
	now = rvd_sql_plan_text(query);
	tag = rvd_neural_dag_enabled ? rvd_tag_find(now) : NULL;
	x->looked_at = tag != NULL;
	if (tag)
		rvd_report_plan(tag, now, &x->now);
	/* what is in a function, as the text is here, would not be tried */
	x->now.may_try = may_explore;
	return x;
}

/* ---- telling ------------------------------------------------------------------------ */

static void
add_id(RvdJson *json, const char *key, uint64 id)
{
	if (id != 0)
		rvd_json_add_int(json, key, (int64) id);
}

static void
add_ms(RvdJson *json, const char *key, double ms)
{
	rvd_json_add_float(json, key, ms > 0 ? ms : NAN);
}

static void
tell_class(const RvdExplained *x, RvdJson *json)
{
	const RvdClass *c = x->class;
	const char *obstacle = rvd_explained_obstacle(x);

	rvd_json_begin_object(json, "class");
	add_id(json, "queryid", (uint64) x->decision.queryid);
	rvd_json_add_bool(json, "looked_at", obstacle == NULL);
	rvd_json_add_text(json, "why_not", obstacle);
	rvd_json_add_text(json, "mode", x->in_scope ?
					  rvd_report_mode(x->scope.mode) : NULL);
	rvd_json_add_int(json, "calls", c ? (int64)
					 pg_atomic_read_u64(&unconstify(RvdClass *, c)->calls) : 0);
	rvd_json_add_float(json, "mean_ms", c ?
					   rvd_knowledge_mean_ms(&c->latency) : NAN);
	rvd_json_add_bool(json, "pooled", x->decision.pooled);
	if (c)
	{
		rvd_json_add_text(json, "plan_cache",
						  rvd_plan_cache_text(rvd_plan_cache_choice(c)));
		rvd_json_add_float(json, "custom_ms",
						   rvd_knowledge_mean_ms(&c->custom));
		rvd_json_add_float(json, "generic_ms",
						   rvd_knowledge_mean_ms(&c->generic));
		add_id(json, "pinned_plan", c->pinned_plan);
		rvd_json_add_int(json, "trials", c->trials);
		rvd_json_add_int(json, "trials_won", c->trials_won);
		rvd_json_add_int(json, "trials_abandoned", c->trials_abandoned);
		rvd_json_add_float(json, "saved_ms", c->saved_ms);
		rvd_json_add_float(json, "regret_ms", c->regret_ms);
	}
	rvd_json_end_object(json);
}

static void
tell_instance(const RvdExplained *x, RvdJson *json)
{
	const RvdInstance *i = x->instance;

	if (i == NULL)
		return;
	rvd_json_begin_object(json, "instance");
	rvd_json_add_int(json, "instance", (int64) i->instance);
	rvd_json_add_text(json, "state", rvd_report_state(i));
	rvd_json_add_int(json, "calls", i->calls);
	rvd_json_add_int(json, "stock_runs", i->baseline.n);
	add_id(json, "stock_plan", i->baseline_plan);
	add_id(json, "best_plan", i->best_plan);
	add_id(json, "undecided_plan", i->trying_plan);
	rvd_json_add_int(json, "rounds", i->rounds);
	rvd_json_add_int(json, "demotions", i->demotions);
	if (i->state == RVD_INSTANCE_SETTLED)
		rvd_json_add_int(json, "looks_again_at_call", i->next_look);
	if (i->state == RVD_INSTANCE_COOLING)
		rvd_json_add_int(json, "cools_until_call", i->cool_until);
	rvd_json_end_object(json);
}

static void
tell_stock(const RvdExplained *x, RvdJson *json)
{
	const RvdPrediction *p = &x->look.prediction;

	rvd_json_begin_object(json, "stock_plan");
	rvd_json_add_int(json, "plan_id", (int64) x->stock_plan);
	rvd_json_add_float(json, "cost", x->look.total_cost);
	add_ms(json, "expected_ms", x->decision.baseline_ms);
	rvd_json_add_float(json, "predicted_ms", p->known ? exp(p->log_ms) : NAN);
	rvd_json_add_float(json, "predicted_within_factor",
					   p->known ? exp(p->sd) : NAN);
	rvd_json_end_object(json);
}

static void
tell_patterns(const RvdExplained *x, RvdJson *json)
{
	rvd_json_begin_array(json, "patterns");
	for (int i = 0; i < x->n_patterns; i++)
	{
		const RvdPatternMatch *m = &x->patterns[i];

		rvd_json_begin_object(json, NULL);
		rvd_json_add_int(json, "pattern_id", (int64) m->id);
		rvd_json_add_float(json, "similarity", m->similarity);
		rvd_json_add_float(json, "confidence", m->confidence);
		rvd_json_add_int(json, "verified_runs", m->verified);
		rvd_json_add_bool(json, "learned_rows", m->learned_rows);
		rvd_json_add_bool(json, "advises", rvd_explained_advises(m));
		rvd_json_end_object(json);
	}
	rvd_json_end_array(json);
	if (!x->recalled)
		return;
	rvd_json_begin_object(json, "memory");
	rvd_json_add_text(json, "kind", x->memory.kind == RVD_MEMORY_PROVEN ?
					  "proven" : "catastrophe");
	rvd_json_add_float(json, "distance", x->distance);
	rvd_json_add_float(json, "time_ratio", exp(x->memory.log_ratio));
	rvd_json_add_int(json, "seen", x->memory.seen);
	rvd_json_add_time(json, "at", x->memory.at);
	rvd_json_add_bool(json, "vetoes", rvd_look_vetoed(&x->look));
	rvd_json_end_object(json);
}

/* What is believed of a plan that is waiting to be tried. */
static void
tell_belief(const RvdExplained *x, const RvdCandidate *c, RvdJson *json)
{
	const RvdDecision *d = &x->decision;
	RvdBelief	belief;
	double		reference = d->baseline_ms > 0 && d->reference_ms > 0 ?
		log(d->reference_ms / d->baseline_ms) : 0;

	rvd_candidate_believe(d, c, &belief);
	rvd_json_add_float(json, "believed_ratio", exp(rvd_belief_mean(&belief)));
	rvd_json_add_float(json, "probability_faster",
					   rvd_belief_below(&belief, reference + log(GAIN)));
	rvd_json_add_float(json, "predicted_ratio",
					   c->sd > 0 ? exp(c->predicted) : NAN);
	rvd_json_add_float(json, "cut_at_ratio", c->cut > 0 ? c->cut : NAN);
}

static void
tell_plan(const RvdExplained *x, const RvdPlan *plan, RvdJson *json)
{
	const RvdCandidate *c = rvd_explained_candidate(x, plan->fingerprint);

	rvd_json_begin_object(json, NULL);
	rvd_json_add_int(json, "plan_id", (int64) plan->fingerprint);
	rvd_json_add_text(json, "role", rvd_report_role(plan->role));
	rvd_json_add_text(json, "reason", rvd_reason_text(plan->reason));
	rvd_json_add_text(json, "arm", rvd_report_arm(plan->memo.arm));
	rvd_json_add_int(json, "calls", plan->latency.n);
	rvd_json_add_float(json, "mean_ms", rvd_knowledge_mean_ms(&plan->latency));
	rvd_json_add_int(json, "trials", plan->trials);
	rvd_json_add_int(json, "trials_abandoned", plan->trials_abandoned);
	if (x->may_read)
		rvd_json_add_float(json, "cost", plan->est_cost);
	rvd_json_add_bool(json, "waits_for_trial", c != NULL);
	if (c)
		tell_belief(x, c, json);
	rvd_json_begin_array(json, "history");
	rvd_knowledge_add_history(json, plan);
	rvd_json_end_array(json);
	rvd_json_end_object(json);
}

static void
tell_plans(const RvdExplained *x, RvdJson *json)
{
	rvd_json_begin_array(json, "plans");
	for (int i = 0; x->instance && i < x->known.n_plans; i++)
	{
		const RvdPlan *plan = &x->known.plans[i];

		if (plan->queryid == x->decision.queryid &&
			plan->instance == x->decision.instance)
			tell_plan(x, plan, json);
	}
	rvd_json_end_array(json);
}

static void
tell_choice(const RvdExplained *x, RvdJson *json)
{
	const RvdPlanReport *now = &x->now;

	rvd_json_begin_object(json, "choice");
	rvd_json_add_int(json, "plan_id",
					 (int64) (x->looked_at ? now->plan_id : x->stock_plan));
	rvd_json_add_bool(json, "stock", !x->looked_at || now->stock);
	rvd_json_add_text(json, "why", rvd_explained_reason(x));
	if (x->looked_at)
	{
		rvd_json_add_text(json, "role", rvd_report_role(now->role));
		rvd_json_add_text(json, "arm", rvd_report_arm(now->arm));
		add_ms(json, "expected_ms", now->expected_ms);
		add_ms(json, "stock_ms", now->stock_ms);
		add_ms(json, "predicted_ms", now->predicted_ms);
		rvd_json_add_bool(json, "may_try_another", now->may_try);
	}
	rvd_json_end_object(json);
}

Datum
ruvector_dag_explain(PG_FUNCTION_ARGS)
{
	RvdExplained *x;
	RvdJson		json;

	rvd_require_preload();
	x = gather(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	rvd_json_begin(&json);
	tell_class(x, &json);
	tell_instance(x, &json);
	tell_stock(x, &json);
	tell_patterns(x, &json);
	tell_plans(x, &json);
	tell_choice(x, &json);
	rvd_explained_steps(x, &json);
	PG_RETURN_JSONB_P(rvd_json_end(&json));
}
