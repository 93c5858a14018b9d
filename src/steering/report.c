/*-------------------------------------------------------------------------
 *
 * report.c
 *	  What is known of a plan that was just made.  See report.h.
 *
 * Layer 4.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "ruvector_dag/arm.h"
#include "ruvector_dag/decision.h"
#include "ruvector_dag/plan_cache.h"
#include "ruvector_dag/report.h"
#include "ruvector_dag/scope.h"
#include "ruvector_dag/settings.h"

#include "plan_view.h"

/* ---- words ------------------------------------------------------------------ */

static const char *const role_names[] = {
	[RVD_PLAN_BASELINE] = "baseline",
	[RVD_PLAN_CANDIDATE] = "candidate",
	[RVD_PLAN_PROVEN] = "proven",
	[RVD_PLAN_REJECTED] = "rejected",
};

static const char *const mode_names[] = {
	[RVD_MODE_OBSERVE] = "observe",
	[RVD_MODE_ADVISE] = "advise",
	[RVD_MODE_AUTO] = "auto",
};

const char *
rvd_report_role(uint32 role)
{
	return role < lengthof(role_names) ? role_names[role] : NULL;
}

const char *
rvd_report_mode(int mode)
{
	return mode >= 0 && mode < lengthof(mode_names) ? mode_names[mode] : NULL;
}

const char *
rvd_report_state(const RvdInstance *instance)
{
	switch ((RvdInstanceState) instance->state)
	{
		case RVD_INSTANCE_LEARNING:
			return "learning";
		case RVD_INSTANCE_EXPLORING:
			return "exploring";
		case RVD_INSTANCE_SETTLED:
			return instance->best_plan != 0 ? "steered" : "settled";
		case RVD_INSTANCE_COOLING:
			return "cooling";
	}
	return NULL;
}

/* One that was removed meanwhile has only its number left. */
const char *
rvd_report_arm(uint16 arm)
{
	const char *name;

	if (arm == RVD_ARM_NONE)
		return NULL;
	name = rvd_arm_name(arm);
	return name ? pstrdup(name) : psprintf("%u", (unsigned int) arm);
}

/* ---- figures ------------------------------------------------------------------ */

static void
read_plan(RvdPlanReport *report)
{
	RvdKey		key = {rvd_plan_key(report->queryid, report->instance,
									report->plan_id), MyDatabaseId};
	RvdPlan    *plan = rvd_table_find(rvd_table(RVD_PLANS), key, false, false);

	if (plan == NULL)
		return;
	report->role = plan->role;
	report->reason = plan->reason;
	report->arm = plan->memo.arm;
	rvd_table_release(rvd_table(RVD_PLANS), key);
}

static void
read_instance(RvdPlanReport *report)
{
	RvdKey		key = {rvd_instance_key(report->queryid, report->instance),
	MyDatabaseId};
	RvdInstance *instance = rvd_table_find(rvd_table(RVD_INSTANCES), key,
										   false, false);

	if (instance == NULL)
		return;
	report->state = rvd_report_state(instance);
	rvd_table_release(rvd_table(RVD_INSTANCES), key);
}

static void
read_class(const RvdTag *tag, RvdPlanReport *report)
{
	RvdKey		key = {(uint64) tag->queryid, MyDatabaseId};
	RvdClass   *c;

	if (tag->binding == RVD_BINDING_NONE)
		return;
	c = rvd_table_find(rvd_table(RVD_CLASSES), key, false, false);
	if (c == NULL)
		return;
	report->plan_cache = rvd_plan_cache_text(rvd_plan_cache_choice(c));
	rvd_table_release(rvd_table(RVD_CLASSES), key);
}

int
rvd_report_patterns(const RvdLook *look, RvdPatternMatch *matches)
{
	RvdNeural  *neural = look->embedded ? rvd_my_neural() : NULL;
	const RvdSnapshot *s = neural ? rvd_snapshot_lock(neural, false, false) :
		NULL;
	RvdMatch	found[RVD_BANK_TOP];
	int			n;

	if (s == NULL)
		return 0;
	n = rvd_bank_search(&s->bank, look->embedding, found);
	for (int i = 0; i < n; i++)
	{
		const RvdPattern *p = &s->bank.pattern[found[i].index];

		matches[i].id = p->id;
		matches[i].similarity = found[i].similarity;
		matches[i].confidence = found[i].confidence;
		matches[i].verified = p->verified;
		matches[i].learned_rows = p->configuration != 0;
	}
	rvd_snapshot_release(neural);
	return n;
}

bool
rvd_report_memory(const RvdLook *look, RvdMemory *memory, double *distance)
{
	RvdKey		key = {0, MyDatabaseId};
	RvdMemory  *m;
	RvdHdc		cue;

	if (!look->coded || !rvd_look_recall(&look->code, &key.a))
		return false;
	m = rvd_table_find(rvd_table(RVD_MEMORIES), key, false, false);
	if (m == NULL)
		return false;
	*memory = *m;
	rvd_table_release(rvd_table(RVD_MEMORIES), key);
	memcpy(cue.w, memory->cue, sizeof(cue.w));
	*distance = rvd_hdc_distance(&look->code, &cue);
	return true;
}

void
rvd_report_plan(const RvdTag *tag, PlannedStmt *stmt, RvdPlanReport *report)
{
	RvdPatternMatch matches[RVD_BANK_TOP];
	RvdScope	scope;

	memset(report, 0, sizeof(*report));
	report->queryid = tag->queryid;
	report->instance = tag->instance;
	report->plan_id = tag->fingerprint;
	report->stock = tag->role == RVD_PLAN_BASELINE;
	report->role = tag->role;
	report->reason = report->stock ? RVD_REASON_STOCK : RVD_REASON_NONE;
	read_plan(report);
	if (tag->pinned)
	{
		report->role = RVD_PLAN_PROVEN;
		report->reason = RVD_REASON_PINNED;
	}
	read_instance(report);
	read_class(tag, report);
	report->mode = rvd_scope_of_plan(stmt, &scope) ? scope.mode :
		rvd_dag_mode;
	report->stock_ms = tag->baseline_ms;
	report->expected_ms = report->stock ? tag->baseline_ms : tag->expected_ms;
	if (tag->look.prediction.known)
		report->predicted_ms = exp(tag->look.prediction.log_ms);
	report->may_try = tag->n_candidates > 0 ||
		(tag->may_explore && tag->exploring && tag->expected_ms > 0);
	report->matched = rvd_report_patterns(&tag->look, matches) > 0;
	if (report->matched)
		report->pattern = matches[0];
}
