/*-------------------------------------------------------------------------
 *
 * explained.c
 *	  A decision in words.  See explained.h.
 *
 * In the order in which the planner's hook decides, which is that of
 * planner.c, decision.c and steer.c.
 *
 * Everything in CurrentMemoryContext.  Layer 7.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "ruvector_dag/arm.h"
#include "ruvector_dag/settings.h"

#include "explained.h"

/* ---- why not -------------------------------------------------------------------- */

static bool
database_ready(void)
{
	RvdDatabase *db = rvd_my_database();

	return db != NULL && pg_atomic_read_u32(&db->state) == RVD_DB_READY;
}

const char *
rvd_explained_obstacle(const RvdExplained *x)
{
	if (!rvd_neural_dag_enabled)
		return "ruvector.neural_dag_enabled is off";
	if (x->decision.queryid == 0)
		return "the statement has no query id (compute_query_id)";
	if (!x->in_scope)
		return "none of its tables is enabled";
	if (!database_ready())
		return "no learner has loaded what is known of this database";
	if (x->class && (x->class->flags & RVD_CLASS_BLOCKED))
		return "the class is blocked";
	if (x->decision.action == RVD_ACT_PASS)
		return "cheap: what the class costs is below dag_min_cost";
	if (x->class == NULL && x->look.total_cost < x->scope.min_cost)
		return "cheap: a class never seen goes by its cost, which is below dag_min_cost";
	if (!x->looked_at)
		return "the plan has operators or a size that are not looked at";
	return NULL;
}

/* ---- why --------------------------------------------------------------------------- */

static const char *
stock_reason(const RvdExplained *x)
{
	const RvdDecision *d = &x->decision;

	if (x->scope.mode == RVD_MODE_OBSERVE)
		return "mode observe: nothing is steered";
	if (d->pinned_plan != 0)
		return x->scope.mode == RVD_MODE_ADVISE ?
			"mode advise: a plan is pinned, but not used" :
			"the plan that is pinned cannot be made here now";
	if (d->pooled)
		return "the class's constants hardly ever repeat: each execution plans anew, and tries what promises a gain";
	if (x->instance == NULL)
		return "these constants were never run: nothing is measured to compare with";
	if (d->best_plan != 0)
		return x->scope.mode == RVD_MODE_ADVISE ?
			"mode advise: a plan is proven, but not used" :
			"a plan is proven, but its configuration does not lead to it now";
	switch (d->state)
	{
		case RVD_INSTANCE_LEARNING:
			return "complete runs of the stock plan are wanted first";
		case RVD_INSTANCE_EXPLORING:
			return "the stock plan is what others are compared with";
		case RVD_INSTANCE_COOLING:
			return "a plan that was proven turned slow: the stock plan for some calls";
		case RVD_INSTANCE_SETTLED:
			return "no plan is known that is faster";
	}
	return "no plan is known that is faster";
}

const char *
rvd_explained_reason(const RvdExplained *x)
{
	const char *obstacle = rvd_explained_obstacle(x);

	if (obstacle)
		return obstacle;
	if (x->now.stock)
		return stock_reason(x);
	if (x->decision.pinned_plan != 0)
		return "an administrator has pinned it";
	return psprintf("it is %s for these constants: %s",
					rvd_report_role(x->now.role) ?
					rvd_report_role(x->now.role) : "used",
					rvd_reason_text(x->now.reason));
}

const RvdCandidate *
rvd_explained_candidate(const RvdExplained *x, uint64 plan)
{
	for (int i = 0; i < x->decision.n_candidates; i++)
		if (x->decision.candidates[i].plan == plan)
			return &x->decision.candidates[i];
	return NULL;
}

bool
rvd_explained_advises(const RvdPatternMatch *match)
{
	return match->learned_rows && match->similarity > rvd_dag_similarity &&
		match->confidence > rvd_dag_confidence;
}

/* ---- sentences ---------------------------------------------------------------------- */

static void
say_class(const RvdExplained *x, RvdJson *json)
{
	if (x->class == NULL)
		rvd_json_element_text(json, "class: never seen");
	else
		rvd_json_element_text(json,
							  psprintf("class: seen %llu times%s",
									   (unsigned long long) pg_atomic_read_u64(&unconstify(RvdClass *, x->class)->calls),
									   x->decision.pooled ?
									   ", constants hardly ever repeat" : ""));
}

static void
say_instance(const RvdExplained *x, RvdJson *json)
{
	if (x->instance == NULL)
		rvd_json_element_text(json, "instance: these constants were never run");
	else
		rvd_json_element_text(json,
							  psprintf("instance: %s, %u calls",
									   rvd_report_state(x->instance),
									   x->instance->calls));
}

static void
say_patterns(const RvdExplained *x, RvdJson *json)
{
	int			advising = 0;

	for (int i = 0; i < x->n_patterns; i++)
		advising += rvd_explained_advises(&x->patterns[i]);
	rvd_json_element_text(json,
						  x->n_patterns == 0 ? "patterns: none is known" :
						  psprintf("patterns: nearest %d, similarity %.3f; %d near and sure enough to advise learned rows",
								   x->n_patterns, x->patterns[0].similarity,
								   advising));
	if (x->recalled)
		rvd_json_element_text(json,
							  x->memory.kind == RVD_MEMORY_PROVEN ?
							  "memory: a plan like the stock plan was beaten" :
							  "memory: a plan like the stock plan was a catastrophe");
}

static void
say_candidates(const RvdExplained *x, RvdJson *json)
{
	uint32		left = rvd_arms_enabled() & ~x->decision.arms_planned;
	int			n = 0;

	for (; left; left &= left - 1)
		n++;
	rvd_json_element_text(json,
						  psprintf("candidates: %d; arms not planned under yet: %d",
								   x->decision.n_candidates, n));
}

void
rvd_explained_steps(const RvdExplained *x, RvdJson *json)
{
	const char *obstacle = rvd_explained_obstacle(x);

	rvd_json_begin_array(json, "steps");
	if (x->in_scope && x->decision.queryid != 0)
	{
		say_class(x, json);
		if (obstacle == NULL)
		{
			say_instance(x, json);
			say_patterns(x, json);
			say_candidates(x, json);
		}
	}
	rvd_json_element_text(json,
						  psprintf("plan: %s, because %s",
								   !x->looked_at || x->now.stock ?
								   "the server's own" : "another",
								   rvd_explained_reason(x)));
	if (x->looked_at && x->now.may_try)
		rvd_json_element_text(json, "trial: a run now may try another plan");
	rvd_json_end_array(json);
}
